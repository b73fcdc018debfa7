import fc from 'fast-check';
import { expect, test } from 'vitest';
import { queryOf } from '../../src/server/query.js';

const NAMES = ['uid', 'token', 'a', '', 'B', '_'];
const piece = fc.constantFrom(...NAMES, '=', '&', '&&', '?', '%41', '+', 'ü', '~', '#', '-', 'a=1', ' ', '\u{1f600}');

test('a query says what URLSearchParams says that it does', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const text = pieces.join('');
      const [query, standard] = [queryOf(text), new URLSearchParams(text)];
      for (const name of NAMES) {
        expect(query.has(name)).toBe(standard.has(name));
        expect(query.get(name)).toBe(standard.get(name));
      }
    }),
    { numRuns: 2_000 },
  );
});
