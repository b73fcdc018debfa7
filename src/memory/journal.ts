import { type Item, itemOf, MARK } from '../chat/item.js';
import type { PageRequest, Slice } from '../chat/ports.js';
import { type Conv, isDm, sidesOf } from '../protocol/index.js';
import { Ids } from './ids.js';
import { countOf, NOTHING, plus, type Side, type Tallies, type Tally } from './tally.js';

/** An entry that has a place but is not stored yet. */
export type Draft = {
  readonly mark: number;
  readonly seq: number;
  readonly ts: number;
  readonly item: Item;
  readonly bytes: number;
};

type Entry = { readonly item: Item; readonly bytes: number; readonly written: Tallies };

const SLACK_MAX = 64;

/**
 * The log of one conversation: its entries, the ids that it knows, and what of it is pending. Counts are kept as running
 * sums with each entry, so that whatever is asked about a stretch is a difference of two of them.
 */
export class Journal {
  head = 0;
  origin = 0;
  gone = 0;
  goneBy: Slice['goneBy'] = 'retention';
  /** When the first and the last entry were stored, in milliseconds. */
  began = 0;
  lastTs = 0;
  /** The last entry without `op`: 0 where there never was one. */
  private lastMessageSeq = 0;
  private lastMessageTs = 0;
  /** Who may have something pending: both sides of a dm, once where they are one; in a room nobody. */
  private readonly receivers: readonly Side[];
  readonly ids = new Ids();
  /** Message → the entries that edited it. */
  private readonly edits = new Map<number, readonly number[]>();
  private entries: Entry[] = [];
  /** What was written up to the last entry that is gone. */
  private writtenBefore: Tallies = [NOTHING, NOTHING];
  /** By receiver: what was written by the other side up to where the receiver acknowledged. */
  private readonly acknowledged: [Tally, Tally] = [NOTHING, NOTHING];

  /** The log begins above `floor`: no number that was ever given may be given again. */
  constructor(
    readonly conv: Conv,
    private readonly floor: number,
  ) {
    this.receivers = receiversOf(conv);
  }

  get length(): number {
    return this.entries.length;
  }

  private get firstSeq(): number {
    return this.head - this.entries.length + 1;
  }

  /** Gives the next place to an entry; nothing is stored. */
  draft(mark: number, ts: number, tail: string): Draft {
    const seq = this.nextSeq(ts);
    const item = itemOf(this.head === 0 ? mark | MARK.first : mark, this.conv, seq, ts, tail);
    return { mark, seq, ts, item, bytes: Buffer.byteLength(item) };
  }

  nextSeq(ts: number): number {
    return this.head === 0 ? Math.max(ts * 1_000, this.floor + 1) : this.head + 1;
  }

  /** Stores a draft that was made of this log as it is now. */
  push(draft: Draft): void {
    const written = draft.mark & MARK.op ? this.written : plus(this.written, writerOf(draft), draft.bytes);
    this.entries.push({ item: draft.item, bytes: draft.bytes, written });
    if (this.head === 0) {
      this.origin = draft.seq;
      this.began = draft.ts;
    }
    if (!(draft.mark & MARK.op)) {
      this.lastMessageSeq = draft.seq;
      this.lastMessageTs = draft.ts;
    }
    this.head = draft.seq;
    this.lastTs = draft.ts;
  }

  private get written(): Tallies {
    return this.entries.at(-1)?.written ?? this.writtenBefore;
  }

  itemAt(seq: number): Item | undefined {
    return this.entries[seq - this.firstSeq]?.item;
  }

  /** What an entry counts as pending stays what it was when it was written. */
  replace(seq: number, item: Item): void {
    const index = seq - this.firstSeq;
    this.entries[index] = { ...this.entries[index]!, item, bytes: Buffer.byteLength(item) };
  }

  noteEdit(ref: number, seq: number): void {
    this.edits.set(ref, [...(this.edits.get(ref) ?? []), seq]);
  }

  /** The entries that edited a message. They come after it, so they are all there while it is. */
  editsOf(ref: number): readonly number[] {
    return this.edits.get(ref) ?? [];
  }

  /** The last entry without `op`, if it is still there and above a seq. */
  lastMessage(floor: number): Item | undefined {
    return this.lastMessageMs(floor) === undefined ? undefined : this.itemAt(this.lastMessageSeq);
  }

  /** When that was stored. */
  lastMessageMs(floor: number): number | undefined {
    return this.lastMessageSeq > floor && this.lastMessageSeq >= this.firstSeq ? this.lastMessageTs : undefined;
  }

  /** Messages without `op` above a seq. */
  messagesAbove(seq: number): number {
    const index = this.above(seq) - 1;
    return countOf(this.written) - countOf(this.entries[index]?.written ?? this.writtenBefore);
  }

  /** What waits for a side. */
  pending(receiver: Side): Tally {
    const written = this.written[this.writerFor(receiver)];
    const had = this.acknowledged[receiver];
    return { count: written.count - had.count, bytes: written.bytes - had.bytes };
  }

  private writerFor(receiver: Side): Side {
    return receiver === 1 || this.receivers.length === 1 ? 0 : 1;
  }

  /** A side has everything up to a seq. */
  acknowledge(receiver: Side, seq: number): void {
    const entry = this.entries[seq - this.firstSeq];
    const had = (entry?.written ?? this.writtenBefore)[this.writerFor(receiver)];
    if (had.count > this.acknowledged[receiver].count) this.acknowledged[receiver] = had;
  }

  /** Entries before the first one that is pending for a side. */
  private before(receiver: Side): number {
    const writer = this.writerFor(receiver);
    const had = this.acknowledged[receiver].count;
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.entries[middle]!.written[writer].count > had) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Drops the oldest entries that are neither pending nor among the `keep` that stay beyond those. */
  trim(keep: number): void {
    let excess = this.entries.length - keep;
    for (const receiver of this.receivers) excess -= this.pending(receiver).count;
    if (excess <= slackOf(keep)) return;
    this.drop(Math.min(excess, ...this.receivers.map((receiver) => this.before(receiver))), 'retention');
  }

  /** Drops everything, pending or not. */
  expire(): void {
    this.drop(this.entries.length, 'expired');
    for (const receiver of this.receivers) this.acknowledged[receiver] = this.writtenBefore[this.writerFor(receiver)];
  }

  private drop(entries: number, why: Slice['goneBy']): void {
    if (entries === 0) return;
    this.gone = this.firstSeq + entries - 1;
    this.goneBy = why;
    this.writtenBefore = this.entries[entries - 1]!.written;
    for (let seq = this.firstSeq; this.edits.size > 0 && seq <= this.gone; seq++) this.edits.delete(seq);
    this.entries.splice(0, entries);
  }

  /** Rewrites entries where they stand. */
  rewrite(change: (item: Item) => Item): void {
    for (const [index, { item }] of this.entries.entries()) {
      const changed = change(item);
      if (changed !== item) this.replace(this.firstSeq + index, changed);
    }
  }

  /** The same log under the name of another dm, whose sides stand the other way round where `isSwapped`. */
  movedTo(conv: Conv, isSwapped: boolean): Journal {
    const moved = new Journal(conv, this.floor);
    const swap = <T>([a, b]: readonly [T, T]): [T, T] => (isSwapped ? [b, a] : [a, b]);
    const { head, origin, gone, goneBy, began, lastTs, lastMessageSeq, lastMessageTs } = this;
    Object.assign(moved, { head, origin, gone, goneBy, began, lastTs, lastMessageSeq, lastMessageTs });
    moved.writtenBefore = swap(this.writtenBefore);
    moved.acknowledged.splice(0, 2, ...swap(this.acknowledged));
    moved.entries = this.entries.map((entry) => ({ ...entry, written: swap(entry.written) }));
    moved.ids.take(this.ids);
    for (const [ref, seqs] of this.edits) moved.edits.set(ref, seqs);
    return moved;
  }

  read(after: number, limit: number, bytes: number): Slice {
    const { head, origin, gone, goneBy } = this;
    const from = this.above(after);
    const items = this.items(from, this.upward(from, this.entries.length, limit, bytes));
    return { items, head, origin, gone, goneBy, after };
  }

  page({ before, after, limit, bytes, floor }: PageRequest): { items: Item[]; more: boolean } {
    const low = this.above(Math.max(floor, after ?? 0));
    const high = before === undefined ? this.entries.length : this.above(before - 1);
    if (after !== undefined) {
      const end = this.upward(low, high, limit, bytes);
      return { items: this.items(low, end), more: end < high };
    }
    const start = this.downward(low, high, limit, bytes);
    return { items: this.items(start, high), more: start > low };
  }

  private items(from: number, to: number): Item[] {
    return this.entries.slice(from, to).map((entry) => entry.item);
  }

  /** Index of the first entry above a seq. */
  private above(seq: number): number {
    return Math.min(Math.max(seq - this.firstSeq + 1, 0), this.entries.length);
  }

  private upward(from: number, to: number, limit: number, bytes: number): number {
    let end = from;
    let size = 0;
    while (end < to && end - from < limit) {
      size += this.entries[end]!.bytes;
      if (size > bytes && end > from) break;
      end++;
    }
    return end;
  }

  private downward(from: number, to: number, limit: number, bytes: number): number {
    let start = to;
    let size = 0;
    while (start > from && to - start < limit) {
      size += this.entries[start - 1]!.bytes;
      if (size > bytes && start < to) break;
      start--;
    }
    return start;
  }
}

/** Entries over the bound at which a log is trimmed: moving the rest for each single entry would cost too much. */
export const slackOf = (keep: number): number => Math.min(Math.floor(keep / 16), SLACK_MAX);

function receiversOf(conv: Conv): readonly Side[] {
  if (!isDm(conv)) return [];
  const [a, b] = sidesOf(conv);
  return a === b ? [0] : [0, 1];
}

const writerOf = (draft: Draft): Side => (draft.mark & MARK.greater ? 1 : 0);
