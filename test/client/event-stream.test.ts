import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eventReader, type StreamEvent } from '../../src/client/transports/event-stream.js';

function read(pieces: readonly string[]): StreamEvent[] {
  const events: StreamEvent[] = [];
  const reader = eventReader((event) => events.push(event));
  for (const piece of pieces) reader(piece);
  return events;
}

test('events are read as the format says', () => {
  const text =
    ': comment\nretry: 10\nid: 7\ndata: one\ndata:two\n\nid: 8\n\ndata\n\ndata: {"a": 1}\n\ndata: unfinished\n';
  expect(read([text])).toEqual([
    { id: '7', data: 'one\ntwo' },
    { id: undefined, data: '' },
    { id: undefined, data: '{"a": 1}' },
  ]);
});

test('however the network cuts it', () => {
  const line = fc.constantFrom('id: 1', 'data: x', 'data: a: b', '', ': c', 'data', 'other: y');
  const text = fc
    .array(fc.tuple(line, fc.constantFrom('\n', '\r\n', '\r')), { maxLength: 20 })
    .map((lines) => lines.map(([words, end]) => words + end).join(''));
  fc.assert(
    fc.property(text, fc.array(fc.nat(200)), (whole, cuts) => {
      const at = [0, ...cuts.map((cut) => Math.min(cut, whole.length)).sort((a, b) => a - b), whole.length];
      const pieces = at.slice(1).map((end, i) => whole.slice(at[i], end));
      expect(read([...pieces, '\n'])).toEqual(read([`${whole}\n`]));
    }),
  );
});
