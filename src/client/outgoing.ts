/** A message of this user on its way: a promise of its place, and a state to watch. */
import type { Conv, Json, MessageId, SentFrame } from '../protocol/index.js';
import type { SkeinError } from './failure.js';
import type { OutboxEntry, Target } from './storage.js';

/** The place that the server gave to a message. */
export type Stored = Pick<SentFrame, 'conv' | 'seq' | 'ts'>;

export type OutgoingState =
  /** Here, and not known to be at the server. */
  | 'queued'
  /** The server has it, with a place in its conversation. */
  | 'stored'
  /** A device of the receiver has it (direct messages only). */
  | 'delivered'
  /** The receiver has read it (direct messages only). */
  | 'read'
  /** The server refused it for good: see `error`, then retry() or discard(). */
  | 'failed';

export interface OutgoingEvents {
  retry(id: MessageId): void;
  discard(id: MessageId): void;
}

export type Progress =
  | { readonly state: 'queued' }
  | { readonly state: 'stored' | 'delivered' | 'read'; readonly stored: Stored }
  | { readonly state: 'failed'; readonly error: SkeinError };

/**
 * A promise of the message's place: it stays pending while the message is queued, however long, and rejects with a
 * SkeinError when the server refuses it for good. Nobody has to await it: a failure is never an unhandled rejection.
 */
export class Outgoing extends Promise<Stored> {
  /** `then` makes ordinary promises. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  readonly id: MessageId;
  readonly target: Target;
  readonly data: Json;
  /** Milliseconds since 1970 by this machine's clock. */
  readonly createdAt: number;
  readonly #events: OutgoingEvents;
  readonly #watchers = new Set<(outgoing: Outgoing) => void>();
  readonly #resolve: (stored: Stored) => void;
  readonly #reject: (error: SkeinError) => void;
  #progress: Progress = { state: 'queued' };

  /** Made by Client.send, and for what an earlier run or another tab left in the outbox. */
  constructor(entry: OutboxEntry, events: OutgoingEvents) {
    let settle: [(stored: Stored) => void, (error: SkeinError) => void] | undefined;
    super((resolve, reject) => {
      settle = [resolve, reject];
    });
    [this.#resolve, this.#reject] = settle!;
    this.catch(shownByState);
    this.id = entry.id;
    this.target = entry.target;
    this.data = entry.data;
    this.createdAt = entry.createdAt;
    this.#events = events;
  }

  get state(): OutgoingState {
    return this.#progress.state;
  }

  /** Its place, once stored. */
  get stored(): Stored | undefined {
    return 'stored' in this.#progress ? this.#progress.stored : undefined;
  }

  get conv(): Conv | undefined {
    return this.stored?.conv;
  }

  /** Why it failed. */
  get error(): SkeinError | undefined {
    return this.#progress.state === 'failed' ? this.#progress.error : undefined;
  }

  /** Calls back after each change of `state`, until the returned function is called. */
  watch(watcher: (outgoing: Outgoing) => void): () => void {
    this.#watchers.add(watcher);
    return () => {
      this.#watchers.delete(watcher);
    };
  }

  /** Sends a failed message again, under the same id, behind what waits already. Resolves when it is stored. */
  retry(): Promise<Stored> {
    if (this.stored) return Promise.resolve(this.stored);
    const stored = new Promise<Stored>((resolve, reject) => {
      const stop = this.watch(() => {
        if (this.state === 'queued') return;
        stop();
        if (this.stored) resolve(this.stored);
        else reject(this.error);
      });
    });
    stored.catch(shownByState);
    if (this.state === 'failed') this.#events.retry(this.id);
    return stored;
  }

  /** Forgets a failed message. */
  discard(): void {
    if (this.state === 'failed') this.#events.discard(this.id);
  }

  /** What Client calls as the message makes its way. */
  advance(progress: Progress): void {
    this.#progress = progress;
    if ('stored' in progress) this.#resolve(progress.stored);
    if (progress.state === 'failed') this.#reject(progress.error);
    for (const watcher of this.#watchers) watcher(this);
  }
}

/** Whoever does not await the promise sees a failure in `state` and `error`; it is no unhandled rejection. */
function shownByState(): void {}
