/** `npm run loadtest`: one scenario against servers that it starts itself, or against a `--url`. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { choiceIn, countIn, fail, numberIn, type Values, valuesOf } from './options.js';
import type { NodeAddress } from './orders.js';
import { markdownOf } from './report/markdown.js';
import { hotIn } from './report/profile.js';
import { settingOf } from './report/setting.js';
import { isClean } from './rig/measurement.js';
import type { Environment } from './rig/programs.js';
import { Progress } from './rig/progress.js';
import { AOF } from './rig/redis.js';
import { ROOT } from './rig/root.js';
import { environmentOf, play, type Request, SCENARIOS, type ScenarioName } from './rig/scenarios.js';
import { type Running, SKEIN_MAIN, SYSTEMS, type SystemName, startSystem } from './rig/systems.js';

const HELP = `Usage: npm run loadtest -- --scenario NAME [options]

Scenarios:
${Object.entries(SCENARIOS)
  .map(([name, { about }]) => `  ${name.padEnd(11)}${about}`)
  .join('\n')}

Options:
  --users N          users, of each of both sides together
  --inflight N       dm: messages that each user keeps under way (16)
  --rate N           messages a second, all users together, on a fixed schedule (open loop)
  --senders N        room, broadcast: users who write (4)
  --bytes N          bytes of data in a message (100)
  --pending N        storm: messages that wait for each user (20)
  --concurrency N    log-ins under way at a time (64; storm: all)
  --known-users N    others who were here once (0)
  --rooms N          rooms that the users are members of, each of another few (0)
  --log-length N     messages in the log of each pair beforehand (0)
  --seconds N        length of the window that is measured (5)
  --warm-up N        seconds before it (2)
  --workers N        processes that make the load (as many as cores)
  --nodes N          nodes to start (2)
  --aof WHEN         Redis's appendonly file: no, everysec, always (no)
  --embedded         one node, no Redis
  --system NAME      what to start: ${Object.keys(SYSTEMS).join(', ')} (skein)
  --main FILE        another build of Skein to start
  --profile          CPU profile of the first node, summed up in the report
  --url URLS         nodes that run already, as ws://host:port, parted by commas
  --out DIRECTORY    where the reports go (dist-loadtest/reports)
`;

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;
const OPTIONS = {
  ...{ scenario: text, users: text, inflight: text, rate: text, senders: text, bytes: text, pending: text },
  ...{ concurrency: text, seconds: text, 'warm-up': text, workers: text, nodes: text, aof: text, embedded: flag },
  ...{ 'known-users': text, rooms: text, 'log-length': text },
  ...{ system: text, main: text, profile: flag, url: text, out: text, help: flag },
};

function addressesIn(urls: string): readonly NodeAddress[] {
  return urls.split(',').map((url) => {
    const { protocol, hostname, port } = new URL(url);
    if (protocol !== 'ws:' && protocol !== 'http:') throw new Error(`--url: ws://host:port, not ${url}`);
    return { host: hostname, port: Number(port === '' ? 80 : port) };
  });
}

function requestOf(values: Values): Request {
  return {
    users: countIn(values, 'users'),
    inflight: countIn(values, 'inflight'),
    rate: numberIn(values, 'rate'),
    senders: countIn(values, 'senders'),
    bytes: countIn(values, 'bytes') ?? 100,
    pending: values.pending === '0' ? 0 : (countIn(values, 'pending') ?? 20),
    concurrency: countIn(values, 'concurrency'),
    store: {
      known: countIn(values, 'known-users') ?? 0,
      rooms: countIn(values, 'rooms') ?? 0,
      logLength: countIn(values, 'log-length') ?? 0,
    },
  };
}

async function start(values: Values, env: Environment, profile: string | undefined): Promise<Running> {
  const system = choiceIn(values, 'system', Object.keys(SYSTEMS) as SystemName[]) ?? 'skein';
  const spec = SYSTEMS[system];
  if (typeof values.url === 'string') {
    const addresses = addressesIn(values.url);
    return { dialect: spec.dialect, addresses, nodes: [], redis: undefined, stop: async () => undefined };
  }
  return startSystem(
    { ...spec, hasRedis: spec.hasRedis && values.embedded !== true },
    {
      nodes: countIn(values, 'nodes') ?? 2,
      aof: choiceIn(values, 'aof', AOF) ?? 'no',
      main: typeof values.main === 'string' ? values.main : SKEIN_MAIN,
      profile,
      env,
    },
  );
}

async function run(values: Values): Promise<void> {
  const name = choiceIn(values, 'scenario', Object.keys(SCENARIOS) as ScenarioName[]);
  if (values.help === true || name === undefined) return void process.stdout.write(HELP);
  const request = requestOf(values);
  const timing = { seconds: numberIn(values, 'seconds') ?? 5, warmUp: numberIn(values, 'warm-up') ?? 2 };
  const workers = countIn(values, 'workers') ?? availableParallelism();
  const profile = values.profile === true ? mkdtempSync(join(tmpdir(), 'skein-profile-')) : undefined;
  const progress = new Progress();
  progress.begin(name);
  const running = await start(values, environmentOf(SCENARIOS[name], request), profile);
  const measurement = await play(name, running, request, timing, workers, progress).finally(running.stop);
  const report = {
    setting: settingOf('loadtest'),
    title: `${name}: ${SCENARIOS[name].about}`,
    measurement,
    hot: profile === undefined ? [] : hotIn(profile, 40),
  };
  if (profile !== undefined) rmSync(profile, { recursive: true });
  const page = markdownOf(report);
  const out = typeof values.out === 'string' ? values.out : `${ROOT}dist-loadtest/reports`;
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, `${name}.md`), page);
  writeFileSync(join(out, `${name}.json`), `${JSON.stringify(report, plain, 2)}\n`);
  process.stdout.write(`${page}\n${join(out, name)}.md and .json\n`);
  if (!isClean(measurement.faults)) process.exitCode = 1;
}

/** Maps as objects: JSON knows none. */
const plain = (_key: string, value: unknown): unknown => (value instanceof Map ? Object.fromEntries(value) : value);

try {
  await run(valuesOf(OPTIONS));
} catch (error) {
  fail(error);
}
