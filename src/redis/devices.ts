/** Devices, their cursors, and what they find when they arrive. */
import type { Arrival, ConnId, Devices, Mark, MarkOutcome, Reader, Receipt, Standing } from '../chat/ports.js';
import type { Conv, ErrorCode, Uid } from '../protocol/index.js';
import type { Store } from './store.js';

/** Polls of a device whose answers are remembered. */
const POLLS = 32;
/** Marks, or connections, of one script call. */
const BATCH = 200;

type Flat = readonly (string | number)[];

export class RedisDevices implements Devices {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async enter({ uid, device }: Reader, conn: ConnId): Promise<Arrival> {
    const { node, limits } = this.#store;
    const reply = await this.#store.run('enter', [uid, device, conn, node, limits.devices, limits.deviceMs]);
    const [ts, pending, feeds, receipts, blocks] = reply as [number, Flat, Flat, Flat, Uid[]];
    return {
      ts,
      pending: standingsOf(pending),
      feeds: standingsOf(feeds),
      receipts: inGroups(receipts, 4, ([conv, whose, delivered, read]) =>
        receiptOf(conv as Conv, whose as Uid, delivered as number, read as number),
      ),
      blocks,
    };
  }

  async leave(uid: Uid, conn: ConnId): Promise<void> {
    await this.#store.run('leave', [uid, conn, this.#store.limits.deviceMs]);
  }

  async assert(conns: readonly { readonly uid: Uid; readonly conn: ConnId }[]): Promise<void> {
    for (let i = 0; i < conns.length; i += BATCH) {
      const some = conns.slice(i, i + BATCH).flatMap(({ uid, conn }) => [uid, conn]);
      await this.#store.run('assert', [this.#store.node, ...some]);
    }
  }

  async pending({ uid, device }: Reader, since: number): Promise<Pick<Arrival, 'pending' | 'feeds' | 'ts'>> {
    const { limits } = this.#store;
    const reply = await this.#store.run('pending', [uid, device, since, limits.devices, limits.deviceMs]);
    const [ts, pending, feeds] = reply as [number, Flat, Flat];
    return { ts, pending: standingsOf(pending), feeds: standingsOf(feeds) };
  }

  async mark(marks: readonly Mark[]): Promise<readonly MarkOutcome[]> {
    const outcomes: MarkOutcome[] = [];
    for (let i = 0; i < marks.length; i += BATCH) outcomes.push(...(await this.#markSome(marks.slice(i, i + BATCH))));
    return outcomes;
  }

  async #markSome(marks: readonly Mark[]): Promise<readonly MarkOutcome[]> {
    const args = marks.flatMap(({ uid, conv, device, delivered, read, silent, announce }) => [
      uid,
      conv,
      device ?? '',
      delivered ?? '',
      read ?? '',
      silent ? 1 : 0,
      announce ? 1 : 0,
    ]);
    const reply = await this.#store.run('mark', [this.#store.node, this.#store.limits.deviceMs, ...args]);
    const [sent, unheard, ...answers] = reply as [number, number, ...(number | string)[]];
    this.#store.countForwards(sent, unheard);
    let at = 0;
    return marks.map(({ uid, conv }) => {
      const answer = answers[at++];
      if (typeof answer === 'string') return { refused: answer as ErrorCode };
      if (answer !== 1) return {};
      const [delivered, read] = [answers[at++] as number, answers[at++] as number];
      return { receipt: receiptOf(conv, uid, delivered, read) };
    });
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
