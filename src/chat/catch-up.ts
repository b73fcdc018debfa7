/** Reads the log for connections that are behind, one conversation of each at a time, a bounded number at once. */
import { viewOf } from './answers.js';
import type { Delivery, DeliveryParts } from './delivery.js';
import { Gate } from './gate.js';
import { type Item, senderOf } from './item.js';
import type { Cell } from './meter.js';
import { type Log, type Slice, Unavailable } from './ports.js';
import type { Session, Track } from './session.js';
import { stepsOf, truncated } from './slices.js';

const SLICE_ITEMS = 200;
const SLICE_BYTES = 131_072;
const READS_AT_ONCE = 32;

export type CatchUpParts = Pick<DeliveryParts, 'registry' | 'meter' | 'feeds'> & {
  readonly log: Log;
  readonly delivery: Delivery;
  /** Resolves when every send that is under way now has been answered. */
  readonly settled: () => Promise<void>;
  readonly fault: (error: unknown) => void;
};

export class CatchUp {
  private readonly gate = new Gate(READS_AT_ONCE);
  private readonly backlog: Cell;
  private readonly repair: Cell;

  constructor(private readonly parts: CatchUpParts) {
    this.backlog = parts.meter.cell('skein_messages_delivered_total', 'backlog');
    this.repair = parts.meter.cell('skein_messages_delivered_total', 'repair');
  }

  /** Reads what `session.behind` holds, unless that is under way or the connection lags. */
  begin(session: Session): void {
    if (!session.reading && !session.lagging) void this.readOn(session);
  }

  private async readOn(session: Session): Promise<void> {
    session.reading = true;
    try {
      while (!session.closed && !session.lagging) {
        const [track] = session.behind ?? [];
        if (track === undefined) break;
        session.behind?.delete(track);
        await this.readSlice(session, track);
      }
    } catch (error) {
      if (!(error instanceof Unavailable)) this.parts.fault(error);
      setTimeout(() => void this.readOn(session), 250 + Math.random() * 500);
      return;
    }
    session.reading = false;
    this.parts.delivery.maySync(session);
  }

  private async readSlice(session: Session, track: Track): Promise<void> {
    const after = track.pos < 0 ? { uid: session.uid, device: session.device } : track.pos;
    session.fallBehind(track);
    const slice = await this.gate.run(() => this.parts.log.read(track.conv, after, SLICE_ITEMS, SLICE_BYTES));
    session.behind?.delete(track);
    // It may have come level meanwhile, by the feed; then what was read was written already, or is to be.
    if (session.closed || track.level || session.tracks.get(track.conv) !== track) return;
    let metOwn = false;
    session.line.cork(() => {
      metOwn = this.writeSlice(session, track, slice);
    });
    if (metOwn) await this.parts.settled();
    if (!track.level) this.afterSlice(session, track, slice);
  }

  /** Returns whether it stopped at an entry that a send of this connection, still under way, may be answered with. */
  private writeSlice(session: Session, track: Track, slice: Slice): boolean {
    const user = this.parts.registry.get(session.uid);
    const route = track.backlog ? this.backlog : this.repair;
    if (track.pos < 0) track.pos = track.confirmed = slice.after;
    track.target = Math.max(track.target, slice.head);
    for (const step of stepsOf(slice, track.pos)) {
      const held = track.held?.get(step.to);
      if (step.item !== undefined && held === undefined && isOwnUnderWay(session, step.item)) return true;
      const frame =
        step.item === undefined
          ? truncated(track.conv, step)
          : (held?.frame ?? viewOf(step.item, user?.blocks ?? EMPTY));
      if (!this.parts.delivery.write(session, track, step.to, frame)) return false;
      track.held?.delete(step.to);
      if (step.item !== undefined) route.value++;
      if (session.lagging) return false;
    }
    return false;
  }

  private afterSlice(session: Session, track: Track, slice: Slice): void {
    if (session.closed) return;
    this.answerHeldBelow(session, track);
    if (track.pos < track.target && !(slice.items.length === 0 && track.pos >= slice.head)) {
      session.fallBehind(track);
      return;
    }
    if (track.feed === undefined) this.parts.delivery.level(session, track);
    else {
      const standing = this.parts.feeds.catchUp(session, track);
      if (standing === 'behind') session.fallBehind(track);
      else if (standing === 'level') this.parts.delivery.level(session, track);
    }
  }

  /** A `sent` whose place was passed meanwhile, as the message itself, must still be written. */
  private answerHeldBelow(session: Session, track: Track): void {
    for (const [seq, held] of track.held ?? []) {
      if (seq > track.pos) continue;
      track.held?.delete(seq);
      if (held.isSent) this.parts.delivery.answer(session, held.frame);
    }
  }
}

const EMPTY: ReadonlySet<string> = new Set();

function isOwnUnderWay(session: Session, item: Item): boolean {
  return session.inFlight > 0 && senderOf(item) === session.uid;
}
