/**
 * What was sent and is not stored yet: one queue an addressee, which goes out in order and once, over failures,
 * reconnects and reloads (protocol section 3, the `try` rule).
 */
import type { ClientFrame, ErrorFrame, MessageId } from '../protocol/index.js';
import { fullJitter, REPEAT } from './backoff.js';
import { isPassing, SkeinError } from './failure.js';
import type { Stored } from './outgoing.js';
import { Pace } from './pace.js';
import { pause, type Timer } from './platform.js';
import type { OutboxEntry, OutboxStorage } from './storage.js';
import type { Facts } from './transports/link.js';

/** Sends to one addressee that may be unanswered at a time, where the transport keeps their order. */
const WINDOW = 64;
/** Answers `internal` in a row after which a message is given up: something is wrong with it, not with the store. */
const INTERNAL_MAX = 5;
/** The part of the dedup time after which a repeat is doubtful, and the least of it in milliseconds. */
const DOUBT_SHARE = 0.9;
const DOUBT_MIN_MS = 1_000;

export type Change =
  | { readonly entry: OutboxEntry; readonly state: 'queued' }
  | { readonly entry: OutboxEntry; readonly state: 'stored'; readonly stored: Stored }
  | { readonly entry: OutboxEntry; readonly state: 'failed'; readonly error: NonNullable<OutboxEntry['failed']> };

export interface OutboxEvents {
  send(frame: ClientFrame): void;
  /** Looks for messages of one's own, all to one addressee, in their conversation's history. */
  find(entries: readonly OutboxEntry[]): Promise<ReadonlyMap<MessageId, Stored>>;
  change(change: Change): void;
  /** A send was not answered in time, though the line lives. */
  stuck(): void;
  trouble(error: unknown): void;
}

type Item = {
  readonly entry: OutboxEntry;
  /** When it went out on this line, unanswered; 0: it waits. */
  sentAt: number;
  /** When it was last known not to be stored. */
  absentAt: number;
  internals: number;
};

type Queue = {
  readonly items: Item[];
  /** The `try` of the next round. */
  round: number;
  /** Milliseconds to wait before the next round; undefined: this round goes on. */
  delay: number | undefined;
  failures: number;
  isLooking: boolean;
  timer: Timer | undefined;
};

export class Outbox {
  readonly #storage: OutboxStorage;
  readonly #events: OutboxEvents;
  readonly #patience: number;
  readonly #queues = new Map<string, Queue>();
  readonly #failed = new Map<MessageId, OutboxEntry>();
  #facts: Facts | undefined;
  #pace = new Pace(0);
  #pacing: Timer | undefined;
  #overdue: Timer | undefined;

  /** `patience`: milliseconds for a send to be answered. */
  constructor(storage: OutboxStorage, patience: number, events: OutboxEvents) {
    this.#storage = storage;
    this.#patience = patience;
    this.#events = events;
  }

  /** Takes up what an earlier run left. */
  async load(): Promise<void> {
    const entries = await this.#storage.load();
    for (const entry of [...entries].sort((a, b) => a.order - b.order)) {
      if (entry.failed === undefined) this.add(entry);
      else {
        this.#failed.set(entry.id, entry);
        this.#events.change({ entry, state: 'failed', error: entry.failed });
      }
    }
  }

  /** Adds an entry that the storage has already; one that is here already changes nothing. */
  add(entry: OutboxEntry): void {
    if (this.#failed.has(entry.id) || this.#find(entry.id) !== undefined) return;
    const queue = this.#queueOf(entry);
    queue.items.push({ entry, sentAt: 0, absentAt: 0, internals: 0 });
    this.#events.change({ entry, state: 'queued' });
    this.#pump(queue);
  }

  /** A failed entry goes to the end of its queue. */
  retry(id: MessageId, order: number): void {
    const { failed: _, ...entry } = this.#failed.get(id) ?? { id: undefined };
    if (entry.id === undefined) return;
    this.#failed.delete(id);
    const again = { ...entry, order };
    this.#storage.put(again).catch(this.#events.trouble);
    this.add(again);
  }

  discard(id: MessageId): void {
    if (this.#failed.delete(id)) this.#storage.delete(id).catch(this.#events.trouble);
  }

  /** A new line; what was unanswered goes out again, oldest first. */
  up(facts: Facts): void {
    this.down();
    this.#facts = facts;
    this.#pace = new Pace(facts.limits.rate);
    for (const queue of this.#queues.values()) this.#pump(queue);
  }

  down(): void {
    this.#facts = undefined;
    clearTimeout(this.#pacing);
    clearTimeout(this.#overdue);
    this.#pacing = this.#overdue = undefined;
    for (const queue of this.#queues.values()) {
      clearTimeout(queue.timer);
      queue.timer = queue.delay = undefined;
      queue.round = 0;
      for (const item of queue.items) item.sentAt = 0;
    }
  }

  /** The server has it. Returns the entry, or undefined if it is none of this outbox. */
  stored(id: MessageId | undefined, { conv, seq, ts }: Stored): OutboxEntry | undefined {
    const found = this.#find(id);
    if (found === undefined) return undefined;
    const [queue, item] = found;
    const { entry } = item;
    queue.failures = 0;
    this.#remove(queue, item);
    this.#storage.delete(entry.id).catch(this.#events.trouble);
    this.#events.change({ entry, state: 'stored', stored: { conv, seq, ts } });
    this.#advance(queue);
    return entry;
  }

  /** The server refused it. Returns whether it is one of this outbox. */
  refused(frame: ErrorFrame): boolean {
    const found = this.#find(frame.id);
    if (found === undefined) return false;
    const [queue, item] = found;
    item.sentAt = 0;
    if (frame.code === 'internal') item.internals++;
    const isPoison = item.internals >= INTERNAL_MAX;
    if (!isPoison && (frame.retry !== undefined || isPassing(SkeinError.of(frame)))) {
      const delay = Math.max(frame.retry ?? 0, fullJitter(REPEAT, queue.failures));
      queue.delay = Math.max(queue.delay ?? 0, delay);
    } else this.#fail(queue, item, frame);
    this.#advance(queue);
    return true;
  }

  #fail(queue: Queue, item: Item, { code, message }: ErrorFrame): void {
    this.#remove(queue, item);
    const error = { code, message };
    const entry = { ...item.entry, failed: error };
    this.#failed.set(entry.id, entry);
    this.#storage.put(entry).catch(this.#events.trouble);
    this.#events.change({ entry, state: 'failed', error });
  }

  /**
   * Goes on, or begins the next round. Not before every send of the failed one was answered: an answer says which
   * message it is for, but not which try.
   */
  #advance(queue: Queue): void {
    if (queue.delay === undefined) return this.#pump(queue);
    if (queue.timer !== undefined || queue.items.some((item) => item.sentAt > 0)) return;
    queue.timer = setTimeout(() => {
      queue.timer = queue.delay = undefined;
      queue.failures++;
      queue.round++;
      this.#pump(queue);
    }, queue.delay);
  }

  #pump(queue: Queue): void {
    const facts = this.#facts;
    if (facts === undefined || queue.delay !== undefined || queue.isLooking) return;
    const window = facts.inPlace ? WINDOW : 1;
    for (;;) {
      const at = queue.items.findIndex((item) => item.sentAt === 0);
      if (at < 0 || at >= window) return;
      const item = queue.items[at]!;
      if (isDoubtful(item, facts.limits.dedup)) return void this.#look(queue, facts.limits.dedup);
      const wait = this.#pace.take();
      if (wait > 0) return this.#resumeIn(wait);
      this.#transmit(item, queue.round);
    }
  }

  #transmit(item: Item, round: number): void {
    const { id, target, data } = item.entry;
    item.sentAt = Date.now();
    this.#overdue ??= setTimeout(() => this.#checkOverdue(), this.#patience);
    this.#events.send({ type: 'send', id, ...target, data, try: round });
  }

  #resumeIn(wait: number): void {
    this.#pacing ??= setTimeout(() => {
      this.#pacing = undefined;
      for (const queue of this.#queues.values()) this.#pump(queue);
    }, wait);
  }

  #checkOverdue(): void {
    this.#overdue = undefined;
    const sent = [...this.#queues.values()].flatMap(({ items }) => items.map(({ sentAt }) => sentAt)).filter(Boolean);
    if (sent.length === 0) return;
    const left = Math.min(...sent) + this.#patience - Date.now();
    if (left <= 0) this.#events.stuck();
    else this.#overdue = setTimeout(() => this.#checkOverdue(), left);
  }

  /** Their ids may be forgotten: only history can tell whether an earlier try was stored. One look serves them all. */
  async #look(queue: Queue, dedup: number): Promise<void> {
    queue.isLooking = true;
    const startedAt = Date.now();
    const doubtful = queue.items.filter((item) => item.sentAt === 0 && isDoubtful(item, dedup));
    try {
      const found = await this.#events.find(doubtful.map(({ entry }) => entry));
      for (const item of doubtful) item.absentAt = startedAt;
      for (const [id, stored] of found) this.stored(id, stored);
    } catch (error) {
      // What may not be read was not stored, or the send will be refused just the same.
      if (isPassing(error)) await pause(fullJitter(REPEAT, queue.failures++));
      else for (const item of doubtful) item.absentAt = startedAt;
    }
    queue.isLooking = false;
    this.#pump(queue);
  }

  #find(id: MessageId | undefined): readonly [Queue, Item] | undefined {
    for (const queue of this.#queues.values()) {
      const item = queue.items.find(({ entry }) => entry.id === id);
      if (item !== undefined) return [queue, item];
    }
    return undefined;
  }

  #queueOf({ target }: OutboxEntry): Queue {
    const key = JSON.stringify([target.receiver, target.room, target.broadcast]);
    const queue = this.#queues.get(key);
    if (queue !== undefined) return queue;
    const created: Queue = {
      items: [],
      round: 0,
      delay: undefined,
      failures: 0,
      isLooking: false,
      timer: undefined,
    };
    this.#queues.set(key, created);
    return created;
  }

  #remove(queue: Queue, item: Item): void {
    queue.items.splice(queue.items.indexOf(item), 1);
  }
}

/** Whether it may have been stored so long ago that its id is forgotten. A clock set back proves nothing. */
function isDoubtful({ entry, absentAt }: Item, dedup: number): boolean {
  const age = Date.now() - Math.max(entry.createdAt, absentAt);
  return age < 0 || age > Math.max(DOUBT_MIN_MS, dedup * 1_000 * DOUBT_SHARE);
}
