/** Who takes part in a comparison, in what, and how their turns go. */
import type { Measurement } from './measurement.js';
import type { Progress } from './progress.js';
import type { Aof } from './redis.js';
import { NO_FURNITURE, play, type Request, SCENARIOS, type Scenario, type ScenarioName } from './scenarios.js';
import type { Timing } from './stage.js';
import { SYSTEMS, type SystemName, startSystem } from './systems.js';

export type Entrant = {
  readonly system: SystemName;
  readonly aof: Aof;
  readonly title: string;
  readonly isOurs: boolean;
};

const entrant = (system: SystemName, aof: Aof = 'no', more = ''): Entrant => ({
  system,
  aof,
  title: SYSTEMS[system].title + more,
  isOurs: system === 'skein',
});

export const ENTRANTS = {
  skein: entrant('skein', 'no', ', Redis without disk'),
  everysec: entrant('skein', 'everysec', ', AOF everysec'),
  always: entrant('skein', 'always', ', AOF always'),
  socketio: entrant('socketio'),
  'socketio-sharded': entrant('socketio-sharded'),
  tutorial: entrant('tutorial'),
  router: entrant('router'),
  floor: entrant('floor'),
} as const satisfies Readonly<Record<string, Entrant>>;
export type EntrantName = keyof typeof ENTRANTS;

export type Discipline = {
  readonly title: string;
  readonly short: string;
  readonly scenario: ScenarioName;
  readonly request: Request;
  /** The disk plays no part in it, so one Skein is enough. */
  readonly isAlikeOnDisk: boolean;
};

const standard: Request = {
  users: undefined,
  inflight: undefined,
  rate: undefined,
  senders: undefined,
  bytes: 100,
  pending: 0,
  concurrency: undefined,
  store: NO_FURNITURE,
};

export const DISCIPLINES = {
  dm16: {
    title: 'Direct messages, 16 under way a user (200 users)',
    short: 'direct, 16 under way',
    scenario: 'dm',
    request: { ...standard, inflight: 16 },
    isAlikeOnDisk: false,
  },
  dm1: {
    title: 'Direct messages, 1 under way a user (200 users)',
    short: 'direct, 1 under way',
    scenario: 'dm',
    request: { ...standard, inflight: 1 },
    isAlikeOnDisk: false,
  },
  rate: {
    title: 'Direct messages, 2,000 a second in all',
    short: 'direct, at 2,000/s',
    scenario: 'dm',
    request: { ...standard, rate: 2_000 },
    isAlikeOnDisk: false,
  },
  room: {
    title: 'Room of 5,000 members, a delivery',
    short: 'room of 5,000, a delivery',
    scenario: 'room',
    request: { ...standard, rate: 5 },
    isAlikeOnDisk: true,
  },
  login: {
    title: 'Log-in (10,000 users, 64 at a time)',
    short: 'a log-in',
    scenario: 'login',
    request: standard,
    isAlikeOnDisk: true,
  },
} as const satisfies Readonly<Record<string, Discipline>>;
export type DisciplineName = keyof typeof DISCIPLINES;

export type Turn = {
  readonly round: number;
  readonly discipline: DisciplineName;
  readonly entrant: EntrantName;
  readonly measurement: Measurement;
};

export type Contest = {
  readonly rounds: number;
  readonly timing: Timing;
  readonly nodes: number;
  readonly workers: number;
  readonly main: string;
  readonly entrants: readonly EntrantName[];
  readonly disciplines: readonly DisciplineName[];
};

export const takesPart = (entrant: EntrantName, discipline: DisciplineName): boolean =>
  ENTRANTS[entrant].aof === 'no' || !DISCIPLINES[discipline].isAlikeOnDisk;

/** In each round, in each discipline, one entrant after the other; every second round backwards. */
export async function* hold(contest: Contest, progress: Progress): AsyncGenerator<Turn> {
  for (let round = 0; round < contest.rounds; round++) {
    for (const discipline of contest.disciplines) {
      const order = contest.entrants.filter((entrant) => takesPart(entrant, discipline));
      if (round % 2 === 1) order.reverse();
      for (const entrant of order) {
        progress.begin(`round ${round + 1} of ${contest.rounds} · ${DISCIPLINES[discipline].short} · ${entrant}`);
        yield { round, discipline, entrant, measurement: await turn(contest, discipline, entrant, progress) };
      }
    }
  }
}

async function turn(
  { timing, nodes, workers, main }: Contest,
  name: DisciplineName,
  entrant: EntrantName,
  progress: Progress,
): Promise<Measurement> {
  const { system, aof } = ENTRANTS[entrant];
  const { scenario, request } = DISCIPLINES[name];
  const { env = {} }: Scenario = SCENARIOS[scenario];
  const running = await startSystem(SYSTEMS[system], { nodes, aof, main, env: system === 'skein' ? env : {} });
  return play(scenario, running, request, timing, workers, progress).finally(running.stop);
}
