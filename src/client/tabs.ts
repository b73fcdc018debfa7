/**
 * Two tabs, one device: one tab holds the connection (the lock says which), the others speak through it. When it goes,
 * the next one gets the lock, connects, and takes up what is not stored yet.
 *
 * Each tab has an inbox of its own, so that it shows every entry once and in order whoever holds the connection; the
 * outbox is the leader's alone. Give all tabs one storage that they share, such as indexedDbStorage: then nothing is
 * lost with the leader.
 */
import type { Conv, MessageId, ServerFrame, Uid } from '../protocol/index.js';
import { type FailureCode, failureOf, SkeinError } from './failure.js';
import { idSource } from './ids.js';
import type { Entry } from './inbox.js';
import type { Line, LineEvents } from './line.js';
import type { Change } from './outbox.js';
import type { Peer } from './outgoings.js';
import { type Channel, type Locks, surroundings } from './platform.js';
import type { RequestFrame } from './requests.js';
import type { Status } from './status.js';
import type { OutboxEntry } from './storage.js';
import { TabLine, type ToLeader } from './tab-line.js';

/** What the leader tells all tabs. */
export type Broadcast =
  | { readonly kind: 'status'; readonly status: Status }
  | { readonly kind: 'entry'; readonly entry: Entry }
  | { readonly kind: 'frame'; readonly frame: ServerFrame }
  | { readonly kind: 'change'; readonly change: Change };

/** Where the leader stands, for a tab that just came. */
export type Snapshot = {
  readonly uid: Uid | undefined;
  readonly status: Status;
  /** What was pending at log-in has been handed on. */
  readonly isSynced: boolean;
  readonly cursors: readonly (readonly [Conv, number])[];
  readonly peers: readonly (readonly [Conv, Peer])[];
  readonly changes: readonly Change[];
};

type FromLeader =
  | Broadcast
  /** A tab leads now: say who you are. */
  | { readonly kind: 'leading' }
  | { readonly kind: 'snapshot'; readonly to: string; readonly snapshot: Snapshot }
  | { readonly kind: 'answer'; readonly to: string; readonly frame: ServerFrame }
  | { readonly kind: 'refusal'; readonly to: string; readonly id: MessageId; readonly error: Refusal };

type Refusal = { readonly code: FailureCode; readonly message: string };
type Message = FromLeader | ToLeader;

/** What a tab offers the others while it leads, and hears when that changes. */
export interface TabHost {
  /** This tab leads from now on. `unsettled`: what it had given to the leader before. */
  lead(unsettled: readonly OutboxEntry[]): void;
  snapshot(): Snapshot;
  /** There is a leader, and this is where it stands. */
  aligned(snapshot: Snapshot): void;
  ask(frame: RequestFrame): Promise<unknown>;
  tell(frame: Extract<ToLeader, { kind: 'tell' }>['frame']): void;
  reject(id: MessageId, error: SkeinError): void;
  wire(): Line | undefined;
}

export interface Seat {
  /** The line to whichever tab leads. */
  readonly line: Line;
  /** Tells the other tabs, if this one leads. */
  publish(broadcast: Broadcast): void;
  leave(): Promise<void>;
}

export interface TabSharing {
  /** Undefined where tabs cannot be told apart: then each has its own connection. */
  join(events: LineEvents, host: TabHost): Seat | undefined;
}

/**
 * Shares one device between the tabs of a browser. `name`: the same for the tabs of one user and device. Needs Web
 * Locks and BroadcastChannel, which browsers have on secure pages; elsewhere each tab connects by itself.
 */
export function shareTabs(
  name: string,
  locks: Locks | undefined = surroundings.navigator?.locks,
  openChannel: ((name: string) => Channel) | undefined = surroundings.BroadcastChannel &&
    ((of) => new surroundings.BroadcastChannel!(of)),
): TabSharing {
  return {
    join: (events, host) => {
      if (locks === undefined || openChannel === undefined) return undefined;
      return new TabSeat(name, locks, openChannel(`skein:${name}`), events, host);
    },
  };
}

class TabSeat implements Seat {
  readonly line: TabLine;
  readonly #channel: Channel;
  readonly #events: LineEvents;
  readonly #host: TabHost;
  readonly #me = idSource()();
  readonly #left = new AbortController();
  #isLeading = false;
  #release: (() => void) | undefined;

  constructor(name: string, locks: Locks, channel: Channel, events: LineEvents, host: TabHost) {
    this.#channel = channel;
    this.#events = events;
    this.#host = host;
    this.line = new TabLine(this.#me, (message) => this.#post(message), events);
    channel.onmessage = ({ data }) => this.#receive(data as Message);
    this.#post({ kind: 'hi', from: this.#me });
    locks
      .request(`skein:${name}`, { signal: this.#left.signal }, () => this.#lead())
      .catch((error: unknown) => {
        if (!this.#left.signal.aborted) events.trouble(error);
      });
  }

  publish(broadcast: Broadcast): void {
    if (this.#isLeading) this.#post(broadcast);
  }

  async leave(): Promise<void> {
    this.#left.abort();
    this.#channel.onmessage = null;
    this.#channel.close();
    this.#release?.();
  }

  #lead(): Promise<void> {
    if (this.#left.signal.aborted) return Promise.resolve();
    this.#isLeading = true;
    this.#host.lead(this.line.unsettled);
    this.#post({ kind: 'leading' });
    return new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  #post(message: Message): void {
    if (!this.#left.signal.aborted) this.#channel.postMessage(message);
  }

  #receive(message: Message): void {
    if (this.#isLeading) this.#serve(message as ToLeader);
    else this.#follow(message as FromLeader);
  }

  #serve(message: ToLeader): void {
    switch (message.kind) {
      case 'hi':
        return this.#post({ kind: 'snapshot', to: message.from, snapshot: this.#host.snapshot() });
      case 'submit':
        return this.#host.wire()?.submit(message.entry);
      case 'retry':
        return this.#host.wire()?.retry(message.id, message.order);
      case 'discard':
        return this.#host.wire()?.discard(message.id);
      case 'tell':
        return this.#host.tell(message.frame);
      case 'ask':
        return void this.#answer(message.from, message.frame);
    }
  }

  async #answer(to: string, frame: RequestFrame): Promise<void> {
    const id = frame.id!;
    try {
      const answer = await this.#host.ask(frame);
      for (const one of Array.isArray(answer) ? answer : [answer]) this.#post({ kind: 'answer', to, frame: one });
    } catch (error) {
      const { code, message } = failureOf(error);
      // This tab is closing: the one that leads next will be asked again.
      if (code !== 'closed') this.#post({ kind: 'refusal', to, id, error: { code, message } });
    }
  }

  #follow(message: FromLeader): void {
    if ('to' in message && message.to !== this.#me) return;
    switch (message.kind) {
      case 'leading':
        return this.#post({ kind: 'hi', from: this.#me });
      case 'snapshot':
        return this.#align(message.snapshot);
      case 'status':
        return this.#events.status(message.status);
      case 'entry':
        return this.#events.entry(message.entry);
      case 'frame':
      case 'answer':
        return this.#events.frame(message.frame, false);
      case 'change':
        this.line.settle(message.change);
        return this.#events.change(message.change);
      case 'refusal':
        return this.#host.reject(message.id, new SkeinError(message.error.code, message.error.message));
    }
  }

  #align(snapshot: Snapshot): void {
    this.#events.status(snapshot.status);
    for (const change of snapshot.changes) this.#events.change(change);
    this.line.up();
    this.#events.up(snapshot.uid);
    this.#host.aligned(snapshot);
  }
}
