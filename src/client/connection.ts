/** The state machine of the line to the server: one link at a time, and when to try for the next. */
import { CLOSE, type ClientFrame, type ServerFrame } from '../protocol/index.js';
import { type Backoff, fullJitter } from './backoff.js';
import type { Auth, Credentials } from './credentials.js';
import { SkeinError } from './failure.js';
import { Ladder } from './ladder.js';
import { onWake, type Timer } from './platform.js';
import { Renewal } from './renewal.js';
import { ASLEEP, STATE, type Status } from './status.js';
import type { Ending, Endpoint, Facts, Link, LinkEvents, OpenLink, TransportName } from './transports/link.js';

/** Milliseconds that a link must have been open before the next loss counts as the first again. */
const STEADY_MS = 5_000;
/** Loss that begins with a longer wait: the server asked for less. */
const STRAINED: ReadonlySet<number> = new Set([CLOSE.overloaded.code, CLOSE.rateLimited.code]);
const FINAL: ReadonlySet<number> = new Set(
  Object.values(CLOSE).flatMap(({ code, comeBack }) => (comeBack ? [] : [code])),
);

export type ConnectionOptions = {
  readonly endpoint: Endpoint;
  readonly credentials: Credentials;
  readonly transports: readonly (readonly [TransportName, OpenLink])[];
  readonly backoff: Backoff;
  /** Milliseconds for a link to become ready. */
  readonly connectTimeout: number;
  /** Milliseconds on a lower transport after which the best one is tried again; grows up to twentyfold. */
  readonly climbAfter: number;
};

export interface ConnectionEvents extends Pick<LinkEvents, 'frame' | 'garbled' | 'settled' | 'unsupported'> {
  status(status: Status): void;
  /** Frames may be sent, on a link that never carried one. */
  up(facts: Facts): void;
  /** What was not answered will not be, on this link. */
  down(): void;
  trouble(error: unknown): void;
}

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #events: ConnectionEvents;
  readonly #openers: ReadonlyMap<TransportName, OpenLink>;
  readonly #ladder: Ladder;
  readonly #renewal: Renewal;
  readonly #stopListening: () => void;
  #status: Status = ASLEEP;
  #link: Link | undefined;
  #candidate: Link | undefined;
  /** What the one timer of each kind is for is said by the state: connecting, waiting, or open. */
  #timer: Timer | undefined;
  #climb: Timer | undefined;
  #climbs = 0;
  #attempt = 0;
  #openedAt = 0;
  #refreshed = false;
  /** When the server wants to be asked again, after `reconnect`. */
  #recall: number | undefined;
  #isAskedToWait = false;
  /** Each try has its number: what belongs to an older one is ignored. */
  #try = 0;

  constructor(options: ConnectionOptions, events: ConnectionEvents) {
    this.#options = options;
    this.#events = events;
    this.#openers = new Map(options.transports);
    this.#ladder = new Ladder(options.transports.map(([name]) => name));
    this.#renewal = new Renewal(options.credentials, (auth) => this.#link?.renew(auth), events.trouble);
    this.#stopListening = onWake(() => this.#wake());
  }

  connect(): void {
    if (this.#status.state === STATE.closed) void this.#open();
  }

  send(frame: ClientFrame): void {
    if (this.#status.state === STATE.open) this.#link?.send(frame);
  }

  renew(auth: Auth): void {
    this.#link?.renew(auth);
  }

  /** The line is no good, whatever it says: begin anew. */
  drop(reason: string): void {
    void this.#lost({ code: 1006, reason });
  }

  async close(): Promise<void> {
    this.#stopListening();
    this.#set({ state: STATE.closing });
    const wasUp = this.#openedAt > 0;
    const closed = this.#link?.close();
    this.#reset();
    if (wasUp) this.#events.down();
    await closed;
    this.#set({ state: STATE.closed, code: 1000, reason: 'closed by the application' });
  }

  async #open(): Promise<void> {
    this.#reset();
    const number = this.#try;
    this.#set({ state: STATE.connecting });
    this.#timer = setTimeout(() => this.drop('no answer in time'), this.#options.connectTimeout);
    try {
      const auth = await this.#options.credentials.current();
      if (number !== this.#try) return;
      this.#link = this.#start(this.#ladder.current, auth);
    } catch (error) {
      if (number !== this.#try) return;
      const isFinal = error instanceof SkeinError && error.code === 'unauthorized';
      await this.#lost({ code: isFinal ? CLOSE.unauthorized.code : 1006, reason: String(error) });
    }
  }

  #start(name: TransportName, auth: Auth): Link {
    const isMine = (): boolean => link === this.#link || link === this.#candidate;
    const { settled, garbled, unsupported } = this.#events;
    const link: Link = this.#openers.get(name)!(this.#options.endpoint, auth, {
      settled,
      garbled,
      unsupported,
      ready: (facts) => isMine() && this.#ready(link, facts),
      frame: (frame) => link === this.#link && this.#receive(frame),
      down: (ending) => isMine() && this.#ended(link, ending),
    });
    return link;
  }

  #ready(link: Link, facts: Facts): void {
    clearTimeout(this.#timer);
    if (link === this.#candidate) {
      this.#candidate = undefined;
      void this.#link?.close();
      this.#link = link;
      this.#events.down();
    }
    this.#openedAt = Date.now();
    this.#refreshed = false;
    this.#ladder.reached(facts.transport);
    this.#renewal.plan(facts.clock);
    this.#planClimb();
    this.#set({ state: STATE.open, transport: facts.transport });
    this.#events.up(facts);
  }

  #receive(frame: ServerFrame): void {
    if (frame.type !== 'reconnect') return this.#events.frame(frame);
    this.#recall = Date.now() + frame.after;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.drop(CLOSE.restart.reason), frame.after);
  }

  #ended(link: Link, ending: Ending): void {
    if (link === this.#candidate) {
      this.#candidate = undefined;
      this.#planClimb();
    } else void this.#lost(ending);
  }

  async #lost(ending: Ending): Promise<void> {
    const openFor = this.#openedAt > 0 ? Date.now() - this.#openedAt : -1;
    const recall = this.#recall;
    // A token that could not be had, or an answer from the server itself, says nothing against the transport.
    const maybeBlocked = openFor < 0 && this.#link !== undefined && ending.code === 1006 && ending.retry === undefined;
    this.#reset();
    const number = this.#try;
    if (openFor >= 0) this.#events.down();
    if (openFor >= STEADY_MS) this.#attempt = 0;
    if (this.#isFinal(ending.code)) return this.#set({ state: STATE.closed, code: ending.code, reason: ending.reason });
    if (maybeBlocked) {
      const { fetch, base } = this.#options.endpoint;
      const isBlocked = await this.#ladder.failed(fetch, base);
      if (number !== this.#try) return;
      if (isBlocked) return this.#open();
    }
    this.#isAskedToWait = recall !== undefined || ending.retry !== undefined || STRAINED.has(ending.code);
    this.#wait(ending, recall === undefined ? this.#delay(ending) : recall - Date.now());
  }

  /** A refused token is renewed once; refused again, there is no use in more. */
  #isFinal(code: number): boolean {
    if (code !== CLOSE.unauthorized.code) return FINAL.has(code);
    const isOver = this.#refreshed || !this.#options.credentials.isRenewable;
    this.#refreshed = true;
    return isOver;
  }

  #delay({ code, retry }: Ending): number {
    if (STRAINED.has(code)) this.#attempt = Math.max(this.#attempt, 2);
    return (retry ?? 0) + fullJitter(this.#options.backoff, this.#attempt++);
  }

  #wait({ code, reason }: Ending, delay: number): void {
    this.#timer = setTimeout(() => void this.#open(), delay);
    this.#set({ state: STATE.closed, code, reason, next: Date.now() + Math.max(0, delay) });
  }

  /** The network may be back, or the machine slept: waiting has no use now, and a line may be dead without a sound. */
  #wake(): void {
    if (this.#status.state === STATE.open) this.#link?.probe();
    else if (this.#status.state === STATE.closed && this.#status.next !== undefined && !this.#isAskedToWait) {
      void this.#open();
    }
  }

  #planClimb(): void {
    if (this.#ladder.isBest) {
      this.#climbs = 0;
      return;
    }
    const { climbAfter } = this.#options;
    const delay = climbAfter + fullJitter({ base: climbAfter, cap: climbAfter * 20 }, this.#climbs++);
    this.#climb = setTimeout(() => {
      const { credentials, connectTimeout } = this.#options;
      this.#candidate = this.#start(this.#ladder.best, credentials.known);
      this.#climb = setTimeout(() => this.#abandonClimb(), connectTimeout);
    }, delay);
  }

  #abandonClimb(): void {
    if (this.#candidate === undefined) return;
    void this.#candidate.close();
    this.#candidate = undefined;
    this.#planClimb();
  }

  /** Ends the links and timers of the try so far, and begins the next. */
  #reset(): void {
    this.#try++;
    clearTimeout(this.#timer);
    clearTimeout(this.#climb);
    this.#renewal.stop();
    void this.#link?.close();
    void this.#candidate?.close();
    this.#link = this.#candidate = this.#recall = undefined;
    this.#openedAt = 0;
  }

  #set(status: Status): void {
    if (status.state === STATE.connecting && this.#status.state === STATE.connecting) return;
    this.#status = status;
    this.#events.status(status);
  }
}
