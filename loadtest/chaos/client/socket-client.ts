/** A client on a WebSocket, with either kind of acknowledgement. */
import { WebSocket } from 'ws';
import type { Reader } from '../ledger.js';
import { Client, type ClientParts } from './client.js';
import type { Frame, Outgoing } from './frame.js';
import { Outbox } from './outbox.js';
import { PushOrder } from './push-order.js';
import { Unreachable } from './unreachable.js';

const BEAT_MS = 100;
const PING_MS = 2_000;
const OPEN_MS = 8_000;
const LATE_MS = 1_000;

export type SocketClientOptions = {
  readonly ack: 'auto' | 'manual';
  /** Repeats by the rule of `try`; else an error is final. */
  readonly tries: boolean;
  /** Milliseconds of silence after which it takes the connection for dead. */
  readonly patience: number;
};

export class SocketClient extends Client {
  readonly kind: string;
  private readonly outboxes = new Map<string, Outbox>();
  private socket: WebSocket | undefined;
  private isSynced = false;
  private lastFrame = 0;
  private lastPing = 0;
  private lastBeat = 0;
  private ackedUpTo = new Map<string, number>();

  constructor(
    reader: Reader,
    parts: ClientParts,
    private readonly options: SocketClientOptions,
  ) {
    super(reader, parts);
    this.kind = `ws ${options.ack}`;
  }

  get isOnline(): boolean {
    return this.isSynced;
  }

  get unanswered(): number {
    let sum = 0;
    for (const outbox of this.outboxes.values()) sum += outbox.unanswered;
    return sum;
  }

  loses(): void {
    this.socket?.terminate();
  }

  /** One that was ended before it was open can be neither paused nor resumed. */
  private get opened(): WebSocket | undefined {
    return this.socket?.readyState === WebSocket.OPEN ? this.socket : undefined;
  }

  pauses(): void {
    this.isPaused = true;
    this.opened?.pause();
  }

  resumes(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.lastFrame = performance.now();
    this.opened?.resume();
  }

  protected submit(conv: string, id: string, frame: Outgoing): void {
    const outbox = this.outboxes.get(conv) ?? this.outboxFor(conv);
    outbox.add(id, frame);
  }

  protected async visit(): Promise<void> {
    const socket = await this.opens();
    this.lastFrame = performance.now();
    this.ackedUpTo = new Map();
    if (this.isPaused) socket.pause();
    for (const outbox of this.outboxes.values()) outbox.reconnected();
    const heart = setInterval(() => this.beats(), BEAT_MS);
    await new Promise((resolve) => socket.once('close', resolve));
    clearInterval(heart);
    this.isSynced = false;
    for (const outbox of this.outboxes.values()) outbox.disconnected();
    if (!this.isOver) await this.jitter();
  }

  private outboxFor(conv: string): Outbox {
    const settled = (outcome: { readonly frame: Outgoing; readonly answer: Frame }): void =>
      this.settled(conv, outcome.frame, outcome.answer);
    const wire = { send: (frame: Outgoing) => this.writes(frame) };
    const outbox = new Outbox(wire, settled, this.options.tries);
    this.outboxes.set(conv, outbox);
    if (this.socket?.readyState !== WebSocket.OPEN) outbox.disconnected();
    return outbox;
  }

  private opens(): Promise<WebSocket> {
    const { host, port } = this.parts.place;
    const query = new URLSearchParams({ ...this.reader, ack: this.options.ack });
    const socket = new WebSocket(`ws://${host}:${port}/ws?${query}`, {
      ...{ perMessageDeflate: false, handshakeTimeout: OPEN_MS, maxPayload: 0 },
    });
    this.socket = socket;
    const order = new PushOrder();
    // Before anything is waited for: the first frames may come together with the upgrade.
    socket.on('message', (bytes) => this.hears(JSON.parse(bytes.toString()) as Frame, order));
    return new Promise((resolve, reject) => {
      socket.once('open', () => resolve(socket));
      // Later errors are followed by `close`, which is waited for.
      socket.on('error', (error) => reject(new Unreachable(error.message)));
      if (this.isOver || this.isAway) socket.terminate();
    });
  }

  private writes(frame: Outgoing): boolean {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  private hears(frame: Frame, order: PushOrder): void {
    this.lastFrame = performance.now();
    order.see(frame);
    for (const what of order.violations.splice(0)) this.parts.ledger.note('gaps', `${this.inbox.name} ${what}`);
    if (frame.type === 'synced') this.isSynced = true;
    this.inbox.takes(frame);
    if ((frame.type !== 'sent' && frame.type !== 'error') || frame.id === undefined) return;
    const [conv = ''] = frame.id.split('#');
    this.outboxes.get(conv)?.answer(frame);
  }

  private beats(): void {
    const now = performance.now();
    // Who was late cannot tell whether the server was: what it said meanwhile is not read yet.
    if (now - this.lastBeat > LATE_MS) this.lastFrame = now;
    this.lastBeat = now;
    if (this.isPaused) return;
    if (now - this.lastFrame > this.options.patience) this.loses();
    if (now - this.lastPing > PING_MS && this.writes({ type: 'ping' })) this.lastPing = now;
    if (this.options.ack === 'manual') this.acks();
  }

  private acks(): void {
    for (const [conv, seq] of this.inbox.positions)
      if (seq > (this.ackedUpTo.get(conv) ?? 0) && this.writes({ type: 'ack', conv, seq }))
        this.ackedUpTo.set(conv, seq);
  }
}
