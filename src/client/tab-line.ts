/** The line of a tab that speaks through another one. */
import type { ClientFrame, MessageId } from '../protocol/index.js';
import type { Line, LineEvents } from './line.js';
import type { Change } from './outbox.js';
import type { RequestFrame } from './requests.js';
import { ASLEEP } from './status.js';
import type { OutboxEntry } from './storage.js';

/** What a tab says to the one that leads. */
export type ToLeader =
  | { readonly kind: 'hi'; readonly from: string }
  | { readonly kind: 'submit'; readonly entry: OutboxEntry }
  | { readonly kind: 'retry'; readonly id: MessageId; readonly order: number }
  | { readonly kind: 'discard'; readonly id: MessageId }
  | { readonly kind: 'ask'; readonly from: string; readonly frame: RequestFrame }
  | { readonly kind: 'tell'; readonly frame: ClientFrame };

export class TabLine implements Line {
  readonly #me: string;
  readonly #post: (message: ToLeader) => void;
  readonly #events: LineEvents;
  readonly #unsettled = new Map<MessageId, OutboxEntry>();

  constructor(me: string, post: (message: ToLeader) => void, events: LineEvents) {
    this.#me = me;
    this.#post = post;
    this.#events = events;
  }

  /** What was given to a leader and is not known to be stored, in order. */
  get unsettled(): readonly OutboxEntry[] {
    return [...this.#unsettled.values()];
  }

  /** A leader answers: it may be a new one, which never saw what the one before was given. */
  up(): void {
    for (const entry of this.#unsettled.values()) this.#post({ kind: 'submit', entry });
  }

  settle({ entry, state }: Change): void {
    if (state !== 'queued') this.#unsettled.delete(entry.id);
  }

  /** The leader decides when to connect. */
  connect(): void {}

  /** The leader acknowledges; what has an id waits for its answer. */
  send(frame: ClientFrame): void {
    if (frame.type === 'ack') return;
    if (frame.id === undefined) this.#post({ kind: 'tell', frame });
    else this.#post({ kind: 'ask', from: this.#me, frame: frame as RequestFrame });
  }

  submit(entry: OutboxEntry): void {
    this.#unsettled.set(entry.id, entry);
    this.#post({ kind: 'submit', entry });
  }

  retry(id: MessageId, order: number): void {
    this.#post({ kind: 'retry', id, order });
  }

  discard(id: MessageId): void {
    this.#post({ kind: 'discard', id });
  }

  /** Each tab has its own token; the leader's is the one in use. */
  renew(): void {}

  async close(): Promise<void> {
    this.#events.status({ ...ASLEEP, reason: 'closed by the application' } as typeof ASLEEP);
  }
}
