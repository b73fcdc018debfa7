/**
 * The flow of one feed's entries to its connections: in order, the sender's own connection getting the answer in place
 * of the entry, and a gap read once for all.
 */
import type { Uid } from '../protocol/index.js';
import { sentOf, viewOf } from './answers.js';
import type { Commits } from './commits.js';
import type { Delivery } from './delivery.js';
import type { Feed } from './feed.js';
import type { Feeds } from './feeds.js';
import { frameOf, hasMark, type Item, MARK, placeOf, senderOf } from './item.js';
import type { Switchboard } from './line.js';
import type { Cell, Meter } from './meter.js';
import { type Log, Unavailable } from './ports.js';
import type { Registry } from './registry.js';
import type { Session, Track } from './session.js';
import { stepsOf, truncated } from './slices.js';

const GAP_MS = 25;
const EARLY_MAX = 256;
const SLICE_ITEMS = 200;
const SLICE_BYTES = 262_144;
/** Bytes published to a feed after which the buffers of its connections are looked at. */
const SWEEP_BYTES = 262_144;

export type PublisherParts = {
  readonly log: Log;
  readonly registry: Registry;
  readonly switchboard: Switchboard;
  readonly meter: Meter;
  readonly delivery: Delivery;
  readonly commits: Commits;
  readonly feeds: Feeds;
  readonly fault: (error: unknown) => void;
};

export class Publisher {
  private readonly gaps = new Set<Feed>();
  private gapTimer: NodeJS.Timeout | undefined;
  private readonly delivered: Cell;
  private readonly gapRepairs: Cell;

  constructor(private readonly parts: PublisherParts) {
    this.delivered = parts.meter.cell('skein_messages_delivered_total', 'feed');
    this.gapRepairs = parts.meter.cell('skein_repairs_total', 'feed_gap');
  }

  /** Something up to this seq exists. */
  expect(feed: Feed, seq: number): void {
    feed.target = Math.max(feed.target, seq);
    if (feed.open && feed.target > feed.pos) this.awaitGap(feed);
  }

  /** An entry, in its turn or early. */
  entry(feed: Feed, item: Item, ref: number): void {
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
  stored(feed: Feed, session: Session, track: Track, seq: number, frame: string): void {
    const passed = track.level ? feed.pos : track.pos;
    if (seq <= passed) return this.parts.delivery.answer(session, frame);
    this.holdAnswer(feed, session, track, seq, frame);
    this.expect(feed, seq);
  }

  private holdAnswer(feed: Feed, session: Session, track: Track, seq: number, frame: string): void {
    this.parts.delivery.hold(session, track, seq, { frame, isSent: true });
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
    const sending = ref > 0 ? this.parts.commits.heard(ref) : undefined;
    const own = sending && feed.tracks.get(sending.session);
    if (sending && own) this.holdAnswer(feed, sending.session, own, seq, sentOf(sending.id, item));
    else if (!this.parts.commits.isIdle) this.leaveRepeatsToTheLog(feed, item);
    const frame = frameOf(item);
    const change = hasMark(item, MARK.op) ? changeIn(frame) : undefined;
    if (change?.event === 'created') this.parts.feeds.refound(feed, seq);
    this.publishFrame(feed, seq, frame, item);
    // Who left or was removed hears of it as the last thing; others who joined come by Listener.onMembership.
    if (change?.event === 'left' || change?.event === 'removed') this.parts.feeds.lose(change.uid, feed.conv, seq);
  }

  /** Connections that are sending the very message that came from elsewhere read on when they have their answer. */
  private leaveRepeatsToTheLog(feed: Feed, item: Item): void {
    for (const session of this.parts.registry.get(senderOf(item))?.sessions ?? []) {
      const track = feed.tracks.get(session);
      if (track?.level && this.parts.commits.isRepeated(session, feed.conv, item))
        this.parts.feeds.fallBehind(session, track);
    }
  }

  /** Writes one frame to everybody who is level and moves the feed there. */
  private publishFrame(feed: Feed, seq: number, frame: string, item: Item | undefined): void {
    const answered = this.answersFor(feed, seq);
    this.publishAround(feed, frame, answered);
    for (const [track, session] of feed.singly) {
      if (answered.some(([own]) => own === track)) continue;
      const blocks = this.parts.registry.get(session.uid)?.blocks;
      this.parts.delivery.write(session, track, seq, item && blocks ? viewOf(item, blocks) : frame);
    }
    feed.pos = seq;
    for (const [track, session] of answered) this.writeAnswer(session, track, seq);
    for (const [track, session] of feed.behind) {
      track.target = Math.max(track.target, seq);
      if (track.pos === seq) this.parts.feeds.settle(session, track, feed);
      else if (!session.behind?.has(track) && !session.lagging) this.parts.delivery.catchUp(session, track);
    }
    for (const waiter of feed.waiters) waiter.wake();
    this.delivered.value += feed.tracks.size - feed.behind.size;
    feed.published += frame.length;
    if (feed.published > SWEEP_BYTES) this.parts.feeds.sweep(feed);
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
    if (held) this.parts.delivery.answer(session, held.frame);
  }

  /** The feed was opened or read: goes on with what came early. */
  resume(feed: Feed): void {
    this.publishEarly(feed);
    if (feed.target > feed.pos) this.awaitGap(feed);
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
      while (this.parts.feeds.isFollowed(feed) && feed.target > feed.pos) {
        const slice = await this.parts.log.read(feed.conv, feed.pos, SLICE_ITEMS, SLICE_BYTES);
        for (const step of stepsOf(slice, feed.pos)) {
          if (step.item !== undefined && !feed.answers.has(step.to) && this.isUnderWay(feed, step.item)) {
            await this.parts.commits.settled();
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
    this.resume(feed);
  }

  /** An entry may be the one that a send of a connection here, still under way, will be answered with. */
  private isUnderWay(feed: Feed, item: Item): boolean {
    const user = this.parts.registry.get(senderOf(item));
    return user?.sessions.some((session) => session.inFlight > 0 && feed.tracks.get(session)?.level) ?? false;
  }
}

/** What an entry says of a room. */
function changeIn(frame: string): { readonly event: string; readonly uid: Uid } | undefined {
  const { op, data } = JSON.parse(frame);
  return op === 'system' ? data : undefined;
}

const NO_ANSWERS: readonly (readonly [Track, Session])[] = [];
