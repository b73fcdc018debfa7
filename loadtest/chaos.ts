/** `npm run chaos`: everything that can die dies, under traffic, and then all is counted. */
import { anySeed, type Code, conduct, keep, say, understood } from './chaos/command.js';
import { CONTROL_NAMES, CONTROLS, type ControlName, controlled, isFoundOut } from './chaos/controls.js';
import { FAULT_NAMES, FAULTS, type FaultName } from './chaos/faults/index.js';
import { pageOf } from './chaos/report.js';
import { BEYOND_MS, isClean, type Plan, run, STANDARD } from './chaos/run.js';
import { choiceIn, countIn, listIn, numberIn, type Values, valuesOf } from './options.js';
import { settingOf } from './report/setting.js';

const lines = (all: Readonly<Record<string, { readonly about: string }>>): string =>
  Object.entries(all)
    .map(([name, { about }]) => `  ${name.padEnd(19)}${about}`)
    .join('\n');

const HELP = `Usage: npm run chaos -- [options]

Starts a Redis, three nodes and a load balancer, lets clients of every kind talk, breaks one thing after the other, and
counts what became of each message. Ends with 0 if nothing was lost, doubled, reordered or left unanswered, with 1 if
something was, and with 2 if it was not told rightly what to do.

Options:
  --minutes N        how long there are faults (2)
  --seed N           the same seed breaks the same things at the same times (random, and printed)
  --users N          users, a quarter on each transport (${STANDARD.users})
  --rate N           messages a second, of all users together (${STANDARD.rate})
  --faults A,B       only these (all but failover, for which a second Redis is started)
  --storm N          clients of a reconnect storm (${STANDARD.stormSize})
  --control NAME     takes a safety away, and ends with 0 only if that is found out
  --out FILE         writes FILE.md and FILE.json

Faults:
${lines(FAULTS)}

Controls:
${lines(CONTROLS)}
`;

const text = { type: 'string' } as const;
const OPTIONS = {
  ...{ minutes: text, seed: text, users: text, rate: text, faults: text, storm: text, out: text, control: text },
  help: { type: 'boolean' },
} as const;

function planOf(values: Values): Plan {
  const users = countIn(values, 'users') ?? STANDARD.users;
  if (users < 16) throw new Error('--users: at least 16');
  const minutes = numberIn(values, 'minutes');
  return {
    ...STANDARD,
    users,
    seed: countIn(values, 'seed') ?? anySeed(),
    seconds: minutes === undefined ? STANDARD.seconds : minutes * 60,
    rate: numberIn(values, 'rate') ?? STANDARD.rate,
    faults: listIn<FaultName>(values, 'faults', FAULT_NAMES) ?? STANDARD.faults,
    stormSize: countIn(values, 'storm') ?? STANDARD.stormSize,
  };
}

const { values, plan, control } = understood(() => {
  const values = valuesOf(OPTIONS);
  return { values, plan: planOf(values), control: choiceIn<ControlName>(values, 'control', CONTROL_NAMES) };
});

async function chaos(): Promise<Code> {
  const altered = control === undefined ? plan : controlled(control, plan.seed);
  if (typeof altered === 'string') {
    say(`${control} is not tried: ${altered}`);
    return 2;
  }
  say(`seed ${plan.seed}`);
  const outcome = await run(altered, say);
  const setting = settingOf('chaos');
  const page = pageOf(outcome, setting);
  say(`\n${page}`);
  if (typeof values.out === 'string') keep(values.out, page, { ...outcome, setting });
  if (control === undefined) return isClean(outcome) ? 0 : 1;
  say(isFoundOut(control, outcome) ? `without it: ${CONTROLS[control].about}: found out` : 'NOT FOUND OUT');
  return isFoundOut(control, outcome) ? 0 : 1;
}

if (values.help === true) process.stdout.write(HELP);
else conduct(chaos(), plan.seconds * 1_000 + BEYOND_MS);
