import { Outbox } from '../../loadtest/chaos/client/outbox.js';
import { CursorRule } from '../../loadtest/chaos/client/push-order.js';
import { Connection } from './client.js';
import { dmOf, type Frame } from './frame.js';
import { isEntry, type Ledger } from './ledger.js';
import type { NodeProcess } from './process.js';
import { pause } from './until.js';

const JITTER_MS = 200;
/** A connection on which a send stays unanswered for so long is given up. */
const SILENCE_MS = 6_000;
const ACK_EVERY_MS = 100;

type Target = { readonly receiver: string } | { readonly room: string };

/**
 * A client as the protocol wants it: an outbox that repeats until answered, one cursor a conversation, back on any
 * living node after a loss. Everything that it says, is promised and sees is entered into the ledger.
 */
export class ResilientClient {
  reconnects = 0;
  private connection: Connection | undefined;
  private readonly cursors = new CursorRule();
  private readonly disorder: string[] = [];
  private readonly outboxes = new Map<string, Outbox>();
  private readonly counters = new Map<string, number>();
  private readonly ackedUpTo = new Map<string, number>();
  private lastAnswer = performance.now();
  private stopping = false;
  private life: Promise<void> | undefined;

  constructor(
    readonly uid: string,
    private readonly nodes: () => readonly NodeProcess[],
    private readonly ledger: Ledger,
    private readonly ack: 'auto' | 'manual' = 'manual',
  ) {}

  /** Connects, and stays connected until `stops`. */
  starts(): this {
    this.life = this.live();
    return this;
  }

  async stops(): Promise<void> {
    this.stopping = true;
    this.connection?.socket.terminate();
    await this.life;
  }

  /** What broke the push order on any of the connections, or left a gap between one connection and the next. */
  get violations(): string[] {
    return [...this.disorder, ...this.cursors.gaps].map((what) => `${this.uid} (${this.ack}) ${what}`);
  }

  get isConnected(): boolean {
    return this.connection?.isOpen ?? false;
  }

  get unanswered(): number {
    let sum = 0;
    for (const outbox of this.outboxes.values()) sum += outbox.unanswered;
    return sum;
  }

  /** Says the next number in a conversation. */
  says(target: Target): void {
    const conv = 'room' in target ? `room:${target.room}` : dmOf(this.uid, target.receiver);
    const n = (this.counters.get(conv) ?? 0) + 1;
    this.counters.set(conv, n);
    this.ledger.sent();
    this.outbox(conv).add(`${conv}#${n}`.slice(-64), { type: 'send', ...target, data: { from: this.uid, n } });
  }

  /** Ends the TCP connection under the client's feet. */
  loses(): void {
    this.connection?.socket.terminate();
  }

  private outbox(conv: string): Outbox {
    const known = this.outboxes.get(conv);
    if (known) return known;
    const outbox = new Outbox({ send: (frame) => this.send(frame) }, ({ frame, answer }) => {
      if (answer.type !== 'sent') this.ledger.refused(answer.code ?? answer.type);
      else if (isEntry(frame.data)) this.ledger.acked(conv, frame.data);
    });
    this.outboxes.set(conv, outbox);
    return outbox;
  }

  private send(frame: object): boolean {
    if (!this.connection?.isOpen) return false;
    this.connection.send(JSON.stringify(frame));
    return true;
  }

  private async live(): Promise<void> {
    const heart = setInterval(() => this.beat(), ACK_EVERY_MS);
    while (!this.stopping) {
      const connection = await this.connects();
      if (!connection) continue;
      await connection.closed;
      this.disorder.push(...connection.order.violations);
      for (const outbox of this.outboxes.values()) outbox.disconnected();
      this.reconnects++;
      if (!this.stopping) await pause(Math.random() * JITTER_MS);
    }
    clearInterval(heart);
  }

  private async connects(): Promise<Connection | undefined> {
    const nodes = this.nodes();
    const node = nodes[Math.floor(Math.random() * nodes.length)];
    try {
      if (!node) throw new Error('no node lives');
      const url = node.wsUrl({ uid: this.uid, ack: this.ack });
      const connection = await Connection.open(url, { onFrame: (frame) => this.sees(frame) });
      this.connection = connection;
      this.lastAnswer = performance.now();
      for (const outbox of this.outboxes.values()) outbox.reconnected();
      return connection;
    } catch {
      // A node that just died refuses: that is what this client is for. Another is tried after a jitter.
      await pause(20 + Math.random() * JITTER_MS);
      return undefined;
    }
  }

  private beat(): void {
    if (this.unanswered === 0) this.lastAnswer = performance.now();
    if (performance.now() - this.lastAnswer > SILENCE_MS) this.loses();
    if (this.ack !== 'manual') return;
    for (const [conv, seq] of this.cursors.entries) {
      if (seq <= (this.ackedUpTo.get(conv) ?? 0)) continue;
      if (this.send({ type: 'ack', conv, seq })) this.ackedUpTo.set(conv, seq);
    }
  }

  private sees(frame: Frame): void {
    if (frame.type === 'message') this.hears(frame);
    if (frame.type === 'truncated') this.cursors.skips(frame.conv!, frame.to!);
    if (frame.type === 'sent') this.cursors.accepts(frame.conv!, frame.seq!);
    if ((frame.type === 'sent' || frame.type === 'error') && frame.id !== undefined) {
      this.lastAnswer = performance.now();
      for (const outbox of this.outboxes.values()) outbox.answer(frame);
    }
  }

  private hears({ conv, seq, data, sender }: Frame): void {
    if (!this.cursors.accepts(conv!, seq!)) {
      this.ledger.dropped();
      return;
    }
    // One's own message comes back where the connection that sent it was lost before `sent`.
    if (isEntry(data) && sender !== this.uid) this.ledger.delivered(conv!, this.uid, data);
  }
}
