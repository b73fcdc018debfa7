/** Messages through users who come and go: what a node and Redis hold meanwhile, and what is left of it afterwards. */
import { Redis } from 'ioredis';
import { RedisProgram } from '../rig/redis.js';
import { Crowd } from './crowd.js';
import { type Memory, SoakedNode } from './program.js';

export type Plan = {
  readonly messages: number;
  /** At the same time. */
  readonly people: number;
  /** Messages that each of them sends. */
  readonly life: number;
  readonly samples: number;
};

/** Bytes, and keys of Redis. */
export type Sample = Memory & { readonly messages: number; readonly redis: number; readonly keys: number };

export type Outcome = {
  readonly plan: Plan;
  readonly seconds: number;
  readonly users: number;
  readonly refused: number;
  /** Before anybody came. */
  readonly floor: Sample;
  readonly samples: readonly Sample[];
  /** After everybody had left, and what was kept for them had run out. */
  readonly after: Sample;
  /** Until then, from the last leaving on. */
  readonly ebbSeconds: number;
  readonly complaints: readonly string[];
};

/** Days; 8.6 s. What is kept of a conversation or a device ends within three times this. */
const SHORT = '0.0001';
const ENV = {
  ...{ SKEIN_RETENTION_DAYS: SHORT, SKEIN_PENDING_DAYS: SHORT, SKEIN_DEVICE_DAYS: SHORT, SKEIN_DEDUP_SECONDS: '5' },
  ...{ SKEIN_RETENTION_MESSAGES: '1000', SKEIN_RATE: '1000000', SKEIN_STRANGERS: '100000', SKEIN_LOG_LEVEL: 'info' },
  // What it keeps of the last ten seconds is to be full soon.
  SKEIN_RING_MB: '1',
  ...{ SKEIN_ADDRESS_SOCKETS: '10000', SKEIN_ADDRESS_LOGINS: '10000' },
};
const EBB_MS = 90_000;
const MB = 1_048_576;
/** What a heap after garbage collection may differ by between two thirds of a run, and after it from before. */
const HEAP_NOISE = 4 * MB;
const HEAP_LEFT = 16 * MB;
const REDIS_LEFT = 2 * MB;
/** Room for what there is once: the schema, the epoch, the nodes. */
const KEYS_LEFT = 8;

export async function run(plan: Plan, say: (line: string) => void): Promise<Outcome> {
  const redis = await RedisProgram.start('no');
  const client = new Redis(redis.url);
  const node = await SoakedNode.start({ ...ENV, REDIS_URL: redis.url });
  try {
    return await soak(plan, say, node, client);
  } finally {
    client.disconnect();
    await node.stop();
    await redis.stop();
  }
}

async function soak(plan: Plan, say: (line: string) => void, node: SoakedNode, client: Redis): Promise<Outcome> {
  const crowd = new Crowd(node.port, plan);
  const look = async (): Promise<Sample> => {
    const [memory, info, keys] = await Promise.all([node.memory(), client.info('memory'), client.dbsize()]);
    const sample = { ...memory, messages: crowd.sent, redis: Number(/used_memory:(\d+)/.exec(info)?.[1]), keys };
    say(lineOf(sample));
    return sample;
  };
  const floor = await look();
  const began = performance.now();
  const samples: Sample[] = [];
  let isOver = false;
  const talking = crowd.talks().finally(() => {
    isOver = true;
  });
  while (!isOver) {
    await Promise.race([talking, pause(50)]);
    if (crowd.sent >= ((samples.length + 1) * plan.messages) / plan.samples) samples.push(await look());
  }
  await talking;
  const ended = performance.now();
  let after = await look();
  while (!hasEbbed(floor, after) && performance.now() - ended < EBB_MS) {
    await pause(1_000);
    after = await look();
  }
  return {
    ...{ plan, floor, samples, after, users: crowd.born, refused: crowd.refused },
    seconds: (ended - began) / 1_000,
    ebbSeconds: (performance.now() - ended) / 1_000,
    complaints: complaintsOf(floor, samples, after),
  };
}

const hasEbbed = (floor: Sample, now: Sample): boolean =>
  now.keys <= floor.keys + KEYS_LEFT && now.redis < floor.redis + REDIS_LEFT;

function complaintsOf(floor: Sample, samples: readonly Sample[], after: Sample): readonly string[] {
  const third = Math.floor(samples.length / 3);
  const growth = least(samples.slice(-third)) - least(samples.slice(-2 * third, -third));
  const complaints: string[] = [];
  if (growth > HEAP_NOISE)
    complaints.push(`the heap was never below ${megabytes(growth)} MB above what it had been a third before`);
  if (after.heap > floor.heap + HEAP_LEFT)
    complaints.push(`the heap holds ${megabytes(after.heap)} MB with nobody there`);
  if (!hasEbbed(floor, after)) complaints.push(`Redis keeps ${megabytes(after.redis)} MB in ${after.keys} keys`);
  return complaints;
}

export const megabytes = (bytes: number): string => (bytes / MB).toFixed(1);
/** What is under way at the moment of a look comes and goes; what is kept for good is in all of them. */
const least = (samples: readonly Sample[]): number => Math.min(...samples.map(({ heap }) => heap));
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const lineOf = ({ messages, heap, rss, redis, keys }: Sample): string =>
  `| ${messages} | ${megabytes(heap)} | ${megabytes(rss)} | ${megabytes(redis)} | ${keys} |`;
