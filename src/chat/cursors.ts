/** Cursors and read positions on their way to the store: merged, and written together a few times a second. */
import type { Conv } from '../protocol/index.js';
import { isDm, sidesOf } from '../protocol/index.js';
import { receiptFrame } from './answers.js';
import type { Delivery } from './delivery.js';
import { type Devices, type Mark, type MarkOutcome, type Receipt, Unavailable } from './ports.js';
import type { Registry } from './registry.js';
import type { Session } from './session.js';
import type { Blocks } from './social-ports.js';

const FLUSH_MS = 200;
/** Who writes has read what came before: the message tells so too, and the store knows. So the receipt has time. */
const ANNOUNCE_MS = 1_000;
const BATCH = 128;

type Noted = { readonly mark: Mark; readonly from: Session | undefined };

export type CursorParts = {
  readonly devices: Devices;
  readonly blocks: Blocks;
  readonly registry: Registry;
  readonly delivery: Delivery;
  readonly fault: (error: unknown) => void;
};

export class Cursors {
  private noted = new Map<string, Noted>();
  private timer: NodeJS.Timeout | undefined;
  private announced = new Map<string, Noted>();
  private announceTimer: NodeJS.Timeout | undefined;
  private soon = false;
  private flushing: Promise<void> | undefined;

  constructor(private readonly parts: CursorParts) {}

  /**
   * Takes note of a mark that is known to be in bounds; it is written within 200 ms, what is only announced within a
   * second, or when the store is back.
   */
  note(noted: Mark, from: Session | undefined): void {
    // Judged now, for a user who has left when it is written is blocking nobody here any more.
    const mark = this.muted(noted);
    const key = `${mark.uid} ${mark.device ?? ''} ${mark.conv}`;
    const among = mark.announce ? this.announced : this.noted;
    const before = among.get(key)?.mark;
    among.set(key, { mark: before ? merged(before, mark) : mark, from });
    if (mark.announce) this.announceTimer ??= setTimeout(() => void this.flush(), ANNOUNCE_MS);
    else this.timer ??= setTimeout(() => void this.flush(false), FLUSH_MS);
  }

  /** Writes what is noted at the end of this turn: a connection has ended, and its user may be back in a moment. */
  flushSoon(): void {
    if (this.soon || this.noted.size + this.announced.size === 0) return;
    this.soon = true;
    setImmediate(() => {
      this.soon = false;
      void this.flush();
    });
  }

  /** Whether a device has marks that are not written yet. */
  isWaiting(mark: Pick<Mark, 'uid' | 'device' | 'conv'>): boolean {
    return this.noted.has(`${mark.uid} ${mark.device ?? ''} ${mark.conv}`);
  }

  /** Writes marks of one user at once and tells what came of each. Rejects with Unavailable. */
  async write(marks: readonly Mark[], from: Session | undefined): Promise<readonly MarkOutcome[]> {
    const judged = await this.mutedAnywhere(marks);
    const outcomes = await this.parts.devices.mark(judged);
    outcomes.forEach((outcome, i) => {
      if ('receipt' in outcome && outcome.receipt) this.tell(outcome.receipt, judged[i]!, from);
    });
    return outcomes;
  }

  /** Resolves when what this user's connections here said so far is written, or could not be. */
  async writtenFor(uid: Mark['uid']): Promise<void> {
    if (this.parts.registry.get(uid)) await this.flush();
  }

  /** Writes all that is noted, or all but what is announced; resolves when it is written, or could not be. */
  async flush(announces = true): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    while (this.flushing) await this.flushing;
    const noted = [...this.noted.values()];
    this.noted = new Map();
    if (announces) noted.push(...this.takeAnnounced());
    if (noted.length === 0) return;
    this.flushing = this.writeAll(noted);
    await this.flushing;
    this.flushing = undefined;
  }

  private takeAnnounced(): Iterable<Noted> {
    clearTimeout(this.announceTimer);
    this.announceTimer = undefined;
    const announced = this.announced.values();
    this.announced = new Map();
    return announced;
  }

  private async writeAll(all: readonly Noted[]): Promise<void> {
    for (let at = 0; at < all.length; at += BATCH) {
      const batch = all.slice(at, at + BATCH);
      try {
        await this.writeBatch(batch);
      } catch (error) {
        if (!(error instanceof Unavailable)) this.parts.fault(error);
        // What could not be written waits for the next time.
        else for (const { mark, from } of all.slice(at)) this.note(mark, from);
        return;
      }
    }
  }

  private async writeBatch(batch: readonly Noted[]): Promise<void> {
    const outcomes = await this.parts.devices.mark(batch.map(({ mark }) => mark));
    outcomes.forEach((outcome, i) => {
      const { mark, from } = batch[i]!;
      if ('receipt' in outcome && outcome.receipt) this.tell(outcome.receipt, mark, from);
    });
  }

  private muted(mark: Mark): Mark {
    if (!isDm(mark.conv)) return mark;
    const isBlocked = this.parts.registry.get(mark.uid)?.blocks.has(otherSide(mark.conv, mark.uid));
    return isBlocked ? { ...mark, silent: true } : mark;
  }

  /** Marks of one user, who need not be connected to this node: over HTTP any node will do. */
  private async mutedAnywhere(marks: readonly Mark[]): Promise<readonly Mark[]> {
    const uid = marks.find(({ conv }) => isDm(conv))?.uid;
    if (uid === undefined) return marks;
    if (this.parts.registry.get(uid)?.sessions.some(({ arrived }) => arrived))
      return marks.map((mark) => this.muted(mark));
    const blocked = new Set(await this.parts.blocks.blocked(uid));
    return marks.map((mark) =>
      isDm(mark.conv) && blocked.has(otherSide(mark.conv, uid)) ? { ...mark, silent: true } : mark,
    );
  }

  /** To the other side of a dm and to the user's other connections, on this node. */
  private tell(receipt: Receipt, mark: Mark, from: Session | undefined): void {
    const frame = receiptFrame(receipt);
    this.tellUser(mark.uid, frame, from);
    if (!isDm(receipt.conv) || mark.silent) return;
    const peer = otherSide(receipt.conv, mark.uid);
    if (peer !== mark.uid) this.tellUser(peer, frame, undefined);
  }

  tellUser(uid: Mark['uid'], frame: string, except: Session | undefined): boolean {
    const user = this.parts.registry.get(uid);
    for (const session of user?.sessions ?? []) {
      if (session !== except && session.arrived && !session.lagging) this.parts.delivery.answer(session, frame);
    }
    return user !== undefined;
  }
}

function merged(before: Mark, after: Mark): Mark {
  return {
    ...before,
    ...after,
    delivered: highest(before.delivered, after.delivered),
    read: highest(before.read, after.read),
    announce: before.announce || after.announce,
  };
}

const highest = (one: number | undefined, other: number | undefined): number | undefined =>
  one === undefined ? other : Math.max(one, other ?? 0);

function otherSide(conv: Conv, uid: Mark['uid']): Mark['uid'] {
  const [a, b] = sidesOf(conv);
  return a === uid ? b : a;
}
