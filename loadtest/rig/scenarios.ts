/** The scenarios, and what each does if it is told nothing else. */
import { Flooder } from './flooder.js';
import type { Measurement } from './measurement.js';
import type { Environment } from './programs.js';
import type { Progress } from './progress.js';
import { type Furniture, Stage, type Timing, type Work } from './stage.js';
import type { Running } from './systems.js';

export type Request = {
  readonly users: number | undefined;
  readonly inflight: number | undefined;
  /** Messages a second. */
  readonly rate: number | undefined;
  readonly senders: number | undefined;
  readonly bytes: number;
  /** Messages that wait for each user of a storm. */
  readonly pending: number;
  readonly concurrency: number | undefined;
  readonly store: Furniture;
};

export type Scenario = {
  readonly about: string;
  readonly work: (request: Request) => Work;
  readonly play: (stage: Stage, work: Work, timing: Timing, request: Request) => Promise<Measurement>;
  /** Settings of the nodes that the rig starts. */
  readonly env?: Environment;
};

const CONCURRENCY = 64;
const nothing = (request: Request): Work => ({
  users: request.users ?? 0,
  pollers: 0,
  bytes: request.bytes,
  direct: undefined,
  room: undefined,
  broadcast: undefined,
  concurrency: request.concurrency ?? CONCURRENCY,
  store: request.store,
});

async function flow(stage: Stage, _work: Work, timing: Timing): Promise<Measurement> {
  await stage.connect();
  return stage.window(timing);
}

const fanout = ({ rate, senders }: Request, standard: number) => ({ senders: senders ?? 4, rate: rate ?? standard });

/**
 * Whoever joins a room has every later join of others pending: of 5,000 members twelve million entries. What is measured
 * is the fan-out of messages, so the rooms of a rig keep few entries.
 */
const SHORT_LOGS: Environment = { SKEIN_RETENTION_MESSAGES: '64' };

/** A flooder is one by the limits of a node as it comes. */
const USUAL_RATE: Environment = { SKEIN_RATE: '200' };

export const SCENARIOS = {
  dm: {
    about: 'pairs of users, each on another node than its partner, write to each other',
    work: (request) => ({
      ...nothing(request),
      users: request.users ?? 200,
      direct: request.rate === undefined ? { inflight: request.inflight ?? 16 } : { rate: request.rate },
    }),
    play: flow,
  },
  room: {
    about: 'a few members write to a room of 5,000',
    work: (request) => ({ ...nothing(request), users: request.users ?? 5_000, room: fanout(request, 6) }),
    play: flow,
    env: SHORT_LOGS,
  },
  broadcast: {
    about: 'a few users write to everybody',
    work: (request) => ({ ...nothing(request), users: request.users ?? 5_000, broadcast: fanout(request, 6) }),
    play: flow,
  },
  idle: {
    about: 'users are connected and say nothing: memory a connection, CPU a connection and second',
    work: (request) => ({ ...nothing(request), users: request.users ?? 10_000 }),
    play: async (stage, { users }, timing) => {
      await stage.connect(0, users / 2);
      const grown = await stage.logIns(users / 2, users);
      const rested = await stage.rest(timing);
      return { ...rested, bytesPerConnection: grown.bytesPerConnection };
    },
  },
  login: {
    about: 'users log in, so many at a time; the second half of them is measured',
    work: (request) => ({ ...nothing(request), users: request.users ?? 10_000 }),
    play: async (stage, { users }) => {
      await stage.connect(0, users / 2);
      return stage.logIns(users / 2, users);
    },
  },
  storm: {
    about: 'users come back all at once, each with pending messages',
    work: (request) => ({ ...nothing(request), users: 2 * (request.users ?? 5_000) }),
    play: async (stage, { users }, _timing, { pending, concurrency }) => {
      if (pending > 0) await stage.seed(pending);
      return stage.logIns(0, users, 2, concurrency ?? users);
    },
  },
  flood: {
    about: 'as dm at a rate, while somebody on each node sends as fast as they can, and comes back when thrown out',
    work: (request) => ({
      ...nothing(request),
      users: request.users ?? 200,
      direct: { rate: request.rate ?? 500 },
    }),
    play: async (stage, _work, timing) => {
      await stage.connect();
      const flooders = stage.running.addresses.map((address) => new Flooder(address));
      try {
        return await stage.window(timing);
      } finally {
        for (const flooder of flooders) process.stderr.write(`${flooder.end()}\n`);
      }
    },
    env: USUAL_RATE,
  },
  poll: {
    about: 'pairs of users without a WebSocket write to each other by POST and long poll',
    work: (request) => ({ ...nothing(request), users: 0, pollers: request.users ?? 100 }),
    play: (stage, _work, timing) => stage.window(timing),
  },
  mixed: {
    about: 'direct messages at a rate, a room and broadcasts to all users, and a tenth of them polling',
    work: (request) => {
      const users = request.users ?? 1_000;
      return {
        ...nothing(request),
        users,
        pollers: 2 * Math.floor(users / 20),
        direct: { rate: request.rate ?? 1_000 },
        room: { senders: 4, rate: 2 },
        broadcast: { senders: 2, rate: 0.5 },
      };
    },
    play: flow,
    env: SHORT_LOGS,
  },
} as const satisfies Readonly<Record<string, Scenario>>;
export type ScenarioName = keyof typeof SCENARIOS;

export const NO_FURNITURE: Furniture = { known: 0, rooms: 0, logLength: 0 };

/** Settings without which what a request asks for would not last. */
export const environmentOf = ({ env }: Scenario, { store: { logLength } }: Request): Environment => ({
  ...env,
  ...(logLength > 0 ? { SKEIN_RETENTION_MESSAGES: `${2 * logLength}` } : {}),
});

export async function play(
  name: ScenarioName,
  running: Running,
  request: Request,
  timing: Timing,
  workers: number,
  progress: Progress,
): Promise<Measurement> {
  const scenario: Scenario = SCENARIOS[name];
  const work = scenario.work(request);
  const stage = await Stage.open(running, work, workers, progress);
  try {
    return await scenario.play(stage, work, timing, request);
  } finally {
    await stage.close();
  }
}
