/** Many users of the SDK, as an application would be, who talk all the time; and the account of what came of it. */
import { WebSocket } from 'ws';
import { Client, STATE } from '../../src/client/index.js';
import { dmOf } from '../support/frame.js';
import { type Account, isEntry, Ledger } from '../support/ledger.js';
import { until } from '../support/until.js';

const ROOM = 'square';
const IN_THE_ROOM = 20;
/** Connections that are made at the same time. */
const AT_ONCE = 50;

/** A connection that was lost, when it would be tried again (since 1970), and when the client was back. */
export type Loss = { readonly reason: string; readonly at: number; readonly next: number; back?: number };

class Socket extends WebSocket {
  constructor(url: string) {
    super(url, { perMessageDeflate: false });
  }
}

export class SdkCrowd {
  readonly ledger = new Ledger();
  readonly clients: Client[];
  readonly losses: Loss[] = [];
  /** From the sender's `send` to the receiver's application, in milliseconds; one for each delivery. */
  readonly latencies: number[] = [];
  private readonly said: number[];
  private readonly open = new Map<string, Loss>();
  private readonly uids: string[];
  private timer: NodeJS.Timeout | undefined;
  private unanswered = 0;
  private turn = 0;

  private constructor(url: string, people: number) {
    this.uids = Array.from({ length: people }, (_, index) => `u${index}`);
    this.said = this.uids.map(() => 0);
    this.clients = this.uids.map((uid) => this.born(url, uid));
  }

  /** Everybody is connected when this resolves; the first twenty are in a room. */
  static async at(url: string, people: number): Promise<SdkCrowd> {
    const crowd = new SdkCrowd(url, people);
    for (let from = 0; from < people; from += AT_ONCE) {
      for (const client of crowd.clients.slice(from, from + AT_ONCE)) client.connect();
      await until(() => crowd.online >= Math.min(people, from + AT_ONCE), 'everybody to be connected', 60_000);
    }
    await Promise.all(crowd.clients.slice(0, IN_THE_ROOM).map((client) => client.join(ROOM)));
    return crowd;
  }

  /** The uids, in the order of the clients. */
  get people(): readonly string[] {
    return this.uids;
  }

  get online(): number {
    return this.clients.filter(({ state }) => state === STATE.open).length;
  }

  /** Each speaks in turn to the next one, and now and then somebody in the room; `rate` a second in all. */
  talks(rate: number): void {
    let due = performance.now();
    this.timer = setInterval(() => {
      for (; due <= performance.now(); due += 1_000 / rate) this.saysNext();
    }, 5);
  }

  /** Stops talking, and waits until all is answered and has arrived. */
  async settles(deadline: number): Promise<Account> {
    clearInterval(this.timer);
    const account = (): string => JSON.stringify(this.ledger.account);
    await until(
      () => this.unanswered === 0,
      () => `every send to be answered: ${account()}`,
      deadline,
    );
    await until(
      () => this.ledger.account.lost === 0,
      () => `everything to come: ${account()}`,
      deadline,
    );
    return this.ledger.account;
  }

  async leaves(): Promise<void> {
    clearInterval(this.timer);
    await Promise.all(this.clients.map((client) => client.close()));
  }

  private born(url: string, uid: string): Client {
    const client = new Client({ url, uid, WebSocket: Socket, transports: ['websocket'] });
    client.on('message', ({ conv, sender, data }) => {
      if (!isEntry(data) || sender === uid) return;
      this.latencies.push(performance.now() - (data as unknown as { readonly t: number }).t);
      this.ledger.delivered(conv, uid, data);
    });
    client.on('state', (status) => {
      const before = this.open.get(uid);
      if (status.state === STATE.open && before) {
        before.back = performance.now();
        this.open.delete(uid);
      } else if (status.state === STATE.closed && !before && client.uid !== undefined) {
        const loss: Loss = { reason: status.reason, at: performance.now(), next: status.next ?? 0 };
        this.losses.push(loss);
        this.open.set(uid, loss);
      }
    });
    return client;
  }

  private saysNext(): void {
    const index = this.turn++ % this.clients.length;
    const uid = this.uids[index]!;
    const next = this.uids[(index + 1) % this.uids.length]!;
    const isForAll = index < IN_THE_ROOM && this.turn % 3 === 0;
    const entry = { from: uid, n: ++this.said[index]! };
    const conv = isForAll ? `room:${ROOM}` : dmOf(uid, next);
    for (const reader of isForAll ? this.uids.slice(0, IN_THE_ROOM) : [next]) this.ledger.expects(conv, reader);
    this.ledger.sent();
    this.unanswered++;
    const to = isForAll ? { room: ROOM } : { receiver: next };
    this.clients[index]!.send({ ...to, data: { ...entry, t: performance.now() } })
      .then(
        () => this.ledger.acked(conv, entry),
        (error: { readonly code: string }) => this.ledger.refused(error.code),
      )
      .finally(() => this.unanswered--);
  }
}

/** The value below which so many percent lie. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? 0;
}
