/** A system and the crowd before it: sets the scene, measures windows, clears up. */
import { monotonicMicros } from '../client/clock.js';
import { pause } from '../client/gate.js';
import { latencyOf } from '../client/latency.js';
import type { Answers, Counts, Direct, Fanout, Faulty, Sample } from '../orders.js';
import { Crew, differenceOf, sumOf } from './crew.js';
import { costOf, type Faults, type Latencies, type Measurement, memoryPerConnection } from './measurement.js';
import type { Progress } from './progress.js';
import { scaled } from './speed.js';
import type { Running } from './systems.js';
import { Watch, type Watched } from './watch.js';

/** What the crowd is to do. */
export type Work = {
  readonly users: number;
  readonly pollers: number;
  readonly bytes: number;
  readonly direct: Direct | undefined;
  readonly room: Fanout | undefined;
  readonly broadcast: Fanout | undefined;
  /** Log-ins under way at a time, all workers together. */
  readonly concurrency: number;
  readonly store: Furniture;
};

/** What the store holds beforehand: what a message costs must not depend on it. */
export type Furniture = {
  /** Users who were here once. */
  readonly known: number;
  /** Rooms that the users are members of, each of another few. */
  readonly rooms: number;
  /** Messages in the log of each pair. */
  readonly logLength: number;
};

export type Timing = { readonly warmUp: number; readonly seconds: number };

const DRAIN_MS = 10_000;
/** Deliveries after which the code of a server is as fast as it gets, and how long to wait for them at most. */
const WARM_DELIVERIES = 10_000;
const WARM_MORE_MS = 10_000;
/** How long the last frames of a window may take once nothing is sent any more. */
const SETTLE_MS = 300;

export class Stage {
  private ready = 0;
  private failed = 0;

  private constructor(
    readonly running: Running,
    private readonly crew: Crew,
    private readonly workers: number,
    private readonly work: Work,
    private readonly progress: Progress,
  ) {}

  static async open(running: Running, work: Work, workers: number, progress: Progress): Promise<Stage> {
    const crew = new Crew(workers);
    const { users, pollers, bytes, direct, room, broadcast } = work;
    await crew.prepare({
      dialect: running.dialect,
      nodes: running.addresses,
      run: `l${Date.now().toString(36).slice(-6)}`,
      epoch: monotonicMicros(),
      ...{ users, pollers, bytes, direct, room, broadcast },
    });
    const stage = new Stage(running, crew, workers, work, progress);
    await stage.furnish(work.store);
    if (room) await stage.join();
    return stage;
  }

  private async furnish({ known, rooms, logLength }: Furniture): Promise<void> {
    if (known + rooms > 0) {
      const order = { do: 'furnish', known, rooms, concurrency: Math.ceil(32 / this.workers) } as const;
      const done = await this.watching('known users and rooms', this.crew.all<'furnish'>(order));
      const failed = done.reduce((sum, each) => sum + each.failed, 0);
      if (failed > 0) throw new Error(`${failed} log-ins or rooms failed`);
    }
    if (logLength > 0) {
      await this.connect();
      await this.watching('logs', this.crew.all<'seed'>({ do: 'seed', messages: Math.ceil(logLength / 2) }));
      await this.leave();
    }
  }

  /** All go; what that leaves to do is done. */
  private async leave(): Promise<void> {
    await this.crew.all<'disconnect'>({ do: 'disconnect' });
    this.ready = 0;
    await pause(SETTLE_MS);
  }

  /** Users from..to (every `step`th) log in. */
  async connect(from = 0, to = this.work.users, step = 1, concurrency = this.work.concurrency): Promise<void> {
    const each = Math.max(1, Math.round(concurrency / this.workers));
    const order = { do: 'connect', from, to, step, concurrency: each } as const;
    const came = await this.watching('log-ins', this.crew.all<'connect'>(order));
    for (const { ready, failed } of came) {
      this.ready += ready;
      this.failed += failed;
    }
  }

  /** Every second user leaves `messages` for its partner, and goes. */
  async seed(messages: number): Promise<void> {
    await this.connect(1, this.work.users, 2);
    await this.watching('pending messages', this.crew.all<'seed'>({ do: 'seed', messages }));
    await this.leave();
  }

  /** Messages flow for a time; what one delivered message costs. */
  async window({ warmUp, seconds }: Timing): Promise<Measurement> {
    await this.crew.all<'start'>({ do: 'start' });
    await this.watching('warming up', this.warmUp(warmUp));
    const before = await this.sample();
    const watch = await Watch.begin(this.running);
    await this.watching('measuring', pause(seconds * 1_000));
    const [after, watched] = await Promise.all([this.sample(), watch.end()]);
    const counts = differenceOf(before.counts, after.counts);
    const faults = await this.finish();
    return this.measured('delivery', counts.delivered, watched, counts, before, after, faults, 0);
  }

  /** Users from..to log in; what one log-in costs, and what memory a connection takes. */
  async logIns(from: number, to: number, step = 1, concurrency = this.work.concurrency): Promise<Measurement> {
    const before = await this.sample();
    const ready = this.ready;
    const watch = await Watch.begin(this.running);
    await this.connect(from, to, step, concurrency);
    const [after, watched] = await Promise.all([this.sample(), watch.end()]);
    const came = this.ready - ready;
    const faults = await this.finish();
    const counts = differenceOf(before.counts, after.counts);
    return this.measured('log-in', came, watched, counts, before, after, faults, came);
  }

  /** Nobody says anything, and what the log-ins left to do is done. */
  async rest({ warmUp, seconds }: Timing): Promise<Measurement> {
    await this.watching('settling', pause(warmUp * 1_000));
    const before = await this.sample();
    const watch = await Watch.begin(this.running);
    await this.watching('resting', pause(seconds * 1_000));
    const [after, watched] = await Promise.all([this.sample(), watch.end()]);
    const units = this.ready * watched.seconds;
    const counts = differenceOf(before.counts, after.counts);
    return this.measured('connection-second', units, watched, counts, before, after, await this.finish(), 0);
  }

  async close(): Promise<void> {
    await this.crew.all<'disconnect'>({ do: 'disconnect' });
    await pause(50);
    this.crew.end();
  }

  private async join(): Promise<void> {
    const order = { do: 'join', concurrency: Math.max(1, Math.round(32 / this.workers)) } as const;
    const joined = await this.watching('joining the room', this.crew.all<'join'>(order));
    const failed = joined.reduce((sum, each) => sum + each.failed, 0);
    if (failed > 0) throw new Error(`${failed} users could not join the room`);
  }

  /** A time, and longer on a machine that is so busy that hardly any code is compiled by then. */
  private async warmUp(seconds: number): Promise<void> {
    const end = performance.now() + seconds * 1_000 + WARM_MORE_MS;
    await pause(seconds * 1_000);
    while ((await this.crew.counts()).delivered < WARM_DELIVERIES && performance.now() < end) await pause(100);
  }

  /** Stops the flow, lets what is under way arrive, and asks what went wrong. */
  private async finish(): Promise<Faults> {
    const finals = totalsOf(await this.crew.all<'stop'>({ do: 'stop' }));
    let last = await this.crew.counts();
    let still = 0;
    const end = performance.now() + DRAIN_MS;
    while (still < SETTLE_MS && performance.now() < end) {
      await pause(50);
      const now = await this.crew.counts();
      still = now.delivered === last.delivered && now.acked === last.acked ? still + 50 : 0;
      last = now;
    }
    const found = await this.crew.all<'finish'>({ do: 'finish', finals });
    return faultsOf(found, last, this.failed);
  }

  private async sample(): Promise<Merged> {
    const samples = await this.crew.all<'sample'>({ do: 'sample', reset: true });
    return {
      counts: sumOf(samples.map(({ counts }) => counts)),
      cpu: samples.reduce((sum, { cpu }) => sum + cpu, 0),
      latencies: latenciesOf(samples),
    };
  }

  private measured(
    unit: Measurement['unit'],
    units: number,
    watched: Watched,
    counts: Counts,
    before: Merged,
    after: Merged,
    faults: Faults,
    newcomers: number,
  ): Measurement {
    return {
      unit,
      units,
      cost: costOf(watched, units),
      ownCost: scaled(((after.cpu - before.cpu) * 1_000_000) / Math.max(1, units), watched.speed),
      watched,
      counts,
      latencies: after.latencies,
      faults,
      connections: this.ready,
      bytesPerConnection: memoryPerConnection(watched, newcomers),
    };
  }

  private watching<T>(what: string, work: Promise<T>): Promise<T> {
    return this.progress.during(what, () => this.crew.counts(), work);
  }
}

type Merged = { readonly counts: Counts; readonly cpu: number; readonly latencies: Latencies };

function latenciesOf(samples: readonly Sample[]): Latencies {
  const of = (name: keyof Sample['histograms']) => latencyOf(samples.map(({ histograms }) => histograms[name]));
  return { delivery: of('delivery'), ack: of('ack'), lateness: of('lateness'), login: of('login') };
}

function totalsOf(stopped: readonly Answers['stop'][]): number[] {
  const totals: number[] = [];
  for (const finals of stopped)
    for (const [channel, n] of finals.entries()) totals[channel] = (totals[channel] ?? 0) + n;
  return totals;
}

function faultsOf(found: readonly Faulty[], { broken, refused }: Counts, failed: number): Faults {
  const reasons: Record<string, number> = {};
  const total = { lost: 0, doubled: 0, outOfOrder: 0, badAcks: 0 };
  for (const each of found) {
    for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += each[name];
    for (const [why, n] of Object.entries(each.reasons)) reasons[why] = (reasons[why] ?? 0) + n;
  }
  return { ...total, broken: Math.max(broken, failed), refused, reasons };
}
