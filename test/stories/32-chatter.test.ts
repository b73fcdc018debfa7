import { describe, expect, test } from 'vitest';
import { shapesWith, townFor } from '../support/town.js';

/** How long two people write back and forth; nothing else is to be seen in less. */
const CHAT_MS = 2_500;

describe.concurrent.each(shapesWith({}))('a lively conversation on %s', (_shape, plan) => {
  const t = townFor(plan);

  test('is its messages, and hardly anything else', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const began = performance.now();
    let round = 0;
    while (performance.now() - began < CHAT_MS) {
      round++;
      await Promise.all([alice.says(bob, `a${round}`), bob.hears(`a${round}`)]);
      await Promise.all([bob.says(alice, `b${round}`), alice.hears(`b${round}`)]);
    }
    const seconds = (performance.now() - began) / 1_000;
    for (const person of [alice, bob]) {
      const countOf = (...types: string[]) => person.line.frames.filter(({ type }) => types.includes(type)).length;
      expect(countOf('message')).toBe(round);
      expect(countOf('sent')).toBe(round);
      // What the other side has, and has read: each once a second or two, and not with every message.
      expect(countOf('receipt')).toBeLessThanOrEqual(2 + 2 * seconds);
      expect(person.line.frames).toHaveLength(countOf('message', 'sent', 'receipt', 'welcome', 'synced'));
    }
  });
});
