/**
 * The clockwork of connections: heartbeats, the pings by which deliveries are confirmed, the look at full buffers, the
 * end of credentials.
 */
import { CONFIRM_MS, HEARTBEAT_SECONDS } from '../protocol/index.js';
import type { Cursors } from './cursors.js';
import type { Delivery } from './delivery.js';
import type { Feeds } from './feeds.js';
import type { Registry } from './registry.js';
import { positionOf, type Session, type Track } from './session.js';

const TICK_MS = 250;
const HEARTBEAT_MS = HEARTBEAT_SECONDS * 1000;
/** Standing still for longer than a lease: others have taken this node for dead. */
const FENCE_MS = 9_000;
/** Room and broadcast cursors are confirmed this often. */
const FEEDS_MS = 10_000;
/** Conversations that a connection remembers its position in; a further one makes it forget the oldest settled. */
const TRACKS_MAX = 1_000;

export type PulseParts = {
  readonly registry: Registry;
  readonly feeds: Feeds;
  readonly cursors: Cursors;
  readonly delivery: Delivery;
  readonly now: () => number;
  /** Ends all connections: while this process stood still, others may have taken it for dead. */
  readonly fence: () => void;
};

export class Pulse {
  private readonly timer: NodeJS.Timeout;
  private pings = 0;
  private lastFeeds: number;
  private lastHeartbeat: number;
  private lastTick: number;

  constructor(private readonly parts: PulseParts) {
    this.lastFeeds = this.lastHeartbeat = this.lastTick = parts.now();
    this.timer = setInterval(() => this.tick(), TICK_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private tick(): void {
    const now = this.parts.now();
    const stood = now - this.lastTick;
    this.lastTick = now;
    if (stood > FENCE_MS) this.parts.fence();
    this.parts.feeds.sweepAll();
    if (now - this.lastFeeds >= FEEDS_MS) {
      this.lastFeeds = now;
      this.parts.feeds.soil();
    }
    const isBeat = now - this.lastHeartbeat >= 1_000;
    if (isBeat) this.lastHeartbeat = now;
    for (const session of this.parts.delivery.unconfirmed) this.confirm(session, now);
    if (isBeat) this.beatAll(now);
  }

  private beatAll(now: number): void {
    // Whoever is closed leaves the list.
    const due: Session[] = [];
    const today = Date.now();
    for (const { sessions } of this.parts.registry.all())
      for (const session of sessions) if (isDue(session, now, today)) due.push(session);
    for (const session of due) this.beat(session, now, today);
  }

  /** Asks the client, by a ping sent after what it was given, whether it has it. */
  private confirm(session: Session, now: number): void {
    if (session.closed) return void this.parts.delivery.unconfirmed.delete(session);
    if (session.asked !== undefined || now - session.lastAsked < CONFIRM_MS) return;
    const upTo = session.dirty.map((track) => {
      track.dirty = false;
      return [track, positionOf(track)] as const;
    });
    session.dirty = [];
    this.parts.delivery.unconfirmed.delete(session);
    session.lastAsked = now;
    session.asked = { payload: `c${++this.pings}`, upTo };
    session.line.ping(session.asked.payload);
  }

  private beat(session: Session, now: number, today: number): void {
    if (now - session.lastPong > 2 * HEARTBEAT_MS) session.line.close(1001, 'no sign of life');
    else if (now >= session.pingAt) {
      session.pingAt = now + HEARTBEAT_MS;
      if (session.asked === undefined) session.line.ping('');
    }
    if (today >= (session.identity.expires ?? Number.POSITIVE_INFINITY)) session.close('unauthorized');
    if (session.tracks.size > TRACKS_MAX) this.thin(session);
  }

  private thin(session: Session): void {
    for (const track of session.tracks.values()) {
      if (session.tracks.size <= TRACKS_MAX) return;
      if (this.isSettled(session, track)) session.tracks.delete(track.conv);
    }
  }

  private isSettled(session: Session, track: Track): boolean {
    const { uid, device } = session;
    const isConfirmed = track.confirmed >= track.pos && !track.dirty;
    return (
      isConfirmed &&
      track.level &&
      track.feed === undefined &&
      !this.parts.cursors.isWaiting({ uid, device, conv: track.conv })
    );
  }

  pong(session: Session, payload: string): void {
    session.lastPong = this.parts.now();
    session.pingAt = session.lastPong + HEARTBEAT_MS;
    if (session.asked === undefined || session.asked.payload !== payload) return;
    const { upTo } = session.asked;
    session.asked = undefined;
    for (const [track, seq] of upTo) this.has(session, track, seq);
  }

  /** The client closed in order: it has all that left this process. */
  closedInOrder(session: Session): void {
    if (session.ack !== 'auto') return;
    for (const [track, seq] of session.asked?.upTo ?? []) this.has(session, track, seq);
    for (const track of session.tracks.values()) this.has(session, track, positionOf(track));
  }

  private has(session: Session, track: Track, seq: number): void {
    if (seq <= track.confirmed) return;
    track.confirmed = seq;
    this.parts.cursors.note({ uid: session.uid, device: session.device, conv: track.conv, delivered: seq }, session);
  }
}

/** Whether a beat has anything to do for a connection; `now` on the clock that never goes back, `today` since 1970. */
const isDue = ({ pingAt, lastPong, identity, tracks }: Session, now: number, today: number): boolean =>
  now >= pingAt ||
  now - lastPong > 2 * HEARTBEAT_MS ||
  today >= (identity.expires ?? Number.POSITIVE_INFINITY) ||
  tracks.size > TRACKS_MAX;
