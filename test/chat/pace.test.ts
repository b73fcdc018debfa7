import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Pace } from '../../src/chat/pace.js';

const GAP = 3;

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** Milliseconds that a batch of so many letters waited. */
function wait(pace: Pace, letters: number): number {
  const began = Date.now();
  let waited: number | undefined;
  pace.schedule(() => {
    waited = Date.now() - began;
    pace.begin(letters);
  });
  while (waited === undefined) vi.advanceTimersToNextTimer();
  return waited;
}

/** How long each of many batches waits that come a millisecond after the one before began. */
function waits(pace: Pace, letters: number): number[] {
  return Array.from({ length: 320 }, () => {
    vi.advanceTimersByTime(1);
    return wait(pace, letters);
  });
}

const sum = (numbers: readonly number[]) => numbers.reduce((one, other) => one + other, 0);

test('after a pause nothing waits', () => {
  const pace = new Pace(GAP, Date.now);
  const seldom = Array.from({ length: 100 }, () => {
    vi.advanceTimersByTime(GAP);
    return wait(pace, 5);
  });
  expect(sum(seldom)).toBe(0);
});

test('where others join, batches begin a gap apart', () => {
  const found = waits(new Pace(GAP, Date.now), 3);
  expect(found.slice(64).every((ms) => ms === GAP - 1)).toBe(true);
});

test('who writes alone waits once in thirty-two times, to see whether that has changed', () => {
  const pace = new Pace(GAP, Date.now);
  waits(pace, 3);
  const alone = waits(pace, 1).slice(-64);
  expect(sum(alone)).toBe(2 * (GAP - 1));
  expect(sum(waits(pace, 3).slice(-64))).toBe(64 * (GAP - 1));
});

test('where a call costs nothing by itself, nothing waits', () => {
  expect(sum(waits(new Pace(0, Date.now), 3))).toBe(0);
});
