import { afterEach, expect, test, vi } from 'vitest';
import { Farewells } from '../../src/chat/farewells.js';
import { Unavailable } from '../../src/chat/ports.js';
import type { Uid } from '../../src/protocol/index.js';

afterEach(() => vi.useRealTimers());

const A = 'A' as Uid;
const throws = (error: unknown): never => {
  throw error;
};

test('while the store is away it is asked once a second, and remembers so many farewells and no more', async () => {
  vi.useFakeTimers();
  let isAway = true;
  let asked = 0;
  const left = new Set<string>();
  const leave = async (_uid: Uid, conn: string): Promise<void> => {
    asked++;
    if (isAway) throw new Unavailable('away');
    left.add(conn);
  };
  const farewells = new Farewells({ leave }, throws);
  for (let n = 0; n < 100_050; n++) farewells.say(A, `${n}`);
  await vi.advanceTimersByTimeAsync(100);
  asked = 0;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(asked).toBe(10);
  isAway = false;
  await vi.advanceTimersByTimeAsync(2_000);
  expect(left.size).toBe(100_000);
  expect(left.has('99999')).toBe(true);
});
