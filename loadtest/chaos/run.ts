/** One run: everything is started, talks, is broken as the schedule says, heals, and is called to account. */
import { pause, until } from '../client/gate.js';
import type { Environment } from '../rig/programs.js';
import { Crowd, type Manners } from './crowd.js';
import type { Scene, Victim } from './faults/fault.js';
import { FAULTS, type FaultName } from './faults/index.js';
import { type Account, Ledger, violationsIn } from './ledger.js';
import { Random } from './random.js';
import { Recoveries, type Recovery } from './recovery.js';
import { type Step, scheduleOf } from './schedule.js';
import { Site } from './site/site.js';
import type { StoreSettings } from './site/store.js';
import { Storm } from './storm.js';

export type Plan = {
  readonly seed: number;
  readonly seconds: number;
  readonly users: number;
  /** Sends a second, of all users together. */
  readonly rate: number;
  readonly faults: readonly FaultName[];
  readonly stormSize: number;
  readonly store: StoreSettings;
  readonly manners: Manners;
  readonly env?: Environment;
};

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

export const isClean = ({ account, casualties }: Outcome): boolean =>
  violationsIn(account).length === 0 && casualties.length === 0;

export type Say = (line: string) => void;

const NODES = 3;
/** Seconds until everything that is due must have come after the last fault. */
const SETTLE_MS = 60_000;
const PROGRESS_MS = 5_000;

export async function run(plan: Plan, say: Say): Promise<Outcome> {
  const random = new Random(plan.seed);
  const faults = new Map(plan.faults.map((name) => [name, FAULTS[name]]));
  const schedule = scheduleOf(faults, plan.seconds, random);
  const hasReplica = plan.faults.some((name) => FAULTS[name].needsReplica === true);
  const site = await Site.start({ nodes: NODES, store: plan.store, hasReplica, ...(plan.env && { env: plan.env }) });
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
  /** The last fault of each victim: one that takes longer than planned holds up the next. */
  private readonly last = new Map<Victim, Promise<void>>();

  constructor(
    private readonly plan: Plan,
    private readonly schedule: readonly Step<FaultName>[],
    private readonly random: Random,
    private readonly site: Site,
    private readonly say: Say,
  ) {
    const parts = { place: site.place, ledger: this.ledger, random: new Random(random.seed()) };
    const crowd = new Crowd(plan.users, parts, plan.manners);
    this.scene = {
      site,
      crowd,
      storm: new Storm(site.place, this.ledger, crowd.postmen, crowd.others, plan.stormSize),
    };
  }

  async play(): Promise<Outcome> {
    const { crowd, storm } = this.scene;
    await crowd.gathers();
    this.began = performance.now();
    this.tell(`${crowd.clients.length} clients are in, behind ${this.site.balancer.kind.name}`);
    crowd.talks(this.plan.rate, new Random(this.random.seed()));
    const progress = setInterval(() => this.tell(this.figures), PROGRESS_MS);
    try {
      await Promise.all(this.schedule.map((step) => this.inTurn(step)));
      await pause(Math.max(0, this.plan.seconds * 1_000 - this.elapsed));
      const settledAfter = await this.settles();
      return this.outcome(settledAfter);
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

  /** Milliseconds until all was answered and delivered, or the time for it was over. */
  private async settles(): Promise<number> {
    this.scene.crowd.hushes();
    this.tell('no more is sent, everything heals');
    const began = performance.now();
    try {
      await this.site.heals();
    } catch (error) {
      this.casualties.push(`${error}`);
    }
    const isSettled = await until(() => this.ledger.isSettled(this.ledger.mark), SETTLE_MS);
    this.tell(isSettled ? 'everything is answered and delivered' : `not everything in ${SETTLE_MS / 1_000} s`);
    return performance.now() - began;
  }

  private outcome(settledAfter: number): Outcome {
    this.recoveries.stop();
    const { plan, schedule, ledger, site } = this;
    const account = ledger.account();
    const memory = site.nodes.map(({ name, isAlive, memoryAtStart, memory: end, starts }) => {
      return { name, start: memoryAtStart, end: isAlive ? end : 0, starts };
    });
    return {
      ...{ plan, schedule, account, memory, settledAfter, recoveries: this.recoveries.all },
      ...{ casualties: [...this.casualties, ...site.casualties], examples: ledger.examples },
      balancer: site.balancer.kind.name,
    };
  }

  private get elapsed(): number {
    return performance.now() - this.began;
  }

  private get figures(): string {
    const { sent, acked, refused, delivered } = this.ledger.counts;
    const [a, b, c, d] = [sent, acked, refused, delivered].map((count) => count.toLocaleString('en-US'));
    return `sent ${a} · acknowledged ${b} · refused ${c} · delivered ${d}`;
  }

  private tell(line: string): void {
    this.say(`${(this.elapsed / 1_000).toFixed(1).padStart(6)} s  ${line}`);
  }
}
