/** A response of uWebSockets.js that goes on. */
import { guarded, type OnError } from './response.js';
import type { Stream } from './transport.js';

/** What a stream needs of uWebSockets.js's response. */
export interface NativeResponse {
  write(chunk: Uint8Array): boolean;
  cork(work: () => void): unknown;
  end(): unknown;
  onWritable(listener: () => boolean): unknown;
}

/**
 * Bytes handed over at once. uWebSockets.js takes a chunk whole, and tells that some of it waits, but not how much;
 * so the rest is kept here, counted, and what is counted wrong is at most this.
 */
const PIECE = 16_384;

/** A peer that takes nothing at all for 10 s is cut off by uWebSockets.js. */
export class UwsStream implements Stream {
  private queue: Uint8Array[] = [];
  private queuedBytes = 0;
  /** Bytes of the piece that uWebSockets.js took and could not pass on at once. */
  private heldBytes = 0;
  private isOpen = true;
  private readonly drainListeners: (() => void)[] = [];
  private readonly closeListeners: (() => void)[] = [];

  constructor(
    private readonly response: NativeResponse,
    private readonly maxBuffered: number,
    private readonly onError: OnError,
  ) {
    response.onWritable(() => {
      this.flush();
      return true;
    });
  }

  write(text: string): 'sent' | 'buffered' | 'dropped' {
    if (!this.isOpen || this.buffered() > this.maxBuffered) return 'dropped';
    this.enqueue(Buffer.from(text));
    if (this.heldBytes === 0) this.response.cork(() => this.pump());
    return this.buffered() === 0 ? 'sent' : 'buffered';
  }

  buffered(): number {
    return this.queuedBytes + this.heldBytes;
  }

  onDrain(listener: () => void): void {
    this.drainListeners.push(listener);
  }

  onClose(listener: () => void): void {
    this.closeListeners.push(listener);
  }

  end(): void {
    if (!this.isOpen) return;
    this.response.cork(() => {
      for (const piece of this.queue) this.response.write(piece);
      this.response.end();
    });
    this.closed();
  }

  /** The peer is gone, or the end is written: the response must not be touched any more. */
  closed(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.queue = [];
    this.queuedBytes = 0;
    this.heldBytes = 0;
    for (const listener of this.closeListeners) guarded(listener, this.onError);
  }

  /** The library ends the headers with the first write: an event stream that is silent at first begins so. */
  comment(): void {
    if (this.isOpen) this.write(':\n\n');
  }

  private enqueue(bytes: Uint8Array): void {
    this.queuedBytes += bytes.length;
    for (let at = 0; at < bytes.length; at += PIECE) this.queue.push(bytes.subarray(at, at + PIECE));
  }

  /** Hands pieces over until one has to wait. */
  private pump(): void {
    let taken = 0;
    this.heldBytes = 0;
    while (this.heldBytes === 0 && taken < this.queue.length) {
      const piece = this.queue[taken++]!;
      this.queuedBytes -= piece.length;
      if (!this.response.write(piece)) this.heldBytes = piece.length;
    }
    this.queue.splice(0, taken);
  }

  /** The kernel takes bytes again. Uncorking alone passes on what uWebSockets.js holds. */
  private flush(): void {
    if (!this.isOpen) return;
    this.response.cork(() => this.pump());
    if (this.buffered() > 0) return;
    for (const listener of this.drainListeners) guarded(listener, this.onError);
  }
}
