/**
 * The clockwork of connections: heartbeats, the pings by which deliveries are confirmed, the look at full buffers, the
 * end of credentials.
 */
import { CONFIRM_MS, HEARTBEAT_SECONDS } from '../protocol/index.js';
import type { Cursors } from './cursors.js';
import type { Delivery } from './delivery.js';
import type { Feeds } from './feeds.js';
import { positionOf, type Session, type Track } from './session.js';

const TICK_MS = 250;
const BEAT_MS = 1_000;
const HEARTBEAT_MS = HEARTBEAT_SECONDS * 1000;
/** Standing still for longer than a lease: others have taken this node for dead. */
const FENCE_MS = 9_000;
/** Room and broadcast cursors are confirmed this often. */
const FEEDS_MS = 10_000;
/** Conversations that a connection remembers its position in; a further one makes it forget the oldest settled. */
const TRACKS_MAX = 1_000;

export type PulseParts = {
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
  private lastTick: number;
  /** The last beat, counted in seconds. */
  private beat: number;
  /** Beat → the connections to look at then: to look at all of them each time costs more than all else while idle. */
  private readonly looks = new Map<number, Set<Session>>();

  constructor(private readonly parts: PulseParts) {
    this.lastFeeds = this.lastTick = parts.now();
    this.beat = Math.floor(this.lastTick / BEAT_MS);
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
    for (const session of this.parts.delivery.unconfirmed) this.confirm(session, now);
    while (this.beat < Math.floor(now / BEAT_MS)) this.lookAll(++this.beat, now);
  }

  /** From now on a connection is looked at when there is something to do for it. Again when its credentials change. */
  watch(session: Session): void {
    this.forget(session);
    const { pingAt, lastPong, identity } = session;
    const end = identity.expires === undefined ? pingAt : this.parts.now() + identity.expires - Date.now();
    const due = Math.ceil(Math.min(pingAt, lastPong + 2 * HEARTBEAT_MS, end) / BEAT_MS);
    session.lookAt = Math.max(due, this.beat + 1);
    const looked = this.looks.get(session.lookAt);
    if (looked) looked.add(session);
    else this.looks.set(session.lookAt, new Set([session]));
  }

  forget(session: Session): void {
    this.looks.get(session.lookAt)?.delete(session);
  }

  private lookAll(beat: number, now: number): void {
    const due = this.looks.get(beat) ?? [];
    this.looks.delete(beat);
    for (const session of due) {
      this.look(session, now);
      if (!session.closed) this.watch(session);
    }
  }

  /** Asks the client, by a ping sent after what it was given, whether it has it. */
  private confirm(session: Session, now: number): void {
    if (session.closed) return void this.parts.delivery.unconfirmed.delete(session);
    if (session.asked !== undefined || now - session.lastAsked < CONFIRM_MS) return;
    const upTo = (session.dirty ?? []).map((track) => {
      track.dirty = false;
      return [track, positionOf(track)] as const;
    });
    session.dirty = undefined;
    this.parts.delivery.unconfirmed.delete(session);
    session.lastAsked = Math.floor(now);
    session.asked = { payload: `c${++this.pings}`, upTo };
    this.ping(session, session.asked.payload);
  }

  private look(session: Session, now: number): void {
    if (now - session.lastPong > 2 * HEARTBEAT_MS) session.line.close(1001, 'no sign of life');
    else if (now >= session.pingAt) {
      session.pingAt = Math.floor(now) + HEARTBEAT_MS;
      if (session.asked === undefined) this.ping(session, '');
    }
    if (Date.now() >= (session.identity.expires ?? Number.POSITIVE_INFINITY)) session.close('unauthorized');
    if (session.tracks.size > TRACKS_MAX) this.thin(session);
  }

  private ping(session: Session, payload: string): void {
    session.pings++;
    session.line.ping(payload);
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

  /** Returns whether it was asked for. */
  pong(session: Session, payload: string): boolean {
    const isAsked = session.pings > 0;
    if (isAsked) session.pings--;
    session.lastPong = Math.floor(this.parts.now());
    session.pingAt = session.lastPong + HEARTBEAT_MS;
    if (session.asked === undefined || session.asked.payload !== payload) return isAsked;
    const { upTo } = session.asked;
    session.asked = undefined;
    for (const [track, seq] of upTo) this.has(session, track, seq);
    return isAsked;
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
