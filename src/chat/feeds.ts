/**
 * Rooms and `all`. A node follows a conversation while it has a member online. Entries are published to a topic, to
 * which a line is subscribed only while it is level with the node's position; all others read the log and subscribe
 * in the turn in which they catch up. A gap is read once for all members.
 */
import type { Conv, Uid } from '../protocol/index.js';
import { type Delivery, LAG_BYTES } from './delivery.js';
import { Feed } from './feed.js';
import type { Item } from './item.js';
import { type Backend, Unavailable } from './ports.js';
import type { Publisher } from './publisher.js';
import type { Registry, Waiter } from './registry.js';
import { positionOf, type Session, type Track } from './session.js';

/** Milliseconds in which the entry that ends a membership should come by itself. */
const LOSE_MS = 250;

export type FeedParts = {
  readonly backend: Pick<Backend, 'log' | 'follow' | 'unfollow'>;
  readonly registry: Registry;
  readonly fault: (error: unknown) => void;
};

export class Feeds {
  private readonly feeds = new Map<Conv, Feed>();
  /** Set right after all of them exist, for they know each other. */
  delivery!: Delivery;
  publisher!: Publisher;

  constructor(private readonly parts: FeedParts) {}

  /** Puts a connection on a feed, at a position; it has to be told everything up to `head` before it is level. */
  attach(session: Session, conv: Conv, cursor: number, head = 0): Track {
    const present = session.tracks.get(conv);
    if (present?.feed) return present;
    const feed = this.openFor(conv);
    const track = this.delivery.track(session, conv, cursor, feed);
    track.target = Math.max(track.target, head);
    feed.tracks.set(session, track);
    feed.behind.set(track, session);
    if (feed.open) this.settle(session, track, feed);
    return track;
  }

  /** A room was gained, perhaps by somebody whose leaving it is still to be told. */
  gain(session: Session, conv: Conv, since: number): void {
    const present = session.tracks.get(conv);
    if (present?.feed && positionOf(present) < since) present.regained = since;
    else this.attach(session, conv, since);
  }

  detach(session: Session, conv: Conv): void {
    const track = session.tracks.get(conv);
    const feed = track?.feed;
    if (track === undefined || feed === undefined) return;
    if (!session.closed) session.line.unsubscribe(feed.topic);
    session.tracks.delete(conv);
    session.behind?.delete(track);
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
    this.publisher.resume(feed);
  }

  /** Makes a track level if it is, else has it read. */
  settle(session: Session, track: Track, feed: Feed): void {
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
      this.publisher.expect(feed, track.pos);
      return 'ahead';
    }
    feed.behind.delete(track);
    const blocks = this.parts.registry.get(session.uid)?.blocks;
    if (!session.line.broadcasts || (blocks?.size ?? 0) > 0) feed.singly.set(track, session);
    else session.line.subscribe(feed.topic);
    return 'level';
  }

  fallBehind(session: Session, track: Track): void {
    const feed = track.feed;
    if (feed === undefined || !track.level) return;
    track.pos = Math.max(track.pos, feed.pos);
    track.level = false;
    feed.singly.delete(track);
    feed.behind.set(track, session);
    session.line.unsubscribe(feed.topic);
  }

  /** Something up to this seq exists. */
  expectIn(conv: Conv, seq: number): void {
    const feed = this.feeds.get(conv);
    if (feed) this.publisher.expect(feed, seq);
  }

  /** The feeds of this node, for whoever looks whether they missed something. */
  convs(): Conv[] {
    return [...this.feeds.keys()];
  }

  /** An entry of a room or of `all` was stored; `ref` names the send of this node that it came from, else 0. */
  entry(conv: Conv, item: Item, ref: number): void {
    const feed = this.feeds.get(conv);
    if (feed) this.publisher.entry(feed, item, ref);
  }

  /** A send of this node was stored: its answer goes out when the feed comes there, which it may have. */
  stored(session: Session, conv: Conv, seq: number, frame: string): void {
    const track = session.tracks.get(conv);
    if (track?.feed) this.publisher.stored(track.feed, session, track, seq, frame);
    else this.delivery.answer(session, frame);
  }

  isFollowed(feed: Feed): boolean {
    return this.feeds.get(feed.conv) === feed;
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
        if (track && session.tracks.get(conv) === track) this.end(session, track);
    }, LOSE_MS);
  }

  /** A user is no longer in a room, by the entry at this seq. */
  lose(uid: Uid, conv: Conv, seq: number): void {
    for (const session of [...(this.parts.registry.get(uid)?.sessions ?? [])]) {
      const track = session.tracks.get(conv);
      if (track?.feed && track.from < seq) this.end(session, track);
    }
  }

  /** A room of this name begins with the entry at this seq: who was in the one before it is not in this one. */
  refound(feed: Feed, seq: number): void {
    for (const [session, track] of [...feed.tracks]) if (track.from < seq - 1) this.end(session, track);
  }

  private end(session: Session, track: Track): void {
    this.detach(session, track.conv);
    if (track.regained === undefined || session.closed) return;
    const { held } = track;
    track.level = false;
    track.held = undefined;
    const next = this.attach(session, track.conv, track.regained);
    for (const [seq, { frame, isSent }] of held ?? [])
      if (isSent && next.feed) this.publisher.stored(next.feed, session, next, seq, frame);
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
      for (const [session, track] of feed.tracks)
        if (track.level && track.confirmed < feed.pos) this.delivery.soil(session, track);
    }
  }
}
