/** The long profile: ten minutes of everything, then what is hard one by one, then the controls. */
import { CONTROL_NAMES, CONTROLS, type ControlName, controlled, isFoundOut } from './controls.js';
import type { Random } from './random.js';
import { verdictOf } from './report.js';
import { isClean, type Outcome, type Plan, run, type Say, STANDARD } from './run.js';
import { DURABLE } from './site/store.js';
import { slowDisk } from './slow-disk.js';

export type Round = { readonly name: string; readonly about: string; readonly outcome: Outcome };

export type Controlled = {
  readonly name: ControlName;
  /** The last run's. Or why it could not be tried. */
  readonly outcome: Outcome | string;
  /** Runs that it took. */
  readonly tries: number;
};

/** A control that is over in seconds may miss the moment that it waits for. */
const TRIES = 3;

type Special = { readonly name: string; readonly about: string; plan(): Partial<Plan> | string };

const SLOW_SYNC_MS = 20;

const ROUNDS: readonly Special[] = [
  { name: 'chaos', about: 'everything at random', plan: () => ({ seconds: 600 }) },
  {
    name: 'failover',
    about: 'replica and primary change places',
    plan: () => ({
      seconds: 120,
      faults: ['failover', 'cut-links', 'drop-clients', 'leave-and-return', 'slow-readers'],
    }),
  },
  {
    name: 'out of memory',
    about: 'Redis is full, again and again',
    plan: () => ({ seconds: 60, faults: ['full-redis'] }),
  },
  {
    name: 'storm',
    about: '2,000 clients come back at once, again and again',
    plan: () => ({ seconds: 60, faults: ['storm'] }),
  },
  {
    name: 'slow disk',
    about: `Redis is killed while each sync takes ${SLOW_SYNC_MS} ms`,
    plan() {
      const preload = slowDisk(SLOW_SYNC_MS);
      if (preload === undefined) return 'no C compiler here to make a disk slow with';
      return { seconds: 60, faults: ['kill-redis'], store: { ...DURABLE, preload } };
    },
  },
];

export async function playRounds(random: Random, say: Say): Promise<readonly Round[]> {
  const rounds: Round[] = [];
  for (const { name, about, plan } of ROUNDS) {
    const special = plan();
    say(`\n${name}: ${typeof special === 'string' ? `left out: ${special}` : about}`);
    if (typeof special === 'string') continue;
    const outcome = await run({ ...STANDARD, ...special, seed: random.seed() }, say);
    rounds.push({ name, about, outcome });
    say(`${name}: ${verdictOf(outcome)}`);
  }
  return rounds;
}

export async function playControls(random: Random, say: Say): Promise<readonly Controlled[]> {
  const all: Controlled[] = [];
  for (const name of CONTROL_NAMES) {
    say(`\ncontrol ${name}: ${CONTROLS[name].about}`);
    const control = await playControl(name, random, say);
    all.push(control);
    if (typeof control.outcome === 'string') say(`left out: ${control.outcome}`);
    else say(`control ${name}: ${isFoundOut(name, control.outcome) ? 'found out' : 'NOT FOUND OUT'}`);
  }
  return all;
}

async function playControl(name: ControlName, random: Random, say: Say): Promise<Controlled> {
  for (let tries = 1; ; tries++) {
    const plan = controlled(name, random.seed());
    const outcome = typeof plan === 'string' ? plan : await run(plan, say);
    if (typeof outcome === 'string' || isFoundOut(name, outcome) || tries === TRIES) return { name, outcome, tries };
  }
}

export const isProven = (rounds: readonly Round[], controls: readonly Controlled[]): boolean =>
  rounds.every(({ outcome }) => isClean(outcome)) &&
  controls.every(({ name, outcome }) => typeof outcome === 'string' || isFoundOut(name, outcome));
