/** Cursors on their way to the server: what this device has, and what its user read. Both only ever move forward. */
import type { ClientFrame, Conv } from '../protocol/index.js';
import type { Timer } from './platform.js';

/** The least number of milliseconds between two acknowledgements. */
const ACK_MS = 200;
/** Milliseconds for which a read mark, which nothing answers, is said again if the line breaks. */
const DOUBT_MS = 60_000;

type Read = { readonly seq: number; readonly at: number };

export class Marks {
  readonly #send: (frame: ClientFrame) => void;
  readonly #dirty = { ack: new Map<Conv, number>(), read: new Map<Conv, number>() };
  /** What went out on this line: a repeated message need not be acknowledged twice. */
  readonly #acked = new Map<Conv, number>();
  readonly #reads = new Map<Conv, Read>();
  #isUp = false;
  #timer: Timer | undefined;

  constructor(send: (frame: ClientFrame) => void) {
    this.#send = send;
  }

  ack(conv: Conv, seq: number): void {
    if ((this.#acked.get(conv) ?? 0) < seq) this.#mark('ack', conv, seq);
  }

  read(conv: Conv, seq: number): void {
    if ((this.#reads.get(conv)?.seq ?? 0) < seq) this.#mark('read', conv, seq);
  }

  /** A new line. The server says again what was not acknowledged; what was read it must be told. */
  up(): void {
    this.#isUp = true;
    this.#acked.clear();
    for (const [conv, { seq, at }] of this.#reads) {
      if (Date.now() - at < DOUBT_MS) this.#mark('read', conv, seq);
    }
    this.#plan();
  }

  down(): void {
    this.#isUp = false;
  }

  /** Sends at once what would have waited. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#isUp) return;
    for (const [conv, seq] of this.#dirty.ack) {
      this.#acked.set(conv, seq);
      this.#send({ type: 'ack', conv, seq });
    }
    for (const [conv, seq] of this.#dirty.read) {
      this.#reads.set(conv, { seq, at: Date.now() });
      this.#send({ type: 'read', conv, seq });
    }
    this.#dirty.ack.clear();
    this.#dirty.read.clear();
  }

  close(): void {
    this.flush();
    this.#isUp = false;
  }

  #mark(kind: 'ack' | 'read', conv: Conv, seq: number): void {
    const marks = this.#dirty[kind];
    marks.set(conv, Math.max(marks.get(conv) ?? 0, seq));
    this.#plan();
  }

  #plan(): void {
    const isDirty = this.#dirty.ack.size + this.#dirty.read.size > 0;
    if (this.#isUp && isDirty) this.#timer ??= setTimeout(() => this.flush(), ACK_MS);
  }
}
