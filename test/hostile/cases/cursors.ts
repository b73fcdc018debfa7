/**
 * Cursors that were never given to mallory's device `default`, each with its answer to a poll's `ack` and to a
 * stream's `Last-Event-ID`. `$mine` is one that was; `$bobs` is bob's, `$phones` one of mallory's phone.
 */
export type CursorCase = { readonly name: string; readonly cursor: string };

const SIGNATURE = 'A'.repeat(22);

export const CURSORS: readonly CursorCase[] = [
  { name: 'of another user', cursor: '$bobs' },
  { name: 'of another device', cursor: '$phones' },
  { name: 'with one character more', cursor: '$minex' },
  { name: 'with one character less', cursor: '$cut' },
  { name: 'with another signature', cursor: `1.${SIGNATURE}` },
  { name: 'without a signature', cursor: '1.' },
  { name: 'with only a signature', cursor: `.${SIGNATURE}` },
  { name: 'with only a number', cursor: '1' },
  { name: 'with a number below 0', cursor: `-1.${SIGNATURE}` },
  { name: 'with a number beyond the safe ones', cursor: `9999999999999999.${SIGNATURE}` },
  { name: 'with the number of another', cursor: '$swapped' },
  { name: 'with positions added', cursor: '$added' },
  { name: 'with a position in a conversation of others', cursor: `0;@alice=1.${SIGNATURE}` },
  { name: 'with a position that is broken by its encoding', cursor: `0;@%E0%A4=1.${SIGNATURE}` },
  { name: 'with an empty position', cursor: `0;.${SIGNATURE}` },
  { name: 'with two positions of everybody', cursor: `0;*=1,*=2.${SIGNATURE}` },
  { name: 'of 1,025 characters', cursor: `0;${'a'.repeat(1_000)}.${SIGNATURE}` },
  { name: 'that is null', cursor: 'null' },
  { name: 'that is a number', cursor: '42' },
  { name: 'that is JSON', cursor: '{"n":1}' },
  { name: 'with spaces', cursor: ' 1 . 2 ' },
  { name: 'with a key tag', cursor: '{p1}:poll' },
  { name: 'with the prototype', cursor: '__proto__' },
  { name: 'with a pattern for the store', cursor: `*.${'*'.repeat(22)}` },
];
