/**
 * Pushes entries to connections, each conversation in seq order without gaps. Per connection and conversation it knows
 * the last seq it wrote: the next one is written as it comes, an older one dropped, a later one waits a moment for what
 * is missing and is then read from the log. A connection that reads too slowly, or catches up, is simply one whose
 * position is behind: everything that is not written as it comes is read from the log.
 */
import type { Conv, Uid } from '../protocol/index.js';
import { viewOf } from './answers.js';
import type { CatchUp } from './catch-up.js';
import type { Commits } from './commits.js';
import { hasMark, type Item, MARK, placeOf } from './item.js';
import type { Cell, Meter } from './meter.js';
import type { Registry } from './registry.js';
import { type Held, positionOf, type Session, type Track } from './session.js';

/** Bytes waiting for one connection above which it is not pushed to until they are gone. */
export const LAG_BYTES = 65_536;
/** Milliseconds that an entry waits for one before it, whose hint may only be late. */
const GAP_MS = 25;
/** Frames held for their turn, a conversation of a connection; what is pushed beyond comes from the log. */
const HELD_MAX = 64;
/** Answers held for their turn, a conversation of a connection; more, and the connection is closed. */
const HELD_SENT_MAX = 4_096;

export type DeliveryParts = {
  readonly registry: Registry;
  readonly meter: Meter;
  /** A feed's track came level or fell behind; see feeds.ts. */
  readonly feeds: {
    catchUp(session: Session, track: Track): 'level' | 'behind' | 'ahead';
    fallBehind(session: Session, track: Track): void;
  };
  readonly commits: Pick<Commits, 'isRepeated'>;
};

export class Delivery {
  private readonly gaps = new Map<Track, Session>();
  private gapTimer: NodeJS.Timeout | undefined;
  /** Connections that were given something which no ping has asked about yet. */
  readonly unconfirmed = new Set<Session>();
  private readonly local: Cell;
  private readonly remote: Cell;
  private readonly gapRepairs: Cell;
  private readonly dropped: Cell;
  private readonly laggingNow: Cell;
  /** Reads what is behind; set right after both exist. */
  reader!: CatchUp;

  constructor(private readonly parts: DeliveryParts) {
    const { meter } = parts;
    this.local = meter.cell('skein_messages_delivered_total', 'local');
    this.remote = meter.cell('skein_messages_delivered_total', 'remote');
    this.gapRepairs = meter.cell('skein_repairs_total', 'gap');
    this.dropped = meter.cell('skein_dropped_sends_total');
    this.laggingNow = meter.cell('skein_lagging_connections');
  }

  /** An entry of a dm for both its sides' connections here, except one. Returns whether there was anybody. */
  direct(item: Item, sides: readonly [Uid, Uid], except: Session | undefined, isLocal: boolean): boolean {
    const { conv, seq } = placeOf(item);
    const route = isLocal ? this.local : this.remote;
    const isFirst = hasMark(item, MARK.first);
    const one = this.directTo(sides[0], conv, seq, item, isFirst, except, route);
    if (sides[0] === sides[1]) return one;
    return this.directTo(sides[1], conv, seq, item, isFirst, except, route) || one;
  }

  private directTo(
    uid: Uid,
    conv: Conv,
    seq: number,
    item: Item,
    isFirst: boolean,
    except: Session | undefined,
    route: Cell,
  ): boolean {
    const user = this.parts.registry.get(uid);
    if (user === undefined) return false;
    for (const session of user.sessions) {
      if (session === except) continue;
      if (!session.arrived) {
        session.hinted ??= new Map();
        session.hinted.set(conv, seq);
        continue;
      }
      if (this.parts.commits.isRepeated(session, conv, item)) {
        this.expect(session, conv, seq);
        continue;
      }
      if (this.offer(session, conv, seq, { frame: viewOf(item, user.blocks), isSent: false }, isFirst)) route.value++;
    }
    for (const waiter of user.waiters) waiter.wake();
    return true;
  }

  /** Answers a stored send in the message's place. */
  sent(session: Session, conv: Conv, seq: number, frame: string, isFirst: boolean): void {
    this.offer(session, conv, seq, { frame, isSent: true }, isFirst);
  }

  /** Something up to this seq exists in a conversation of a connection, which may have missed the hint. */
  expect(session: Session, conv: Conv, seq: number): void {
    const track = session.tracks.get(conv) ?? this.track(session, conv, -1);
    if (seq <= positionOf(track)) return;
    track.target = Math.max(track.target, seq);
    if (track.pos < 0) this.catchUp(session, track);
    else this.awaitGap(session, track);
  }

  /** Writes an entry if it is the next one; otherwise sees to it that it comes in its turn. Returns whether written. */
  private offer(session: Session, conv: Conv, seq: number, held: Held, isFirst: boolean): boolean {
    let track = session.tracks.get(conv);
    if (track === undefined) {
      track = this.track(session, conv, isFirst ? seq - 1 : -1);
      track.level = isFirst;
    }
    if (seq <= positionOf(track)) {
      if (held.isSent) this.answer(session, held.frame);
      return false;
    }
    if (track.level && seq === track.pos + 1 && !session.lagging) {
      const written = this.write(session, track, seq, held.frame);
      if (written && track.held !== undefined) this.writeHeld(session, track);
      if (!written) this.hold(session, track, seq, held);
      return written;
    }
    this.hold(session, track, seq, held);
    if (track.pos < 0) this.catchUp(session, track);
    else if (track.level) this.awaitGap(session, track);
    return false;
  }

  /** Begins to follow a conversation on a connection whose position in it is known (or -1). */
  track(session: Session, conv: Conv, pos: number, feed?: Track['feed']): Track {
    const track: Track = {
      conv,
      from: pos,
      regained: undefined,
      pos,
      target: Math.max(pos, 0),
      level: false,
      feed,
      held: undefined,
      confirmed: pos,
      dirty: false,
      backlog: false,
    };
    session.tracks.set(conv, track);
    return track;
  }

  hold(session: Session, track: Track, seq: number, held: Held): void {
    track.target = Math.max(track.target, seq);
    const size = track.held?.size ?? 0;
    if (!held.isSent && (size >= HELD_MAX || session.lagging)) return;
    if (size >= HELD_SENT_MAX) return session.close('overloaded');
    track.held ??= new Map();
    if (held.isSent || !track.held.has(seq)) track.held.set(seq, held);
  }

  /** Writes the frame of an entry and moves the position; false if the socket did not take it. */
  write(session: Session, track: Track, seq: number, frame: string): boolean {
    const written = session.line.send(frame);
    if (written === 'dropped') {
      this.dropped.value++;
      this.lag(session);
      return false;
    }
    track.pos = seq;
    this.soil(session, track);
    if (written === 'buffered' && session.line.buffered() > LAG_BYTES) this.lag(session);
    return true;
  }

  /** Notes that the client was given something that no pong has confirmed yet. */
  soil(session: Session, track: Track): void {
    if (track.dirty || session.ack !== 'auto') return;
    track.dirty = true;
    if (session.dirty) return void session.dirty.push(track);
    session.dirty = [track];
    this.unconfirmed.add(session);
  }

  /** Writes an answer, which no log repeats: a connection that cannot take it is closed, and comes back. */
  answer(session: Session, frame: string): void {
    const written = session.line.send(frame);
    if (written === 'dropped' && !session.closed) session.close('overloaded');
    else if (written === 'buffered' && session.line.buffered() > LAG_BYTES) this.lag(session);
  }

  private writeHeld(session: Session, track: Track): void {
    const held = track.held;
    while (held !== undefined && held.size > 0 && !session.lagging) {
      const next = held.get(track.pos + 1);
      if (next === undefined || !this.write(session, track, track.pos + 1, next.frame)) break;
      held.delete(track.pos);
    }
    if (held?.size === 0) track.held = undefined;
  }

  /** From now on the connection is not pushed to; `drained` resumes from the log. */
  lag(session: Session): void {
    if (session.lagging || session.closed) return;
    session.lagging = true;
    this.laggingNow.value++;
    for (const track of session.tracks.values())
      if (track.feed && track.level) this.parts.feeds.fallBehind(session, track);
  }

  drained(session: Session): void {
    if (!session.lagging || session.closed || session.line.buffered() > LAG_BYTES / 4) return;
    session.lagging = false;
    this.laggingNow.value--;
    for (const track of session.tracks.values())
      if (track.target > track.pos || !track.level) this.catchUp(session, track);
    this.maySync(session);
  }

  /** The connection is gone: forgets it. */
  forget(session: Session): void {
    if (session.lagging) this.laggingNow.value--;
    session.lagging = false;
    session.behind?.clear();
    this.unconfirmed.delete(session);
  }

  private awaitGap(session: Session, track: Track): void {
    this.gaps.set(track, session);
    this.gapTimer ??= setTimeout(() => this.closeGaps(), GAP_MS);
  }

  private closeGaps(): void {
    this.gapTimer = undefined;
    const gaps = [...this.gaps];
    this.gaps.clear();
    for (const [track, session] of gaps) {
      if (session.closed || track.target <= positionOf(track)) continue;
      this.gapRepairs.value++;
      this.catchUp(session, track);
    }
  }

  /** Reads a conversation from the log until the connection has all of it. */
  catchUp(session: Session, track: Track): void {
    if (track.level && track.feed) this.parts.feeds.fallBehind(session, track);
    track.level = false;
    session.fallBehind(track);
    this.reader.begin(session);
  }

  /** The connection has all of a conversation; from here on it is pushed. */
  level(session: Session, track: Track): void {
    track.level = true;
    session.behind?.delete(track);
    track.target = Math.max(track.pos, ...(track.held?.keys() ?? []));
    if (track.feed === undefined) this.writeHeld(session, track);
    if (track.feed === undefined && track.target > track.pos) this.awaitGap(session, track);
    if (track.backlog) {
      track.backlog = false;
      session.backlog--;
    }
    this.maySync(session);
  }

  maySync(session: Session): void {
    if (session.synced || !session.arrived || session.backlog > 0 || session.lagging || session.closed) return;
    session.synced = session.line.send('{"type":"synced"}') !== 'dropped';
    if (!session.synced) this.lag(session);
  }
}
