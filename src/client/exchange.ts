/** Puts the parts together: what the line brings goes to the part it is for, and what they want goes to the line. */
import type { ClientFrame, Conv, MessageFrame, ServerFrame, Uid } from '../protocol/index.js';
import { changeEntry } from './entries.js';
import type { Emitter } from './events.js';
import { failureOf, SkeinError } from './failure.js';
import { idSource } from './ids.js';
import { type Entry, Inbox } from './inbox.js';
import type { Line, LineEvents } from './line.js';
import { findInHistory } from './lookup.js';
import { Marks } from './marks.js';
import type { Change } from './outbox.js';
import type { Outgoing } from './outgoing.js';
import { Outgoings } from './outgoings.js';
import { OwnLine, type OwnLineOptions } from './own-line.js';
import { onLeave } from './platform.js';
import { type RequestFrame, Requests } from './requests.js';
import { ASLEEP, STATE, type Status } from './status.js';
import type { OutboxEntry, OutboxStorage } from './storage.js';
import type { Broadcast, Seat, TabSharing } from './tabs.js';

/** Milliseconds between two looks at receipts, where the transport pushes none. */
const PEERS_MS = 5_000;

type Frame<T extends ServerFrame['type']> = Extract<ServerFrame, { readonly type: T }>;

/** What an application listens to. */
export type Events = {
  /** The connection's state changed. */
  state: Status;
  /** An entry of a conversation's log, one's own included: each once, in `seq` order. It is acknowledged when all
   * listeners have returned, and the promises that they returned have settled. */
  message: MessageFrame;
  /** These numbers will not come: see the protocol. For the reason `restart` there is nothing to show. */
  truncated: Frame<'truncated'>;
  /** How far the other side of a dm, or this user on another device, has come. */
  receipt: Frame<'receipt'>;
  typing: Frame<'typing'>;
  presence: Frame<'presence'>;
  /** What was pending at log-in has been handed on. */
  synced: Frame<'synced'>;
  /** One's own message changed its state; also those of other tabs, and those that an earlier run left. */
  outgoing: Outgoing;
  /** Something failed that belongs to no request; nothing is lost by it. */
  error: SkeinError;
};

export type ExchangeOptions = Omit<OwnLineOptions, 'find' | 'uid'> & {
  readonly storage: OutboxStorage;
  readonly tabs: TabSharing | undefined;
  readonly acks: (conv: Conv) => boolean;
  readonly cursors: Iterable<readonly [Conv, number]>;
  readonly requestTimeout: number;
};

export class Exchange {
  readonly requests: Requests;
  readonly marks: Marks;
  readonly outgoings: Outgoings;
  readonly inbox: Inbox;
  readonly nextId = idSource();
  readonly watched = new Set<Uid>();
  readonly #options: ExchangeOptions;
  readonly #emitter: Emitter<Events>;
  readonly #line: LineEvents;
  #status: Status = ASLEEP;
  #uid: Uid | undefined;
  #wire: Line | undefined;
  #seat: Seat | undefined;
  #order = 0;
  #persisted: Promise<unknown> = Promise.resolve();
  #peers: ReturnType<typeof setInterval> | undefined;
  #stopListening: (() => void) | undefined;
  #isSynced = false;

  constructor(options: ExchangeOptions, emitter: Emitter<Events>) {
    this.#options = options;
    this.#emitter = emitter;
    this.#uid = options.credentials.uid;
    const send = (frame: ClientFrame): void => this.#wire?.send(frame);
    this.requests = new Requests(send, this.nextId, options.requestTimeout);
    this.marks = new Marks(send);
    const trouble = (error: unknown): void => void emitter.emit('error', failureOf(error));
    this.outgoings = new Outgoings(
      { retry: (id) => this.#wire?.retry(id, this.#nextOrder()), discard: (id) => this.discard(id) },
      (outgoing) => void emitter.emit('outgoing', outgoing),
    );
    this.inbox = new Inbox(
      {
        hand: (entry) => this.#hand(entry),
        done: (conv, seq) => options.acks(conv) && this.marks.ack(conv, seq),
        page: (conv, place) =>
          this.requests.ask({ type: 'history', conv, ...place, limit: 'before' in place ? 1 : 200 }),
        trouble,
      },
      options.cursors,
    );
    this.#line = {
      status: (status) => this.#setStatus(status),
      up: (uid) => this.#up(uid),
      down: () => this.marks.down(),
      entry: (entry, isRepeat) => this.inbox.receive(entry, isRepeat),
      frame: (frame, inPlace) => this.#receive(frame, inPlace),
      change: (change) => this.#change(change),
      unsupported: ({ type, id }) =>
        this.requests.reject(id, new SkeinError('unsupported', `${type} needs a WebSocket`)),
      settled: () => this.inbox.settled(),
      trouble,
    };
  }

  get status(): Status {
    return this.#status;
  }

  get uid(): Uid | undefined {
    return this.#uid;
  }

  connect(): void {
    if (this.#wire !== undefined) return this.#wire.connect();
    this.#stopListening = onLeave(() => this.marks.flush());
    this.#seat = this.#options.tabs?.join(this.#line, {
      lead: (unsettled) => this.#lead(unsettled),
      snapshot: () => ({
        uid: this.#uid,
        status: this.#status,
        isSynced: this.#isSynced,
        cursors: this.inbox.cursors,
        peers: this.outgoings.peers,
        changes: this.outgoings.unsettled,
      }),
      aligned: ({ cursors, peers, isSynced }) => {
        this.inbox.align(cursors);
        for (const [conv, peer] of peers) this.outgoings.receipt(conv, peer);
        if (isSynced) this.#pass({ type: 'synced' });
      },
      ask: (frame) => this.#askFor(frame),
      tell: (frame) => this.tell(frame),
      reject: (id, error) => this.requests.reject(id, error),
      wire: () => this.#wire,
    });
    if (this.#seat === undefined) this.#lead([]);
    else if (this.#wire === undefined) this.#wire = this.#seat.line;
  }

  /** Accepts a message: it will go out once, whatever happens after the storage has it. */
  send(entry: Omit<OutboxEntry, 'order' | 'createdAt'>): Outgoing {
    const known = this.outgoings.get(entry.id);
    if (known !== undefined) return known;
    const whole: OutboxEntry = { ...entry, order: this.#nextOrder(), createdAt: Date.now() };
    const outgoing = this.outgoings.add(whole);
    // In turn, so that a storage of any speed keeps the order.
    this.#persisted = this.#persisted
      .then(() => this.#options.storage.put(whole))
      .catch(this.#line.trouble)
      .then(() => this.#wire?.submit(whole));
    void this.#emitter.emit('outgoing', outgoing);
    return outgoing;
  }

  discard(id: Outgoing['id']): void {
    this.#wire?.discard(id);
    this.outgoings.forget(id);
  }

  /** What needs no answer: this client's, or another tab's. */
  tell(frame: ClientFrame): void {
    if (frame.type === 'read') this.marks.read(frame.conv, frame.seq);
    else this.#wire?.send(frame);
  }

  renew(token: string): void {
    this.#wire?.renew(this.#options.credentials.replace(token));
  }

  async close(): Promise<void> {
    const [wire, seat] = [this.#wire, this.#seat];
    if (wire === undefined) return;
    clearInterval(this.#peers);
    this.#stopListening?.();
    this.marks.close();
    this.requests.close();
    this.#wire = this.#seat = undefined;
    await wire.close();
    await seat?.leave();
  }

  /** From now on the connection is this client's own. `unsettled`: what it had given to another tab. */
  #lead(unsettled: readonly OutboxEntry[]): void {
    const find: OwnLineOptions['find'] = async (entries, clock) =>
      this.#uid === undefined ? new Map() : findInHistory(this.requests, this.#uid, entries, clock);
    const line = new OwnLine({ ...this.#options, find, uid: () => this.#uid }, this.#line);
    this.#wire = line;
    line.connect(unsettled);
    clearInterval(this.#peers);
    this.#peers = setInterval(() => this.#lookAtPeers(), PEERS_MS);
  }

  #setStatus(status: Status): void {
    this.#status = status;
    if (status.state !== STATE.open) this.#isSynced = false;
    this.#publish({ kind: 'status', status });
    void this.#emitter.emit('state', status);
  }

  #up(uid: Uid | undefined): void {
    this.#uid = uid ?? this.#uid;
    this.marks.up();
    this.requests.up();
    this.inbox.up();
    if (this.watched.size > 0) {
      this.requests.ask({ type: 'watch', uids: [...this.watched] }).then(
        (presences) => {
          for (const presence of presences) void this.#emitter.emit('presence', presence);
        },
        (error: unknown) => this.#line.trouble(error),
      );
    }
  }

  #hand(entry: Entry): Promise<void> | undefined {
    this.#publish({ kind: 'entry', entry });
    return entry.type === 'message' ? this.#emitter.emit('message', entry) : this.#emitter.emit('truncated', entry);
  }

  #change(change: Change): void {
    this.#publish({ kind: 'change', change });
    this.outgoings.apply(change);
  }

  #receive(frame: ServerFrame, inPlace: boolean): void {
    const asked = this.requests.answer(frame);
    switch (frame.type) {
      case 'sent':
        if (inPlace) this.#place(asked, frame);
        return;
      case 'conversations':
        for (const { conv, peer } of frame.conversations) if (peer) this.outgoings.receipt(conv, peer);
        return;
      case 'left':
        return this.inbox.forget(frame.conv);
      case 'error':
        if (asked === undefined) void this.#emitter.emit('error', SkeinError.of(frame));
        return;
      case 'receipt':
        if (frame.uid !== this.#uid) this.outgoings.receipt(frame.conv, frame);
        return this.#pass(frame);
      case 'presence':
        if (asked === undefined) this.#pass(frame);
        return;
      case 'typing':
      case 'synced':
        return this.#pass(frame);
    }
  }

  #pass(frame: Frame<'receipt' | 'typing' | 'presence' | 'synced'>): void {
    if (frame.type === 'synced') this.#isSynced = true;
    this.#publish({ kind: 'frame', frame });
    void this.#emitter.emit(frame.type, frame as never);
  }

  /** `sent` stands in the place of an entry that recall, edit or react made. */
  #place(asked: RequestFrame | undefined, sent: Frame<'sent'>): void {
    const entry = asked && this.#uid && changeEntry(asked, sent, this.#uid);
    if (entry) this.inbox.receive(entry, sent.dup);
    else if (!sent.dup) this.inbox.missing(sent.conv, sent.seq);
  }

  /** Another tab's request. */
  #askFor(frame: RequestFrame): Promise<unknown> {
    if (frame.type === 'watch') for (const uid of frame.uids) this.watched.add(uid);
    const { id, ...request } = frame;
    return this.requests.ask(request as Parameters<Requests['ask']>[0], id);
  }

  #lookAtPeers(): void {
    const isDeaf = this.#status.state === STATE.open && this.#status.transport === 'poll';
    if (!isDeaf || !this.outgoings.isCurious) return;
    this.requests.ask({ type: 'conversations' }).catch(this.#line.trouble);
  }

  #publish(broadcast: Broadcast): void {
    this.#seat?.publish(broadcast);
  }

  #nextOrder(): number {
    this.#order = Math.max(this.#order + 1, Date.now() * 1_000);
    return this.#order;
  }
}
