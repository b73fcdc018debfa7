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

/** What a native `send` or `ping` returns for a frame that will never arrive. */
const DROPPED = 2;
/** Characters after which a line writes without waiting for the turn's end. */
const FLUSH_CHARS = 32_768;
/** Milliseconds that a closed line has to take what was written before its close frame. */
const LINGER_MS = 10_000;

/** The lines that have something to write at the end of this turn of the event loop. */
export class Turn {
  private lines: UwsLine[] = [];

  add(line: UwsLine): void {
    if (this.lines.length === 0) setImmediate(() => this.flush());
    this.lines.push(line);
  }

  flush(): void {
    const lines = this.lines;
    this.lines = [];
    for (const line of lines) line.flush();
  }
}

export class UwsLine implements Line {
  readonly transport = 'websocket';
  readonly broadcasts = true;
  isOpen = true;
  /** Has subscribed at least once; uWebSockets.js publishes in the name of no other socket. */
  hasSubscribed = false;
  /** Frames of this turn, and their characters. */
  private waiting: string[] = [];
  private waitingChars = 0;
  /** The kernel did not take all that was given to the socket when that was last looked at. */
  private isBackedUp = false;
  private ending: { readonly code: number; readonly reason: string } | undefined;
  private linger: NodeJS.Timeout | undefined;
  /** Frames dropped that were not this line's own `send`: published ones, which nobody would ever repeat. */
  private missed = 0;
  private isChecking = false;

  constructor(
    private readonly socket: NativeSocket,
    private readonly maxBuffered: number,
    private readonly turn: Turn,
    private readonly onClose: (line: UwsLine, code: number, byClient: boolean) => void,
  ) {}

  /** A frame goes out with all others of its turn: each write of its own would be a call to the kernel. */
  send(frame: string): Written {
    if (!this.isOpen) return 'dropped';
    if (this.isBackedUp && this.buffered() > this.maxBuffered) return 'dropped';
    if (this.waiting.length === 0) this.turn.add(this);
    this.waiting.push(frame);
    this.waitingChars += frame.length;
    if (this.isBackedUp || this.waitingChars > FLUSH_CHARS) this.flush();
    return this.isBackedUp ? 'buffered' : 'sent';
  }

  /** Writes what waits. What is dropped here was accepted already: the dropped handler then closes the line. */
  flush(): void {
    if (this.waiting.length === 0) return;
    const frames = this.waiting;
    this.waiting = [];
    this.waitingChars = 0;
    if (!this.isOpen) return;
    const [first] = frames;
    if (frames.length === 1) this.socket.send(first!, false, false);
    else {
      this.socket.cork(() => {
        for (const frame of frames) this.socket.send(frame, false, false);
      });
    }
    this.isBackedUp = this.socket.getBufferedAmount() > 0;
  }

  buffered(): number {
    return this.isOpen ? this.socket.getBufferedAmount() : 0;
  }

  /** All frames of a turn go out together anyway. */
  cork(work: () => void): void {
    work();
  }

  /** Runs work while the library has this socket corked, whatever the work is about. */
  holdCork(work: () => void): void {
    this.socket.cork(work);
  }

  ping(payload: string): void {
    this.flush();
    if (this.isOpen && this.socket.ping(payload) === DROPPED) this.missed--;
  }

  close(code: number, reason: string): void {
    if (!this.isOpen) return;
    this.flush();
    this.isOpen = false;
    this.ending = { code, reason };
    this.finish();
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

  /** The native drain handler. */
  drained(): void {
    this.isBackedUp = this.isOpen && this.socket.getBufferedAmount() > 0;
    if (this.ending) this.finish();
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
