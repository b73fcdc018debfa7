import { expect, test } from 'vitest';
import { run } from '../../loadtest/soak/run.js';

test('thousands of messages of users who come and go leave nothing behind, in the node or in Redis', async () => {
  const lines: string[] = [];
  const outcome = await run({ messages: 20_000, people: 40, life: 80, samples: 12 }, (line) => lines.push(line));
  expect(outcome.complaints, lines.join('\n')).toEqual([]);
  expect(outcome.users).toBeGreaterThan(200);
}, 300_000);
