/** The messages of this user that are on their way, and how far their receivers have come. */
import { type Conv, isDm, type MessageId, sidesOf } from '../protocol/index.js';
import { SkeinError } from './failure.js';
import type { Change } from './outbox.js';
import { Outgoing, type OutgoingEvents } from './outgoing.js';
import type { OutboxEntry } from './storage.js';

/** How far the other side of a dm has come: positions, 0 if nowhere. */
export type Peer = { readonly delivered: number; readonly read: number };

/** Stored messages that are remembered until they are read; the oldest are let go. */
const REMEMBERED_MAX = 1_000;

export class Outgoings {
  readonly #events: OutgoingEvents;
  readonly #changed: (outgoing: Outgoing) => void;
  /** Queued, failed, or stored and not yet read; by age. */
  readonly #all = new Map<MessageId, Outgoing>();
  readonly #peers = new Map<Conv, Peer>();

  constructor(events: OutgoingEvents, changed: (outgoing: Outgoing) => void) {
    this.#events = events;
    this.#changed = changed;
  }

  get all(): readonly Outgoing[] {
    return [...this.#all.values()];
  }

  get peers(): readonly (readonly [Conv, Peer])[] {
    return [...this.#peers];
  }

  /** What is not stored yet, as another tab learns of it. */
  get unsettled(): readonly Change[] {
    return this.all.flatMap(changeOf);
  }

  /** Whether a receipt is waited for. */
  get isCurious(): boolean {
    return this.all.some(({ state }) => state === 'stored' || state === 'delivered');
  }

  get(id: MessageId): Outgoing | undefined {
    return this.#all.get(id);
  }

  add(entry: OutboxEntry): Outgoing {
    const outgoing = new Outgoing(entry, this.#events);
    this.#all.set(entry.id, outgoing);
    return outgoing;
  }

  peer(conv: Conv): Peer {
    return this.#peers.get(conv) ?? { delivered: 0, read: 0 };
  }

  /** Takes what the outbox did, told by whichever tab holds it: also for messages of earlier runs and other tabs. */
  apply(change: Change): void {
    const known = this.#all.get(change.entry.id);
    const outgoing = known ?? this.add(change.entry);
    if (outgoing.stored !== undefined) return;
    if (change.state === 'stored') this.#store(outgoing, change.stored);
    else if (change.state === 'failed') {
      outgoing.advance({ state: 'failed', error: new SkeinError(change.error.code, change.error.message) });
    } else if (known?.state === 'queued') return;
    else outgoing.advance({ state: 'queued' });
    this.#changed(outgoing);
  }

  forget(id: MessageId): void {
    this.#all.delete(id);
  }

  /** The other side of a dm has come this far. */
  receipt(conv: Conv, { delivered, read }: Peer): void {
    const before = this.peer(conv);
    const peer = { delivered: Math.max(before.delivered, delivered), read: Math.max(before.read, read) };
    this.#peers.set(conv, peer);
    for (const outgoing of this.#all.values()) if (outgoing.conv === conv) this.#progress(outgoing, peer);
  }

  #store(outgoing: Outgoing, stored: NonNullable<Outgoing['stored']>): void {
    outgoing.advance({ state: 'stored', stored });
    if (!hasReceipts(stored.conv)) this.forget(outgoing.id);
    else this.#progress(outgoing, this.peer(stored.conv));
    for (const [id, { state }] of this.#all) {
      if (this.#all.size <= REMEMBERED_MAX) break;
      if (state !== 'queued' && state !== 'failed') this.#all.delete(id);
    }
  }

  #progress(outgoing: Outgoing, { delivered, read }: Peer): void {
    const { stored, state } = outgoing;
    if (stored === undefined) return;
    const next = read >= stored.seq ? 'read' : delivered >= stored.seq ? 'delivered' : 'stored';
    if (next === 'stored' || next === state) return;
    outgoing.advance({ state: next, stored });
    if (next === 'read') this.forget(outgoing.id);
    this.#changed(outgoing);
  }
}

function hasReceipts(conv: Conv): boolean {
  if (!isDm(conv)) return false;
  const [a, b] = sidesOf(conv);
  return a !== b;
}

function changeOf({ id, target, data, createdAt, state, error }: Outgoing): readonly Change[] {
  const entry = { id, target, data, createdAt, order: 0 };
  if (state === 'queued') return [{ entry, state }];
  return error ? [{ entry, state: 'failed', error: { code: error.code, message: error.message } }] : [];
}
