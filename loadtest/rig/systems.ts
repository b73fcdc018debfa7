/** The servers that can be measured, each started fresh, with a Redis of its own where it has one. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { DialectName } from '../dialects/index.js';
import type { NodeAddress } from '../orders.js';
import { type Environment, freePort, Program } from './programs.js';
import { type Aof, RedisProgram } from './redis.js';
import { ROOT } from './root.js';

export type SystemSpec = {
  /** What a table calls it. */
  readonly title: string;
  readonly promises: string;
  readonly dialect: DialectName;
  /** `skein`, or a file of loadtest/peers. */
  readonly program: string;
  readonly hasRedis: boolean;
  readonly env?: Environment;
};

const STORED = 'stored, ordered, deduplicated, acknowledged';
const skeinOn = (title: string): SystemSpec => ({
  title,
  promises: STORED,
  dialect: 'skein',
  program: 'skein',
  hasRedis: true,
});

export const SYSTEMS = {
  skein: skeinOn('Skein'),
  socketio: {
    title: 'Socket.IO, classic Redis adapter',
    promises: 'nothing',
    dialect: 'socketio',
    program: 'socketio',
    hasRedis: true,
  },
  'socketio-sharded': {
    title: 'Socket.IO, sharded Redis adapter',
    promises: 'nothing',
    dialect: 'socketio',
    program: 'socketio',
    hasRedis: true,
    env: { ADAPTER: 'sharded' },
  },
  router: {
    title: 'bare uWS + ioredis router',
    promises: 'nothing',
    dialect: 'plain',
    program: 'router',
    hasRedis: true,
  },
  tutorial: {
    title: 'ws + ioredis, one channel for all',
    promises: 'nothing',
    dialect: 'plain',
    program: 'tutorial',
    hasRedis: true,
  },
  floor: {
    title: 'bare uWS, one process, no Redis',
    promises: 'nothing: the floor',
    dialect: 'plain',
    program: 'router',
    hasRedis: false,
  },
} as const satisfies Readonly<Record<string, SystemSpec>>;
export type SystemName = keyof typeof SYSTEMS;

export type SystemOptions = {
  readonly nodes: number;
  readonly aof: Aof;
  /** Skein's compiled main file. */
  readonly main: string;
  readonly env?: Environment;
  /** Directory for a CPU profile of the first node. */
  readonly profile?: string | undefined;
};

/** A server that runs: `programs` are all that do its work. */
export type Running = {
  readonly dialect: DialectName;
  readonly addresses: readonly NodeAddress[];
  readonly nodes: readonly Program[];
  readonly redis: RedisProgram | undefined;
  readonly stop: () => Promise<void>;
};

const HOST = '127.0.0.1';
export const SKEIN_MAIN = `${ROOT}dist/main.js`;

/** Skein as one node on its embedded backend is `hasRedis: false`. */
export async function startSystem(spec: SystemSpec, options: SystemOptions): Promise<Running> {
  if (spec.program === 'skein') build(options.main);
  const redis = spec.hasRedis ? await RedisProgram.start(options.aof) : undefined;
  const count = spec.hasRedis ? options.nodes : 1;
  const nodes = await Promise.all(
    Array.from({ length: count }, (_, at) =>
      spec.program === 'skein'
        ? startSkein(at, redis?.url, options)
        : startPeer(spec, at, redis?.url, at === 0 ? options.profile : undefined),
    ),
  );
  return {
    dialect: spec.dialect,
    addresses: nodes.map(({ port }) => ({ host: HOST, port })),
    nodes: nodes.map(({ program }) => program),
    redis,
    stop: async () => {
      await Promise.all(nodes.map(({ program }) => program.stop()));
      await redis?.stop();
    },
  };
}

type Started = { readonly program: Program; readonly port: number };

async function startSkein(at: number, redisUrl: string | undefined, options: SystemOptions): Promise<Started> {
  const port = await freePort();
  const flags = at === 0 && options.profile ? ['--cpu-prof', '--cpu-prof-dir', options.profile] : [];
  const program = Program.start(`skein ${at + 1}`, process.execPath, [...flags, options.main], {
    SKEIN_PORT: `${port}`,
    SKEIN_METRICS_PORT: '0',
    SKEIN_RATE: '1000000',
    SKEIN_LOG_LEVEL: 'warn',
    SKEIN_NODE_ID: `load${at + 1}`,
    SKEIN_DRAIN_SECONDS: '1',
    ...(redisUrl === undefined ? {} : { REDIS_URL: redisUrl }),
    ...options.env,
  });
  await program.until(async () => ((await isReady(port)) ? true : undefined));
  return { program, port };
}

async function startPeer(
  { program: name, env }: SystemSpec,
  at: number,
  redisUrl: string | undefined,
  profile: string | undefined,
): Promise<Started> {
  const file = `${ROOT}dist-loadtest/peers/${name}.js`;
  const flags = profile ? ['--cpu-prof', '--cpu-prof-dir', profile] : [];
  const program = Program.start(`${name} ${at + 1}`, process.execPath, [...flags, file], {
    NODE_NAME: `n${at + 1}`,
    NODE_ENV: 'production',
    ...(redisUrl === undefined ? {} : { REDIS_URL: redisUrl }),
    ...env,
  });
  const [, port] = await program.printed(/^listening (\d+)$/);
  return { program, port: Number(port) };
}

async function isReady(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://${HOST}:${port}/readyz`)).ok;
  } catch (error) {
    // Nobody listens yet. A program that ended is noticed by whoever waits.
    return !(error instanceof Error);
  }
}

function build(main: string): void {
  if (existsSync(main)) return;
  const { status } = spawnSync('npm', ['run', 'build', '--silent'], { cwd: ROOT, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error('npm run build failed');
}
