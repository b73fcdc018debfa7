/** When which fault happens: all of it follows from the seed. */
import type { Fault, Victim } from './faults/fault.js';
import type { Random } from './random.js';

export type Step<Name extends string = string> = {
  readonly name: Name;
  /** Seconds since the beginning of the traffic. */
  readonly at: number;
  readonly lasts: number;
  /** For the fault's own choices. */
  readonly seed: number;
};

const QUIET_BEFORE = 2;
/** Seconds between the end of a fault and the next one. */
const GAP = [1.5, 4] as const;
const OVERLAP_CHANCE = 0.25;

/** Faults in a random order, each as often as the others, some of them while another one lasts. */
export function scheduleOf<Name extends string>(
  faults: ReadonlyMap<Name, Pick<Fault, 'seconds' | 'victim'>>,
  seconds: number,
  random: Random,
): readonly Step<Name>[] {
  const steps: Step<Name>[] = [];
  let bag: Name[] = [];
  let last: { readonly at: number; readonly end: number; readonly victim: Victim } | undefined;
  let free = QUIET_BEFORE;
  for (;;) {
    if (bag.length === 0) bag = random.shuffled([...faults.keys()]);
    const name = bag.shift();
    const fault = name === undefined ? undefined : faults.get(name);
    if (name === undefined || fault === undefined) return steps;
    const lasts = random.between(...fault.seconds);
    const mayOverlap = random.chance(OVERLAP_CHANCE) && last !== undefined && last.victim !== fault.victim;
    const at = mayOverlap && last ? random.between(last.at, last.end) : free;
    const seed = random.seed();
    const gap = random.between(...GAP);
    if (at + lasts > seconds) return steps;
    steps.push({ name, at, lasts, seed });
    // After two at once there is always a pause.
    last = mayOverlap ? undefined : { at, end: at + lasts, victim: fault.victim };
    free = Math.max(free, at + lasts + gap);
  }
}
