/**
 * Rooms and `all`. A node follows a conversation while it has a member online. Entries are published to a topic, to
 * which a line is subscribed only while it is level with the node's position; all others read the log and subscribe
 * in the turn in which they catch up. A gap is read once for all members.
 */
import type { Conv, Uid } from '../protocol/index.js';
import { viewOf } from './answers.js';
import type { Commits } from './commits.js';
import { type Delivery, LAG_BYTES, sentOf, stepsOf, truncated } from './delivery.js';
import { Feed } from './feed.js';
import { frameOf, hasMark, type Item, MARK, placeOf } from './item.js';
import type { Switchboard } from './line.js';
import type { Cell, Meter } from './meter.js';
import { type Backend, Unavailable } from './ports.js';
import type { Registry, Waiter } from './registry.js';
import type { Session, Track } from './session.js';

const GAP_MS = 25;
/** Milliseconds in which the entry that ends a membership should come by itself. */
const LOSE_MS = 250;
const EARLY_MAX = 256;
const SLICE_ITEMS = 200;
const SLICE_BYTES = 262_144;
/** Bytes published to a feed after which the buffers of its connections are looked at. */
const SWEEP_BYTES = 262_144;

export type FeedParts = {
  readonly backend: Pick<Backend, 'log' | 'follow' | 'unfollow'>;
  readonly registry: Registry;
  readonly switchboard: Switchboard;
  readonly meter: Meter;
  readonly fault: (error: unknown) => void;
};

export class Feeds {
  private readonly feeds = new Map<Conv, Feed>();
  private readonly gaps = new Set<Feed>();
  private gapTimer: NodeJS.Timeout | undefined;
  private readonly delivered: Cell;
  private readonly gapRepairs: Cell;
  delivery!: Delivery;
  commits!: Commits;

  constructor(private readonly parts: FeedParts) {
    this.delivered = parts.meter.cell('skein_messages_delivered_total', 'feed');
    this.gapRepairs = parts.meter.cell('skein_repairs_total', 'feed_gap');
  }

  /** Puts a connection on a feed, at a position. */
  attach(session: Session, conv: Conv, cursor: number): Track {
    const present = session.tracks.get(conv);
    if (present?.feed) return present;
    const feed = this.openFor(conv);
    const track = this.delivery.track(session, conv, cursor, feed);
    feed.tracks.set(session, track);
    feed.behind.set(track, session);
    if (feed.open) this.settle(session, track, feed);
    return track;
  }

  detach(session: Session, conv: Conv): void {
    const track = session.tracks.get(conv);
    const feed = track?.feed;
    if (track === undefined || feed === undefined) return;
    if (!session.closed) session.line.unsubscribe(feed.topic);
    session.tracks.delete(conv);
    session.behind.delete(track);
    feed.tracks.delete(session);
    feed.behind.delete(track);
    feed.singly.delete(track);
    if (track.backlog) {
      track.backlog = false;
      session.backlog--;
    }
    this.closeUnwanted(feed);
  }

  wait(conv: Conv, waiter: Waiter): void {
    this.openFor(conv).waiters.add(waiter);
  }

  unwait(conv: Conv, waiter: Waiter): void {
    const feed = this.feeds.get(conv);
    feed?.waiters.delete(waiter);
    if (feed) this.closeUnwanted(feed);
  }

  /** A user's blocks changed: from now on their lines are written as they see it. */
  rearrange(session: Session): void {
    for (const track of session.tracks.values()) {
      if (track.feed === undefined || !track.level) continue;
      this.fallBehind(session, track);
      this.settle(session, track, track.feed);
    }
  }

  private openFor(conv: Conv): Feed {
    let feed = this.feeds.get(conv);
    if (feed === undefined) {
      feed = new Feed(conv);
      this.feeds.set(conv, feed);
      void this.begin(feed);
    }
    return feed;
  }

  private closeUnwanted(feed: Feed): void {
    if (feed.isWanted || this.feeds.get(feed.conv) !== feed) return;
    this.feeds.delete(feed.conv);
    if (feed.open) this.parts.backend.unfollow(feed.conv);
  }

  private async begin(feed: Feed): Promise<void> {
    while (this.feeds.get(feed.conv) === feed) {
      try {
        await this.parts.backend.follow(feed.conv);
        if (this.feeds.get(feed.conv) !== feed) return this.parts.backend.unfollow(feed.conv);
        const [head = 0] = await this.parts.backend.log.heads([feed.conv]);
        this.opened(feed, head);
        return;
      } catch (error) {
        if (!(error instanceof Unavailable)) this.parts.fault(error);
        await new Promise((resolve) => setTimeout(resolve, 250 + Math.random() * 500));
      }
    }
  }

  private opened(feed: Feed, head: number): void {
    feed.open = true;
    if (this.feeds.get(feed.conv) !== feed) return this.parts.backend.unfollow(feed.conv);
    feed.pos = head;
    for (const [seq] of feed.early) if (seq <= head) feed.early.delete(seq);
    for (const [track, session] of [...feed.behind]) this.settle(session, track, feed);
    for (const waiter of feed.waiters) waiter.wake();
    this.publishEarly(feed);
    if (feed.target > feed.pos) this.awaitGap(feed);
  }

  /** Makes a track level if it is, else has it read. */
  private settle(session: Session, track: Track, feed: Feed): void {
    if (session.closed) return;
    track.target = Math.max(track.target, feed.pos);
    if (track.pos < track.target) this.delivery.catchUp(session, track);
    else if (this.catchUp(session, track) === 'level') this.delivery.level(session, track);
  }

  /** Called when a track has read all it knew of. In the turn in which it is level, its line joins the topic. */
  catchUp(session: Session, track: Track): 'level' | 'behind' | 'ahead' {
    const feed = track.feed;
    if (feed === undefined || !feed.open || session.lagging) return 'ahead';
    if (track.pos < feed.pos) {
      track.target = Math.max(track.target, feed.pos);
      return 'behind';
    }
    if (track.pos > feed.pos) {
      this.expect(feed, track.pos);
      return 'ahead';
    }
    feed.behind.delete(track);
    const blocks = this.parts.registry.get(session.uid)?.blocks;
    if (blocks !== undefined && blocks.size > 0) feed.singly.set(track, session);
    else session.line.subscribe(feed.topic);
    return 'level';
  }

  fallBehind(session: Session, track: Track): void {
    const feed = track.feed;
    if (feed === undefined || !track.level) return;
    track.pos = feed.pos;
    track.level = false;
    feed.singly.delete(track);
    feed.behind.set(track, session);
    session.line.unsubscribe(feed.topic);
  }

  /** Something up to this seq exists. */
  expect(feed: Feed, seq: number): void {
    feed.target = Math.max(feed.target, seq);
    if (feed.open && feed.target > feed.pos) this.awaitGap(feed);
  }

  expectIn(conv: Conv, seq: number): void {
    const feed = this.feeds.get(conv);
    if (feed) this.expect(feed, seq);
  }

  /** The feeds of this node, for whoever looks whether they missed something. */
  convs(): Conv[] {
    return [...this.feeds.keys()];
  }

  entry(conv: Conv, item: Item, ref: number): void {
    const feed = this.feeds.get(conv);
    if (feed === undefined) return;
    const { seq } = placeOf(item);
    feed.target = Math.max(feed.target, seq);
    if (feed.open && seq === feed.pos + 1 && !feed.reading) {
      this.publish(feed, item, seq, ref);
      this.publishEarly(feed);
      return;
    }
    if (feed.open && seq <= feed.pos) return;
    if (feed.early.size < EARLY_MAX) feed.early.set(seq, { item, ref });
    if (feed.open && !feed.reading) this.awaitGap(feed);
  }

  /** A send of this node was stored: its answer goes out when the feed comes there, which it may have. */
  stored(session: Session, conv: Conv, seq: number, frame: string): void {
    const track = session.tracks.get(conv);
    const feed = track?.feed;
    if (track === undefined || feed === undefined) return this.delivery.answer(session, frame);
    const passed = track.level ? feed.pos : track.pos;
    if (seq <= passed) return this.delivery.answer(session, frame);
    this.holdAnswer(feed, session, track, seq, frame);
    this.expect(feed, seq);
  }

  private holdAnswer(feed: Feed, session: Session, track: Track, seq: number, frame: string): void {
    this.delivery.hold(session, track, seq, { frame, isSent: true });
    const answers = feed.answers.get(seq);
    if (answers) answers.push([track, session]);
    else feed.answers.set(seq, [[track, session]]);
  }

  private publishEarly(feed: Feed): void {
    for (let next = feed.early.get(feed.pos + 1); next !== undefined; next = feed.early.get(feed.pos + 1)) {
      feed.early.delete(feed.pos + 1);
      this.publish(feed, next.item, feed.pos + 1, next.ref);
    }
  }

  private publish(feed: Feed, item: Item, seq: number, ref: number): void {
    const sending = ref > 0 ? this.commits.heard(ref) : undefined;
    const own = sending && feed.tracks.get(sending.session);
    if (sending && own) this.holdAnswer(feed, sending.session, own, seq, sentOf(sending.id, item));
    const frame = frameOf(item);
    this.publishFrame(feed, seq, frame, item);
    if (hasMark(item, MARK.op)) this.membership(feed, frame);
  }

  /** Writes one frame to everybody who is level and moves the feed there. */
  private publishFrame(feed: Feed, seq: number, frame: string, item: Item | undefined): void {
    const answered = this.answersFor(feed, seq);
    this.publishAround(feed, frame, answered);
    for (const [track, session] of feed.singly) {
      if (answered.some(([own]) => own === track)) continue;
      const blocks = this.parts.registry.get(session.uid)?.blocks;
      this.delivery.write(session, track, seq, item && blocks ? viewOf(item, blocks) : frame);
    }
    feed.pos = seq;
    for (const [track, session] of answered) this.writeAnswer(session, track, seq);
    for (const [track, session] of feed.behind) {
      track.target = Math.max(track.target, seq);
      if (track.pos === seq) this.settle(session, track, feed);
      else if (!session.behind.has(track) && !session.lagging) this.delivery.catchUp(session, track);
    }
    for (const waiter of feed.waiters) waiter.wake();
    this.delivered.value += feed.tracks.size - feed.behind.size;
    feed.published += frame.length;
    if (feed.published > SWEEP_BYTES) this.sweep(feed);
  }

  private answersFor(feed: Feed, seq: number): readonly (readonly [Track, Session])[] {
    const answers = feed.answers.get(seq);
    if (answers === undefined) return NO_ANSWERS;
    feed.answers.delete(seq);
    return answers.filter(([track, session]) => track.level && !session.closed);
  }

  /** Publishes to everybody but who gets an answer instead. A topic can leave out one line; further ones leave it. */
  private publishAround(feed: Feed, frame: string, answered: readonly (readonly [Track, Session])[]): void {
    const lines = answered.filter(([track]) => !feed.singly.has(track)).map(([, session]) => session.line);
    const [except, ...others] = lines;
    for (const line of others) line.unsubscribe(feed.topic);
    this.parts.switchboard.publish(feed.topic, frame, except);
    for (const line of others) line.subscribe(feed.topic);
  }

  private writeAnswer(session: Session, track: Track, seq: number): void {
    const held = track.held?.get(seq);
    track.held?.delete(seq);
    if (held) this.delivery.answer(session, held.frame);
  }

  /** Who left or was removed hears of it as the last thing; others who joined come by Listener.onMembership. */
  private membership(feed: Feed, frame: string): void {
    const { op, data } = JSON.parse(frame);
    if (op !== 'system' || (data?.event !== 'left' && data?.event !== 'removed')) return;
    this.lose(data.uid, feed.conv);
  }

  /** A frame for everybody in a room here but its sender. */
  whisper(conv: Conv, sender: Uid, frame: string): void {
    for (const session of this.feeds.get(conv)?.tracks.keys() ?? []) {
      const isBlocked = this.parts.registry.get(session.uid)?.blocks.has(sender);
      if (session.uid !== sender && session.arrived && !session.lagging && !isBlocked)
        this.delivery.answer(session, frame);
    }
  }

  /** A user is no longer in a room. The room's log says so as well, in its place; this is for when its hint is lost. */
  loseSoon(uid: Uid, conv: Conv): void {
    const tracks = this.parts.registry
      .get(uid)
      ?.sessions.map((session) => [session, session.tracks.get(conv)] as const);
    setTimeout(() => {
      for (const [session, track] of tracks ?? [])
        if (track && session.tracks.get(conv) === track) this.detach(session, conv);
    }, LOSE_MS);
  }

  /** A user is no longer in a room. */
  private lose(uid: Uid, conv: Conv): void {
    for (const session of [...(this.parts.registry.get(uid)?.sessions ?? [])]) this.detach(session, conv);
  }

  /** Finds connections whose buffer fills, before the socket library drops what is published to them. */
  sweep(feed: Feed): void {
    feed.published = 0;
    for (const [session, track] of feed.tracks) {
      if (track.level && session.line.buffered() > LAG_BYTES) this.delivery.lag(session);
    }
  }

  sweepAll(): void {
    for (const feed of this.feeds.values()) if (feed.published > 0) this.sweep(feed);
  }

  /** Has the level connections of feeds that moved confirm what they got. */
  soil(): void {
    for (const feed of this.feeds.values()) {
      if (feed.asked === feed.pos) continue;
      feed.asked = feed.pos;
      for (const [session, track] of feed.tracks) if (track.level) this.delivery.soil(session, track);
    }
  }

  private awaitGap(feed: Feed): void {
    this.gaps.add(feed);
    this.gapTimer ??= setTimeout(() => this.closeGaps(), GAP_MS);
  }

  private closeGaps(): void {
    this.gapTimer = undefined;
    const gaps = [...this.gaps];
    this.gaps.clear();
    for (const feed of gaps) if (feed.open && !feed.reading && feed.target > feed.pos) void this.repair(feed);
  }

  private async repair(feed: Feed): Promise<void> {
    this.gapRepairs.value++;
    feed.reading = true;
    try {
      while (this.feeds.get(feed.conv) === feed && feed.target > feed.pos) {
        const slice = await this.parts.backend.log.read(feed.conv, feed.pos, SLICE_ITEMS, SLICE_BYTES);
        for (const step of stepsOf(slice, feed.pos)) {
          if (step.item !== undefined && !feed.answers.has(step.to) && this.isUnderWay(feed, step.item)) {
            await this.commits.settled();
          }
          if (step.item === undefined) this.publishFrame(feed, step.to, truncated(feed.conv, step), undefined);
          else this.publish(feed, step.item, step.to, feed.early.get(step.to)?.ref ?? 0);
          feed.early.delete(step.to);
        }
        if (slice.items.length === 0) feed.target = feed.pos;
      }
    } catch (error) {
      if (!(error instanceof Unavailable)) this.parts.fault(error);
      setTimeout(() => this.awaitGap(feed), 250 + Math.random() * 500);
    } finally {
      feed.reading = false;
    }
    this.publishEarly(feed);
    if (feed.target > feed.pos) this.awaitGap(feed);
  }

  /** An entry may be the one that a send of a connection here, still under way, will be answered with. */
  private isUnderWay(feed: Feed, item: Item): boolean {
    const user = this.parts.registry.get(JSON.parse(frameOf(item)).sender);
    return user?.sessions.some((session) => session.inFlight > 0 && feed.tracks.get(session)?.level) ?? false;
  }
}

const NO_ANSWERS: readonly (readonly [Track, Session])[] = [];
