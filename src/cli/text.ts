/**
 * Text from others, made harmless for a terminal. What a user wrote may hold escape sequences that move the cursor, set
 * the title or answer in the reader's name, characters that turn the direction of writing, and ones that nobody sees.
 * None of them reaches the screen: they are shown by name.
 */

/** Everything without a shape of its own, but for the two that join letters and emoji. */
const UNSEEN = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
/** Marks piled on one letter reach into other lines. */
const PILE = /(\p{M}{6})\p{M}+/gu;
const TAB = '    ';

/** One line of text, whatever is in it. */
export function visible(text: string): string {
  return text.replaceAll('\t', TAB).replace(PILE, '$1').replace(UNSEEN, nameOf);
}

/** The same for text that may have several lines. */
export const visibleLines = (text: string): readonly string[] => text.split(/\r\n|\n/).map(visible);

function nameOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  // The pictures of the control characters: ␛ for ESC.
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  return code === 0x7f ? '␡' : `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`;
}

/** JSON on one line, of printable characters and letters only; it parses to the same value. */
export const safeJson = (value: unknown): string =>
  (JSON.stringify(value) ?? 'null').replace(UNSEEN, (character) =>
    Array.from({ length: character.length }, (_, i) => {
      return `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`;
    }).join(''),
  );

const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u;
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Columns that a line takes on a terminal. */
export function widthOf(line: string): number {
  let width = 0;
  for (const { segment } of graphemes.segment(line)) width += columnsOf(segment);
  return width;
}

const columnsOf = (grapheme: string): number => (WIDE.test(grapheme) ? 2 : /^\p{M}/u.test(grapheme) ? 0 : 1);

/** Breaks a line into parts of at most `width` columns, between words where it can; `first`: columns of the first. */
export function wrap(line: string, width: number, first = width): readonly string[] {
  const parts: string[] = [];
  let part = '';
  let used = 0;
  let room = first;
  for (const { segment } of graphemes.segment(line)) {
    const columns = columnsOf(segment);
    if (used + columns > room) {
      const space = part.lastIndexOf(' ');
      const isFar = segment !== ' ' && space > part.length / 2;
      parts.push(isFar ? part.slice(0, space) : part);
      part = isFar ? part.slice(space + 1) : '';
      used = widthOf(part);
      room = width;
      if (segment === ' ') continue;
    }
    part += segment;
    used += columns;
  }
  return [...parts, part];
}
