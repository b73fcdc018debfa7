/** One run: everything is started, talks, is broken as the schedule says, heals, and is called to account. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { pause, until } from '../client/gate.js';
import type { Environment } from '../rig/programs.js';
import { Crowd } from './crowd.js';
import type { Scene, Victim } from './faults/fault.js';
import { FAULT_NAMES, FAULTS, type FaultName } from './faults/index.js';
import { type Account, Ledger, violationsIn } from './ledger.js';
import { Random } from './random.js';
import { Recoveries, type Recovery } from './recovery.js';
import { type Step, scheduleOf } from './schedule.js';
import { Site } from './site/site.js';
import { DURABLE, type StoreSettings } from './site/store.js';
import { Storm } from './storm.js';
import type { Patch } from './unsafe/patch.js';

export type Plan = {
  readonly seed: number;
  readonly seconds: number;
  readonly users: number;
  /** Sends a second, of all users together. */
  readonly rate: number;
  readonly faults: readonly FaultName[];
  readonly stormSize: number;
  /** Milliseconds in which everything that is due must come after the last fault, and after whatever came last. */
  readonly settleMs: number;
  readonly quietMs: number;
  readonly store: StoreSettings;
  readonly env?: Environment;
  /** What is taken out of the nodes' code. */
  readonly patches?: readonly Patch[];
};

/** What `npm run chaos` does where it is not told otherwise. */
export const STANDARD: Omit<Plan, 'seed'> = {
  ...{ seconds: 120, users: 60, rate: 200, stormSize: 2_000, settleMs: 300_000, quietMs: 60_000, store: DURABLE },
  faults: FAULT_NAMES.filter((name) => FAULTS[name].needsReplica !== true),
};
/** All that a run may take beyond its faults: starting, settling, and faults that take longer than planned. */
export const BEYOND_MS = 600_000;

export type Memory = { readonly name: string; readonly start: number; readonly end: number; readonly starts: number };

export type Outcome = {
  readonly plan: Plan;
  readonly schedule: readonly Step<FaultName>[];
  readonly account: Account;
  readonly recoveries: readonly Recovery[];
  readonly memory: readonly Memory[];
  /** Programs that ended though nobody had killed them, and whatever else went wrong with the run itself. */
  readonly casualties: readonly string[];
  readonly examples: readonly string[];
  /** From the end of the last fault until everything was answered and delivered. */
  readonly settledAfter: number;
  readonly balancer: string;
};

type Settled = Pick<Outcome, 'account' | 'examples' | 'settledAfter'>;

export const isClean = ({ account, casualties }: Outcome): boolean =>
  violationsIn(account).length === 0 && casualties.length === 0;

export type Say = (line: string) => void;

const NODES = 3;
const PROGRESS_MS = 5_000;
/** What is worth a word. */
const LATE_MS = 250;

export async function run(plan: Plan, say: Say): Promise<Outcome> {
  const random = new Random(plan.seed);
  const faults = new Map(plan.faults.map((name) => [name, FAULTS[name]]));
  const schedule = scheduleOf(faults, plan.seconds, random);
  const hasReplica = plan.faults.some((name) => FAULTS[name].needsReplica === true);
  const { store, env = {}, patches = [] } = plan;
  const site = await Site.start({ nodes: NODES, store, hasReplica, env, patches });
  try {
    return await new Run(plan, schedule, random, site, say).play();
  } finally {
    await site.stops();
  }
}

class Run {
  private readonly ledger = new Ledger();
  private readonly recoveries = new Recoveries(this.ledger);
  private readonly scene: Scene;
  private readonly casualties: string[] = [];
  private began = performance.now();
  private lasting = 0;
  /** How much had come at the last look, and since when it is no more. */
  private news = { came: 0, at: 0 };
  /** This process is all the clients: when it is late, all of them are. */
  private readonly lateness = monitorEventLoopDelay({ resolution: 10 });
  /** The last fault of each victim: one that takes longer than planned holds up the next. */
  private readonly last = new Map<Victim, Promise<void>>();

  constructor(
    private readonly plan: Plan,
    private readonly schedule: readonly Step<FaultName>[],
    private readonly random: Random,
    private readonly site: Site,
    private readonly say: Say,
  ) {
    const parts = { ledger: this.ledger, random: new Random(random.seed()) };
    const crowd = new Crowd(plan.users, { ...parts, place: site.place }, { ...parts, place: site.farAway });
    const storm = new Storm(site.place, this.ledger, crowd.postmen, crowd.others, plan.stormSize);
    this.scene = { site, crowd, storm, isCalm: () => this.lasting <= 1 && this.recoveries.areOver };
  }

  async play(): Promise<Outcome> {
    const { crowd, storm } = this.scene;
    await crowd.gathers();
    this.began = performance.now();
    this.lateness.enable();
    this.tell(`${crowd.clients.length} clients are in, behind ${this.site.balancer.kind.name}`);
    crowd.talks(this.plan.rate, new Random(this.random.seed()), () => storm.present);
    const progress = setInterval(() => this.tell(this.figures), PROGRESS_MS);
    try {
      await Promise.all(this.schedule.map((step) => this.inTurn(step)));
      await pause(Math.max(0, this.plan.seconds * 1_000 - this.elapsed));
      return this.outcome(await this.settles());
    } finally {
      clearInterval(progress);
      this.recoveries.stop();
      storm.ends();
      await crowd.stops();
    }
  }

  private inTurn(step: Step<FaultName>): Promise<void> {
    const { victim } = FAULTS[step.name];
    const before = this.last.get(victim);
    const turn = pause(step.at * 1_000 - this.elapsed)
      .then(() => before)
      .then(() => this.perform(step));
    this.last.set(victim, turn);
    return turn;
  }

  private async perform({ name, lasts, seed }: Step<FaultName>): Promise<void> {
    const injury = FAULTS[name].prepare(this.scene, new Random(seed));
    this.tell(`${name}: ${injury.what}`);
    this.recoveries.begins();
    this.lasting++;
    try {
      await injury.inflict(lasts * 1_000);
      this.tell(`${name}: undone`);
    } catch (error) {
      this.tell(`${name}: ${error}`);
      this.casualties.push(`${name}: ${error}`);
    }
    this.lasting--;
    this.recoveries.ends(name, this.lasting > 0);
  }

  /** What had become of everything when all was answered and delivered, or when the time for it was over. */
  private async settles(): Promise<Settled> {
    const { settleMs } = this.plan;
    this.scene.crowd.hushes();
    this.tell('no more is sent, everything heals');
    const began = performance.now();
    const healing = this.site.heals().catch((error: unknown) => void this.casualties.push(`${error}`));
    await until(() => this.ledger.isSettled(this.ledger.mark) || this.isQuiet(), settleMs);
    const waited = `${Math.round((performance.now() - began) / 1_000)} s`;
    const isSettled = this.ledger.isSettled(this.ledger.mark);
    this.tell(isSettled ? 'everything is answered and delivered' : `not everything in ${waited}`);
    const { examples } = this.ledger;
    const settled = { account: this.ledger.account(), examples, settledAfter: performance.now() - began };
    await healing;
    return settled;
  }

  private isQuiet(): boolean {
    const { acked, refused, delivered } = this.ledger.counts;
    const came = acked + refused + delivered;
    const now = performance.now();
    if (came !== this.news.came) this.news = { came, at: now };
    return now - this.news.at > this.plan.quietMs;
  }

  private outcome(settled: Settled): Outcome {
    this.recoveries.stop();
    const { plan, schedule, site } = this;
    const memory = site.nodes.map(({ name, memoryAtStart, memory: end, starts }) => {
      return { name, start: memoryAtStart, end, starts };
    });
    return {
      ...settled,
      ...{ plan, schedule, memory, recoveries: this.recoveries.all },
      casualties: [...this.casualties, ...site.casualties],
      balancer: site.balancer.kind.name,
    };
  }

  private get elapsed(): number {
    return performance.now() - this.began;
  }

  private get figures(): string {
    const { sent, acked, refused, delivered } = this.ledger.counts;
    const [a, b, c, d] = [sent, acked, refused, delivered].map((count) => count.toLocaleString('en-US'));
    const late = this.lateness.max / 1e6;
    this.lateness.reset();
    const excuse = late < LATE_MS ? '' : ` · this process was late by ${Math.round(late)} ms`;
    return `sent ${a} · acknowledged ${b} · refused ${c} · delivered ${d}${excuse}`;
  }

  private tell(line: string): void {
    this.say(`${(this.elapsed / 1_000).toFixed(1).padStart(6)} s  ${line}`);
  }
}
