/** `npm run chaos`: everything that can die dies, under traffic, and then all is counted. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { FAULT_NAMES, FAULTS, type FaultName } from './chaos/faults/index.js';
import { pageOf } from './chaos/report.js';
import { isClean, type Plan, run } from './chaos/run.js';
import { LoadBalancer } from './chaos/site/balancer.js';
import { DURABLE } from './chaos/site/store.js';
import { countIn, listIn, numberIn, type Values, valuesOf } from './options.js';
import { settingOf } from './report/setting.js';

const HELP = `Usage: npm run chaos -- [options]

Starts a Redis, three nodes and a load balancer, lets clients of every kind talk, breaks one thing after the other, and
counts what became of each message. Ends with 0 if nothing was lost, doubled, reordered or left unanswered, with 1 if
something was, and with 2 if it was not told rightly what to do.

Options:
  --minutes N        how long there are faults (2)
  --seed N           the same seed breaks the same things at the same times (random, and printed)
  --users N          users, a quarter on each transport (60)
  --rate N           messages a second, of all users together (200)
  --faults A,B       only these (all but those that need a replica)
  --storm N          clients of a reconnect storm (2000)
  --out FILE         writes FILE.md and FILE.json

Faults:
${FAULT_NAMES.map((name) => `  ${name.padEnd(19)}${FAULTS[name].about}`).join('\n')}
`;

const text = { type: 'string' } as const;
const OPTIONS = {
  ...{ minutes: text, seed: text, users: text, rate: text, faults: text, storm: text, out: text },
  help: { type: 'boolean' },
} as const;

/** All that a run may take beyond its faults: starting, settling, and a fault that takes longer than planned. */
const BEYOND_MS = 180_000;
const USERS_LEAST = 16;

function planOf(values: Values): Plan {
  const users = countIn(values, 'users') ?? 60;
  if (users < USERS_LEAST) throw new Error(`--users: at least ${USERS_LEAST}`);
  return {
    seed: countIn(values, 'seed') ?? Math.ceil(Math.random() * 1_000_000_000),
    seconds: (numberIn(values, 'minutes') ?? 2) * 60,
    users,
    rate: numberIn(values, 'rate') ?? 200,
    faults:
      listIn<FaultName>(values, 'faults', FAULT_NAMES) ?? FAULT_NAMES.filter((name) => !FAULTS[name].needsReplica),
    stormSize: countIn(values, 'storm') ?? 2_000,
    store: DURABLE,
    manners: { losesPolls: 0.05 },
  };
}

function understood(): { readonly values: Values; readonly plan: Plan } {
  try {
    const values = valuesOf(OPTIONS);
    LoadBalancer.kind();
    return { values, plan: planOf(values) };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exit(2);
  }
}

async function main(): Promise<number> {
  const { values, plan } = understood();
  if (values.help === true) {
    process.stdout.write(HELP);
    return 0;
  }
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  say(`seed ${plan.seed}`);
  setTimeout(
    () => {
      process.stderr.write('the run does not come to an end\n');
      process.exit(1);
    },
    plan.seconds * 1_000 + BEYOND_MS,
  ).unref();
  const outcome = await run(plan, say);
  const page = pageOf(outcome, settingOf('chaos'));
  say(`\n${page}`);
  if (typeof values.out === 'string') {
    mkdirSync(dirname(values.out), { recursive: true });
    writeFileSync(`${values.out}.md`, page);
    writeFileSync(
      `${values.out}.json`,
      `${JSON.stringify({ ...outcome, setting: settingOf('chaos') }, undefined, 2)}\n`,
    );
  }
  return isClean(outcome) ? 0 : 1;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
    // What was started ends with this process, whatever state it is in.
    process.exit(1);
  },
);
