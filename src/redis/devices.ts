/** Devices, their cursors, and what they find when they arrive. */
import type {
  Arrival,
  ConnId,
  Devices,
  Mark,
  MarkOutcome,
  Reader,
  Receipt,
  Standing,
  Unavailable,
} from '../chat/ports.js';
import { ALL, type Conv, type ErrorCode, type Uid } from '../protocol/index.js';
import { Batches } from './batches.js';
import type { Argument } from './scripts.js';
import type { Store } from './store.js';

/** Polls of a device whose answers are remembered. */
const POLLS = 32;
/** Marks, or connections, of one script call. */
const BATCH = 200;
/** Connections that come, or go, by one script call; it blocks Redis for some 20 µs each. */
const CROWD = 64;
/** Milliseconds in which those who come, or go, gather: a script call of its own costs each as much as all the rest. */
const GATHER_MS = 2;

type Flat = readonly (string | number)[];
type Arrived = readonly [pending: Flat, feeds: Flat, receipts: Flat, blocks: readonly Uid[], looked: number];
type Coming = { readonly reader: Reader; readonly conn: ConnId };
type Going = { readonly uid: Uid; readonly conn: ConnId };

export class RedisDevices implements Devices {
  readonly #store: Store;
  readonly #coming = new Batches<Coming, Arrival>(CROWD, (coming) => this.#enter(coming), GATHER_MS);
  readonly #going = new Batches<Going, void>(CROWD, (going) => this.#leave(going), GATHER_MS);

  constructor(store: Store) {
    this.#store = store;
  }

  enter(reader: Reader, conn: ConnId): Promise<Arrival> {
    return this.#coming.add({ reader, conn });
  }

  leave(uid: Uid, conn: ConnId): Promise<void> {
    return this.#going.add({ uid, conn });
  }

  /** Resolves when everybody who was to leave has left, or could not. */
  settled(): Promise<void> {
    return this.#going.settled();
  }

  async #enter(coming: readonly Coming[]): Promise<readonly (Arrival | Unavailable)[]> {
    const { node, limits } = this.#store;
    const all = coming.map(({ reader: { uid, device }, conn }) => `${uid}\t${device}\t${conn}\n`).join('');
    const reply = await this.#store.run('enter', [node, limits.devices, limits.deviceMs, all]);
    const [ts, head, ...arrivals] = reply as [number, number, ...(Arrived | number | string)[]];
    return arrivals.map((arrived) => {
      if (typeof arrived === 'string') return this.#store.broken('enter', arrived);
      return typeof arrived === 'number' ? emptyHanded(ts, arrived, head) : arrivalOf(ts, arrived);
    });
  }

  async #leave(going: readonly Going[]): Promise<readonly (undefined | Unavailable)[]> {
    const { node, limits } = this.#store;
    const all = going.map(({ uid, conn }) => `${uid}\t${conn}\n`).join('');
    const reply = (await this.#store.run('leave', [node, limits.deviceMs, all])) as (number | string)[];
    return reply.map((answer) => (typeof answer === 'string' ? this.#store.broken('leave', answer) : undefined));
  }

  async assert(conns: readonly { readonly uid: Uid; readonly conn: ConnId }[]): Promise<void> {
    for (let i = 0; i < conns.length; i += BATCH) {
      const some = conns.slice(i, i + BATCH).flatMap(({ uid, conn }) => [uid, conn]);
      await this.#store.run('assert', [this.#store.node, ...some]);
    }
  }

  async pending({ uid, device }: Reader, since: number): Promise<Pick<Arrival, 'pending' | 'feeds' | 'ts' | 'looked'>> {
    const { limits } = this.#store;
    const reply = await this.#store.run('pending', [uid, device, since, limits.devices, limits.deviceMs]);
    const [ts, pending, feeds, looked] = reply as [number, Flat, Flat, number];
    return { ts, pending: standingsOf(pending), feeds: standingsOf(feeds), looked };
  }

  async mark(marks: readonly Mark[]): Promise<readonly MarkOutcome[]> {
    const outcomes: MarkOutcome[] = [];
    for (let i = 0; i < marks.length; i += BATCH) outcomes.push(...(await this.#markSome(marks.slice(i, i + BATCH))));
    return outcomes;
  }

  async #markSome(marks: readonly Mark[]): Promise<readonly MarkOutcome[]> {
    const { node, limits } = this.#store;
    const reply = await this.#store.run('mark', [node, limits.deviceMs, 0, ...argumentsOf(marks)]);
    const [sent, unheard, ...answers] = reply as [number, number, ...(number | string)[]];
    this.#store.countForwards(sent, unheard);
    let at = 0;
    const outcomes = marks.map(({ uid, conv }) => {
      const answer = answers[at++];
      if (typeof answer === 'string') return { refused: answer as ErrorCode };
      if (answer !== 1) return {};
      const [delivered, read] = [answers[at++] as number, answers[at++] as number];
      return { receipt: receiptOf(conv, uid, delivered, read) };
    });
    this.#store.ring.marked(marks, outcomes);
    return outcomes;
  }

  async savePoll({ uid, device }: Reader, held: readonly (readonly [Conv, number])[]): Promise<number> {
    const args = [uid, device, JSON.stringify(held), POLLS, this.#store.limits.deviceMs];
    return (await this.#store.run('poll', args)) as number;
  }

  async openPoll({ uid, device }: Reader, poll: number): Promise<readonly (readonly [Conv, number])[] | undefined> {
    const key = this.#store.keys.polls(uid, device);
    const held = await this.#store.commands.call('poll', (client) => client.hget(key, String(poll)));
    return held === null ? undefined : (JSON.parse(held) as [Conv, number][]);
  }
}

/** Marks as mark.lua takes them. */
export const argumentsOf = (marks: readonly Mark[]): Argument[] =>
  marks.flatMap(({ uid, conv, device, delivered, read, silent, announce }) => [
    uid,
    conv,
    device ?? '',
    delivered ?? '',
    read ?? '',
    silent ? 1 : 0,
    announce ? 1 : 0,
  ]);

const NOTHING: readonly never[] = [];
/** Nothing is there for the user but what is for all. */
const emptyHanded = (ts: number, cursor: number, head: number): Arrival => ({
  ts,
  pending: NOTHING,
  feeds: [{ conv: ALL, cursor, head }],
  receipts: NOTHING,
  blocks: NOTHING,
  looked: 0,
});

const arrivalOf = (ts: number, [pending, feeds, receipts, blocks, looked]: Arrived): Arrival => ({
  ts,
  pending: standingsOf(pending),
  feeds: standingsOf(feeds),
  receipts: inGroups(receipts, 4, ([conv, whose, delivered, read]) =>
    receiptOf(conv as Conv, whose as Uid, delivered as number, read as number),
  ),
  blocks,
  looked,
});

const receiptOf = (conv: Conv, uid: Uid, delivered: number, read: number): Receipt => ({ conv, uid, delivered, read });

function standingsOf(flat: Flat): readonly Standing[] {
  return inGroups(flat, 3, ([conv, cursor, head]) => ({
    conv: conv as Conv,
    cursor: cursor as number,
    head: head as number,
  }));
}

function inGroups<T>(flat: Flat, size: number, read: (group: Flat) => T): readonly T[] {
  const groups: T[] = [];
  for (let i = 0; i < flat.length; i += size) groups.push(read(flat.slice(i, i + size)));
  return groups;
}
