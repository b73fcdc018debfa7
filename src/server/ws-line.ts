/** A WebSocket of the `ws` library as a Line. */
import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import type { Line, Written } from '../chat/line.js';
import { CLOSE } from '../protocol/index.js';
import type { Topics } from './topics.js';

/** Codes of those who sent too much, or nonsense. */
const ABUSE: ReadonlySet<number> = new Set([CLOSE.badRequests.code, CLOSE.rateLimited.code]);
/** Milliseconds that they have to take the close frame. */
const ABUSE_LINGER_MS = 1_000;

const TEXT = { binary: false, compress: false } as const;

export type LineEvents = {
  readonly drain: (line: WsLine) => void;
  readonly close: (line: WsLine, code: number, byClient: boolean) => void;
};

export class WsLine implements Line {
  readonly transport = 'websocket';
  readonly broadcasts = true;
  private isOpen = true;
  private isCorked = false;
  private isAwaitingDrain = false;
  private hasMissed = false;

  constructor(
    private readonly websocket: WebSocket,
    private readonly socket: Socket,
    private readonly topics: Topics<WsLine>,
    private readonly maxBuffered: number,
    private readonly events: LineEvents,
  ) {}

  /** Neither side has closed it. */
  get isLive(): boolean {
    return this.isOpen && this.websocket.readyState === WebSocket.OPEN;
  }

  send(frame: string | Buffer): Written {
    if (!this.isLive || this.websocket.bufferedAmount > this.maxBuffered) return 'dropped';
    this.websocket.send(frame, TEXT);
    if (this.isCorked && !this.isAwaitingDrain) return 'sent';
    return this.awaitDrain() ? 'buffered' : 'sent';
  }

  buffered(): number {
    return this.isOpen ? this.websocket.bufferedAmount : 0;
  }

  cork(work: () => void): void {
    if (!this.isLive || this.isCorked) return work();
    this.isCorked = true;
    this.socket.cork();
    try {
      work();
    } finally {
      this.isCorked = false;
      this.socket.uncork();
      this.awaitDrain();
    }
  }

  ping(payload: string): void {
    if (this.isLive && this.websocket.bufferedAmount <= this.maxBuffered) this.websocket.ping(payload);
  }

  close(code: number, reason: string): void {
    // When the client has begun to close, its code is the one that counts; the event comes.
    if (!this.isLive) return;
    this.websocket.close(code, reason);
    if (ABUSE.has(code)) this.stopReading();
    this.finish(code, false);
  }

  subscribe(topic: string): void {
    if (this.isLive) this.topics.add(topic, this);
  }

  unsubscribe(topic: string): void {
    this.topics.delete(topic, this);
  }

  /** A published frame. Who misses one is closed once the publishing is over, so that it never goes unnoticed. */
  receive(frame: Buffer): void {
    if (!this.isLive || this.send(frame) !== 'dropped' || this.hasMissed) return;
    this.hasMissed = true;
    setImmediate(() => this.close(CLOSE.overloaded.code, CLOSE.overloaded.reason));
  }

  /** Answers a ping, unless its sender does not read the answers. */
  pong(payload: Buffer): void {
    if (this.isLive && this.websocket.bufferedAmount <= this.maxBuffered) this.websocket.pong(payload);
  }

  /** The connection is over; 1006 if the client did not close in order. */
  ended(code: number): void {
    if (this.isOpen) this.finish(code, code !== 1006);
  }

  /** The library would read all that still comes until the client closes, too; whoever floods does not. */
  private stopReading(): void {
    this.websocket.pause();
    const linger = setTimeout(() => this.websocket.terminate(), ABUSE_LINGER_MS).unref();
    this.websocket.once('close', () => clearTimeout(linger));
  }

  private finish(code: number, byClient: boolean): void {
    this.isOpen = false;
    this.topics.deleteAll(this);
    this.events.close(this, code, byClient);
  }

  /**
   * Whether something waits. If so, an empty write behind it tells when that is gone: the socket's own `drain` comes
   * only above its high-water mark.
   */
  private awaitDrain(): boolean {
    if (!this.isOpen || this.websocket.bufferedAmount === 0) return false;
    if (this.isAwaitingDrain) return true;
    this.isAwaitingDrain = true;
    this.socket.write('', () => {
      this.isAwaitingDrain = false;
      this.awaitDrain();
      if (this.isLive) this.events.drain(this);
    });
    return true;
  }
}
