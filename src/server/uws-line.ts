/** A WebSocket of uWebSockets.js as a Line. */
import type { Line, Written } from '../chat/line.js';
import { CLOSE } from '../protocol/index.js';

/** What a line needs of uWebSockets.js's socket; every call on one that is closed throws. */
export interface NativeSocket {
  send(frame: string, isBinary: boolean, compress: boolean): number;
  ping(payload: string): number;
  getBufferedAmount(): number;
  cork(work: () => void): unknown;
  end(code: number, reason: string): void;
  close(): void;
  subscribe(topic: string): boolean;
  unsubscribe(topic: string): boolean;
  getTopics(): string[];
  publish(topic: string, frame: string, isBinary: boolean, compress: boolean): boolean;
}

/** By the number that `send` returns. */
const WRITTEN: readonly Written[] = ['buffered', 'sent', 'dropped'];
const DROPPED = 2;
/** Milliseconds that a closed line has to take what was written before its close frame. */
const LINGER_MS = 10_000;

export class UwsLine implements Line {
  readonly transport = 'websocket';
  readonly broadcasts = true;
  isOpen = true;
  /** Has subscribed at least once; uWebSockets.js publishes in the name of no other socket. */
  hasSubscribed = false;
  private isCorked = false;
  private ending: { readonly code: number; readonly reason: string } | undefined;
  private linger: NodeJS.Timeout | undefined;
  /** Frames dropped that were not this line's own `send`: published ones, which nobody would ever repeat. */
  private missed = 0;
  private isChecking = false;

  constructor(
    private readonly socket: NativeSocket,
    private readonly maxBuffered: number,
    private readonly onClose: (line: UwsLine, code: number, byClient: boolean) => void,
  ) {}

  send(frame: string): Written {
    if (!this.isOpen) return 'dropped';
    const status = this.socket.send(frame, false, false);
    if (status === DROPPED) this.missed--;
    return WRITTEN[status] as Written;
  }

  buffered(): number {
    return this.isOpen ? this.socket.getBufferedAmount() : 0;
  }

  cork(work: () => void): void {
    if (!this.isOpen || this.isCorked) return work();
    this.isCorked = true;
    try {
      this.socket.cork(work);
    } finally {
      this.isCorked = false;
      if (this.ending) this.finish();
    }
  }

  ping(payload: string): void {
    if (this.isOpen && this.socket.ping(payload) === DROPPED) this.missed--;
  }

  close(code: number, reason: string): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.ending = { code, reason };
    // uWebSockets.js sends no FIN for an `end` inside `cork`.
    if (!this.isCorked) this.finish();
    this.onClose(this, code, false);
  }

  subscribe(topic: string): void {
    if (!this.isOpen) return;
    this.hasSubscribed = true;
    this.socket.subscribe(topic);
  }

  unsubscribe(topic: string): void {
    if (this.isOpen) this.socket.unsubscribe(topic);
  }

  /** To all subscribers but this one. */
  publish(topic: string, frame: string): void {
    this.socket.publish(topic, frame, false, false);
  }

  /** The native close handler: from here on the socket must not be touched. */
  ended(code: number): void {
    clearTimeout(this.linger);
    this.ending = undefined;
    if (!this.isOpen) return;
    this.isOpen = false;
    this.onClose(this, code, code !== 1006);
  }

  /** The native drain handler, on a closed line. */
  drained(): void {
    if (this.ending && !this.isCorked) this.finish();
  }

  /** The native dropped handler. The check waits for the turn's end: closing inside it would crash, and `send` may
   * yet say that the frame was its own. */
  dropped(): void {
    this.missed++;
    if (this.isChecking || !this.isOpen) return;
    this.isChecking = true;
    setImmediate(() => {
      this.isChecking = false;
      if (this.missed > 0) this.close(CLOSE.overloaded.code, CLOSE.overloaded.reason);
    });
  }

  /** uWebSockets.js answered a ping just now; over the bound it dropped that pong. */
  ponged(): void {
    if (this.isOpen && this.socket.getBufferedAmount() > this.maxBuffered) this.missed--;
  }

  /** Over the bound a close frame would be dropped, and with it all that waits: then it goes out when that drained. */
  private finish(): void {
    const { code, reason } = this.ending!;
    if (this.socket.getBufferedAmount() <= this.maxBuffered) {
      this.ending = undefined;
      clearTimeout(this.linger);
      this.socket.end(code, reason);
    } else if (!this.linger) {
      for (const topic of this.socket.getTopics()) this.socket.unsubscribe(topic);
      this.linger = setTimeout(() => this.socket.close(), LINGER_MS).unref();
    }
  }
}
