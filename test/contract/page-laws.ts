import { beforeEach, describe, expect, test } from 'vitest';
import type { PageRequest } from '../../src/chat/ports.js';
import { A, AB, aNode, B, letter, type Place, type Subject, stored, textOf, to } from './town.js';

const LENGTH = 10;

export function pageLaws(subject: Subject): void {
  describe('a page of history', () => {
    let here: Place;
    let first: number;
    beforeEach(async () => {
      here = await aNode(subject);
      const letters = Array.from({ length: LENGTH }, (_, i) => letter(A, to(B), `${i}`.repeat(100)));
      first = stored((await here.node.log.append(letters))[0]).seq;
    });

    /** What a page holds, by the first character of each message, and whether there is more. */
    async function page(request: Partial<PageRequest>): Promise<string> {
      const { items, more } = await here.node.log.page(AB, { limit: 3, bytes: 1e6, floor: 0, ...request });
      return items.map((item) => textOf(item)[0]).join('') + (more ? '+' : '');
    }

    test('is the newest one where no place is given', async () => {
      expect(await page({})).toBe('789+');
      expect(await page({ limit: LENGTH })).toBe('0123456789');
      expect(await page({ limit: LENGTH - 1 })).toBe('123456789+');
    });

    test('goes back from before a place', async () => {
      expect(await page({ before: first + 7 })).toBe('456+');
      expect(await page({ before: first + 3 })).toBe('012');
      expect(await page({ before: first + 1 })).toBe('0');
      expect(await page({ before: first })).toBe('');
      expect(await page({ before: 1 })).toBe('');
      expect(await page({ before: Number.MAX_SAFE_INTEGER })).toBe('789+');
    });

    test('goes forward from after a place', async () => {
      expect(await page({ after: 0 })).toBe('012+');
      expect(await page({ after: first + 2 })).toBe('345+');
      expect(await page({ after: first + 6 })).toBe('789');
      expect(await page({ after: first + 8 })).toBe('9');
      expect(await page({ after: first + 9 })).toBe('');
    });

    test('never goes below its floor, nor tells that there is something', async () => {
      expect(await page({ floor: first + 7 })).toBe('89');
      expect(await page({ floor: first + 6 })).toBe('789');
      expect(await page({ floor: first + 5 })).toBe('789+');
      expect(await page({ floor: first + 4, before: first + 7 })).toBe('56');
      expect(await page({ floor: first + 4, after: 0 })).toBe('567+');
      expect(await page({ floor: first + 9 })).toBe('');
    });

    test('ends early at a number of bytes, but never empty', async () => {
      expect(await page({ bytes: 1 })).toBe('9+');
      expect(await page({ bytes: 1, after: 0 })).toBe('0+');
      expect(await page({ bytes: 1, before: first + 1 })).toBe('0');
      const some = await page({ bytes: 900, limit: LENGTH });
      expect(some).toMatch(/^[4-8]+9\+$/);
    });
  });
}
