/** A stream of server-sent events as a Line. What a client would say to it comes by other requests. */
import type { Line, Written } from '../chat/line.js';
import type { StreamProgress } from '../chat/streams.js';
import { CLOSE } from '../protocol/index.js';
import type { Stream } from './transport.js';

/** Bytes that may wait here and in the transport, which takes more: what is accepted here is never dropped there. */
const BUFFERED_MAX = 786_432;
/** Milliseconds after which a client should come back. Spread, so that not everybody comes at once. */
const RETRY_MS = 300;

export type SseOptions = {
  readonly progress: StreamProgress;
  /** Messages, and milliseconds, after which the stream ends. */
  readonly messages: number;
  readonly life: number;
  readonly heartbeat: number;
  /** What waited is gone. */
  readonly onDrain: () => void;
  /** The peer took what was sent, as far as can be known. */
  readonly onAlive: () => void;
  /** Once: 1000 where the stream had its messages or its time, 1006 where the peer left, else the code of `close`. */
  readonly onClose: (code: number) => void;
};

export class SseLine implements Line {
  readonly transport = 'sse';
  readonly broadcasts = false;
  private queue: string[] = [];
  private queuedBytes = 0;
  private isOpen = true;
  private isCorked = false;
  private isSaving = false;
  private isEnding = false;
  /** What came of the last writing: after `buffered` the transport tells when that is gone, after `sent` it does not. */
  private written: Written = 'sent';
  private messages = 0;
  private code = 1006;
  private readonly heartbeat: NodeJS.Timeout;
  private readonly life: NodeJS.Timeout;

  constructor(
    private readonly stream: Stream,
    private readonly options: SseOptions,
  ) {
    stream.onDrain(() => this.drained());
    stream.onClose(() => this.ended());
    this.heartbeat = setInterval(() => this.comment(), options.heartbeat);
    this.life = setTimeout(() => this.close(1000, 'time to acknowledge; come back'), options.life);
    stream.write(`retry: ${Math.floor(RETRY_MS * (1 + 2 * Math.random()))}\n\n`);
  }

  send(frame: string): Written {
    if (!this.isOpen || this.isEnding || this.buffered() > BUFFERED_MAX) return 'dropped';
    this.queue.push(frame);
    this.queuedBytes += Buffer.byteLength(frame);
    if (!this.isCorked) this.pump();
    return this.isSaving ? 'buffered' : this.written;
  }

  buffered(): number {
    return this.isOpen ? this.queuedBytes + this.stream.buffered() : 0;
  }

  cork(work: () => void): void {
    if (!this.isOpen || this.isCorked) return work();
    this.isCorked = true;
    try {
      work();
    } finally {
      this.isCorked = false;
      this.pump();
    }
  }

  /** Nobody answers on a stream: that the peer takes what is written has to do. */
  ping(): void {
    this.comment();
    if (this.stream.buffered() === 0) this.options.onAlive();
  }

  close(code: number, reason: string): void {
    if (!this.isOpen) return;
    this.code = code;
    this.stream.write(`: ${code} ${reason}\n\n`);
    this.stream.end();
    this.ended();
  }

  /** Topics are for lines that a socket library can write to by itself; here every event has a cursor of its own. */
  subscribe(): void {}
  unsubscribe(): void {}

  /** Writes what is queued, in one piece; stops before a frame whose cursor rests on something not saved yet. */
  private pump(): void {
    if (!this.isOpen || this.isCorked || this.isSaving || this.isEnding) return;
    const { progress, messages } = this.options;
    let text = '';
    let taken = 0;
    while (taken < this.queue.length && this.messages < messages) {
      const frame = this.queue[taken]!;
      const cursor = progress.advance(frame);
      if (cursor === undefined) break;
      text += eventOf(frame, cursor);
      taken++;
      this.queuedBytes -= Buffer.byteLength(frame);
      if (frame.startsWith('{"type":"message"')) this.messages++;
    }
    this.queue = this.queue.slice(taken);
    // Its cursors count as written: should it not go out, nothing may after it.
    if (text !== '') this.written = this.stream.write(text);
    if (this.written === 'dropped') return this.close(CLOSE.overloaded.code, CLOSE.overloaded.reason);
    if (this.messages >= messages) this.endSoon();
    else if (this.queue.length > 0) void this.save();
  }

  private async save(): Promise<void> {
    const { progress } = this.options;
    if (progress.isSpent) return this.endSoon();
    this.isSaving = true;
    await progress.save();
    this.isSaving = false;
    this.pump();
    if (!this.isSaving && this.written === 'sent') this.drained();
  }

  /** Not in this turn: whoever writes may be in the middle of writing to many. */
  private endSoon(): void {
    this.isEnding = true;
    setImmediate(() => this.close(1000, 'enough to acknowledge; come back'));
  }

  private drained(): void {
    this.written = 'sent';
    if (!this.isOpen || this.isSaving) return;
    this.options.onAlive();
    this.options.onDrain();
  }

  private comment(): void {
    if (this.isOpen && this.stream.buffered() === 0) this.stream.write(':\n\n');
  }

  private ended(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    clearInterval(this.heartbeat);
    clearTimeout(this.life);
    this.queue = [];
    this.queuedBytes = 0;
    this.options.progress.stop();
    this.options.onClose(this.code);
  }
}

const RECONNECT = /^\{"type":"reconnect","after":(\d+)/;

function eventOf(frame: string, cursor: string): string {
  const after = RECONNECT.exec(frame)?.[1];
  return `id: ${cursor}\n${after === undefined ? '' : `retry: ${after}\n`}data: ${frame}\n\n`;
}
