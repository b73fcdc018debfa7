import { describe, expect, test } from 'vitest';
import { FAULT_NAMES, FAULTS } from '../../loadtest/chaos/faults/index.js';
import { Random } from '../../loadtest/chaos/random.js';
import { scheduleOf } from '../../loadtest/chaos/schedule.js';

const faults = new Map(FAULT_NAMES.map((name) => [name, FAULTS[name]]));
const planned = (seed: number, seconds = 600) => scheduleOf(faults, seconds, new Random(seed));

describe('a schedule of faults', () => {
  test('is the same for the same seed, and another for another', () => {
    expect(planned(7)).toEqual(planned(7));
    expect(planned(7)).not.toEqual(planned(8));
  });

  test('has every fault, each about as often', () => {
    const steps = planned(7);
    const counts = FAULT_NAMES.map((name) => steps.filter((step) => step.name === name).length);
    expect(Math.min(...counts)).toBeGreaterThan(0);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
  });

  test('ends in time, and never does two things at once to the same victim', () => {
    for (let seed = 1; seed <= 50; seed++) {
      const steps = planned(seed);
      for (const [index, { name, at, lasts }] of steps.entries()) {
        expect(at + lasts).toBeLessThanOrEqual(600);
        const during = steps.slice(index + 1).filter((later) => later.at < at + lasts);
        expect(during.length).toBeLessThanOrEqual(1);
        for (const other of during) expect(FAULTS[other.name].victim).not.toBe(FAULTS[name].victim);
      }
    }
  });

  test('of a single fault repeats it', () => {
    const only = new Map([['kill-node', FAULTS['kill-node']] as const]);
    const steps = scheduleOf(only, 60, new Random(1));
    expect(steps.length).toBeGreaterThan(5);
    expect(new Set(steps.map(({ name }) => name))).toEqual(new Set(['kill-node']));
  });
});
