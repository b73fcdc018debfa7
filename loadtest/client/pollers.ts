/**
 * Users without a WebSocket: each long-polls and acknowledges on one connection and sends on another, one direct message
 * under way at a time, to its partner on another node.
 */
import type { Plan } from '../orders.js';
import { pause, until } from './gate.js';
import { HttpLine } from './http-line.js';
import { record } from './latency.js';
import { Ledger } from './ledger.js';
import { nodeOf } from './place.js';
import { channelOf, digitsOf, nOf, STAMP_LENGTH, stampAt, stampOf, timeOf } from './stamp.js';
import type { Tally } from './tally.js';

const OK = 200;
/** Seconds that a poll waits: short enough to end a run without leaving polls behind. */
const WAIT_S = 2;
const CURSOR = Buffer.from('"cursor":"');
const CHANNEL = 0;

type Poller = {
  readonly index: number;
  readonly uid: string;
  readonly ledger: Ledger;
  readonly polls: HttpLine;
  readonly sends: HttpLine;
  sent: number;
  acked: number;
  /** Of its own messages, those that the partner has. */
  delivered: number;
  cursor: string;
};

export class Pollers {
  private readonly pollers = new Map<number, Poller>();
  private readonly padding: string;
  private running = false;
  private polling = 0;
  private badAcks = 0;

  constructor(
    private readonly plan: Plan,
    private readonly tally: Tally,
    private readonly clock: () => number,
  ) {
    this.padding = '.'.repeat(Math.max(0, plan.bytes - STAMP_LENGTH));
    for (let index = 0; index < plan.pollers - (plan.pollers % 2); index++) {
      if ((index >> 1) % plan.shares === plan.share) this.pollers.set(index, this.create(index));
    }
  }

  start(): void {
    this.running = true;
    for (const poller of this.pollers.values()) {
      this.poll(poller);
      this.send(poller);
    }
  }

  /** Resolves when what was sent has come, or ten seconds later. */
  async stop(): Promise<void> {
    const all = [...this.pollers.values()];
    this.running = false;
    await until(() => all.every(({ sent, acked, delivered }) => sent === acked && sent === delivered), 10_000);
    await until(() => this.polling === 0, (WAIT_S + 1) * 1_000);
    await pause(0);
    for (const { polls, sends } of all) {
      polls.close();
      sends.close();
    }
  }

  faults(): { lost: number; doubled: number; outOfOrder: number; badAcks: number } {
    const total = { lost: 0, doubled: 0, outOfOrder: 0, badAcks: this.badAcks };
    for (const { index, ledger } of this.pollers.values()) {
      const { lost, doubled, outOfOrder } = ledger.faults([this.partnerOf(index).sent]);
      total.lost += lost;
      total.doubled += doubled;
      total.outOfOrder += outOfOrder;
    }
    return total;
  }

  private create(index: number): Poller {
    const node = nodeOf(index, this.plan.nodes);
    return {
      index,
      uid: this.uidOf(index),
      ledger: new Ledger(1),
      polls: new HttpLine(node),
      sends: new HttpLine(node),
      sent: 0,
      acked: 0,
      delivered: 0,
      cursor: '',
    };
  }

  private uidOf(index: number): string {
    return `${this.plan.run}p${index}`;
  }

  private partnerOf(index: number): Poller {
    return this.pollers.get(index ^ 1) as Poller;
  }

  private get isAnythingUnderWay(): boolean {
    for (const { sent, delivered } of this.pollers.values()) if (sent > delivered) return true;
    return false;
  }

  /** Goes on until it has everything, so that nothing is left for a later run. */
  private poll(poller: Poller): void {
    if (!this.running && !this.isAnythingUnderWay && poller.cursor === '') return;
    const ack = poller.cursor === '' ? '' : `&ack=${encodeURIComponent(poller.cursor)}`;
    const wait = this.running || this.isAnythingUnderWay ? WAIT_S : 0;
    this.polling++;
    poller.polls.get(`/v1/messages?uid=${poller.uid}&wait=${wait}${ack}`, (status, body) => {
      this.polling--;
      if (status !== OK) return void this.tally.broken++;
      const hasCome = this.take(poller, body);
      poller.cursor = hasCome ? cursorIn(body) : '';
      this.poll(poller);
    });
  }

  /** Returns whether there was any message, an own one included. */
  private take(poller: Poller, body: Buffer): boolean {
    const partner = this.partnerOf(poller.index);
    const own = Buffer.from(`"sender":"${poller.uid}"`);
    let hasAny = false;
    for (let at = stampAt(body, 0, body.length); at >= 0; at = stampAt(body, at + STAMP_LENGTH, body.length)) {
      hasAny = true;
      // One's own messages come, too. The sender stands between this stamp and the one before it.
      const before = body.lastIndexOf('"sender":"', at);
      if (body.compare(own, 0, own.length, before, before + own.length) === 0) continue;
      // Broadcasts come, too: from when on depends on the first poll, so nothing is expected of them.
      if (channelOf(body, at) !== CHANNEL || !poller.ledger.take(CHANNEL, nOf(body, at))) continue;
      this.tally.delivered++;
      record(this.tally.delivery, this.clock() - timeOf(body, at));
      partner.delivered++;
      this.next(partner);
    }
    return hasAny;
  }

  private send(poller: Poller): void {
    const n = ++poller.sent;
    const digits = digitsOf(n);
    const due = this.clock();
    const data = stampOf(CHANNEL, digits, due) + this.padding;
    const receiver = this.uidOf(poller.index ^ 1);
    const body = `{"type":"send","id":"${digits}","receiver":"${receiver}","data":"${data}"}`;
    this.tally.sent++;
    poller.sends.post(`/v1/messages?uid=${poller.uid}`, body, (status) => {
      if (status !== OK) {
        this.badAcks++;
        this.tally.refused++;
        return;
      }
      this.tally.acked++;
      record(this.tally.ack, this.clock() - due);
      poller.acked++;
      this.next(poller);
    });
  }

  private next(poller: Poller): void {
    if (this.running && poller.acked === poller.sent && poller.delivered === poller.sent) this.send(poller);
  }
}

function cursorIn(body: Buffer): string {
  const from = body.lastIndexOf(CURSOR) + CURSOR.length;
  return body.toString('latin1', from, body.indexOf('"', from));
}
