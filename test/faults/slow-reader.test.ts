import { describe, expect, test } from 'vitest';
import { SHAPES, townFor } from '../support/town.js';

const MESSAGES = 2_000;
const FILLING = 'x'.repeat(10_000);

describe.each(SHAPES)('somebody who stops reading on %s', (_shape, plan) => {
  const roomy = { SKEIN_RETENTION_MESSAGES: '10000', SKEIN_PENDING_BYTES: '100000000' };
  const t = townFor({ ...plan, env: roomy });

  const numberOf = (data: unknown): number => Number(String(data).split(' ')[0]);
  const words = (from: number, count: number): string[] =>
    Array.from({ length: count }, (_, index) => `${from + index} ${FILLING}`);

  test.each(['a direct message', 'a room'] as const)(
    'of %s gets everything in the end, and holds up nobody',
    async (kind) => {
      const alice = await t.user('alice').comesTo(1);
      const slow = await t.user('slow').comesTo(2);
      const carol = await t.user('carol').comesTo(2);
      const den = t.room('den');
      if (kind === 'a room') for (const member of [alice, slow, carol]) await member.joins(den);
      const to = kind === 'a room' ? den : slow;
      slow.line.pause();
      let slowest = 0;
      for (let from = 0; from < MESSAGES; from += 100) {
        await alice.saysAll(to, words(from, 100));
        const start = performance.now();
        await alice.says(carol, `meanwhile ${from}`);
        await carol.hears(`meanwhile ${from}`);
        slowest = Math.max(slowest, performance.now() - start);
      }
      expect(slowest).toBeLessThan(1_500);
      slow.line.resume();
      // A connection closed with 1013 comes back for the rest; so long as nothing is lost either is right.
      await slow.hears(words(MESSAGES - 1, 1)[0], 15_000);
      const heard = slow.heard(slow.convWith(kind === 'a room' ? den : alice)).map(numberOf);
      expect(heard).toEqual(Array.from({ length: MESSAGES }, (_, index) => index));
    },
    60_000,
  );
});
