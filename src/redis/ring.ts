/**
 * What this node stored, or heard that others stored, in the ten seconds before the store's last reply: Redis answers
 * before its replica has what it stored, so a failover may lose it, and then it is put back from here. The clock is
 * that of replies, so nothing grows old while the store is away; nor while nobody copies from the primary though somebody
 * did, for it may be cut off.
 */
import { hasMark, type Item, itemOf, MARK, placeOf } from '../chat/item.js';
import type { Cell, Meter } from '../chat/meter.js';
import type { Letter, Mark, MarkOutcome, Outcome } from '../chat/ports.js';
import type { Conv, Uid } from '../protocol/index.js';
import { isGreater } from './append.js';
import { KEPT_MS, Recent } from './recent.js';

/** An entry as restore.lua puts it back. */
export type Entry = {
  readonly conv: Conv;
  readonly seq: number;
  /** Empty where there is none: a room was deleted. */
  readonly item: Item;
  /** Messages that the entry changed, and what they became. */
  readonly becomes?: readonly (readonly [seq: number, item: Item])[];
  /** Of a change of a room: roles (empty: no longer a member), and new properties. */
  readonly roles?: readonly (readonly [uid: Uid, role: string])[];
  readonly meta?: { readonly name: string; readonly private: boolean } | undefined;
  /** The room is gone, with all up to `seq`. */
  readonly razes?: boolean;
};

/** A ban (the field of it, and nothing) or a block (who, and whom) was set or lifted. */
export type Sanction = readonly [kind: 'ban' | 'block', who: string, whom: string, on: boolean];
export type Stated = { readonly at: number; readonly sanction: Sanction };

type Kept = { readonly at: number; readonly bytes: number; readonly count: number; readonly entries: () => Entry[] };

/** Of marks and of sanctions, the newest. */
const MARKS_MAX = 20_000;
const SANCTIONS_MAX = 10_000;
/** What an entry takes beside its text, roughly. */
const OVERHEAD = 200;
const COMPACT = 4_096;
/** How long it is waited for a replica that has gone. */
const ALONE_MS = 600_000;
const DROPPED: Kept = { at: 0, bytes: 0, count: 0, entries: () => [] };

export class Ring {
  readonly #max: number;
  readonly #overflow: Cell;
  readonly #shown: Cell;
  readonly #marks: Recent<Mark>;
  readonly #sanctions: Recent<Stated>;
  #kept: Kept[] = [];
  #first = 0;
  #bytes = 0;
  #now = 0;
  #repliedAt = performance.now();
  /** When the primary was last known to have a replica; undefined where it never had one. */
  #copiedAt: number | undefined;
  #isAlone = false;
  #ts = 0;

  /** `max` in bytes; 0 keeps nothing. */
  constructor(max: number, meter: Meter) {
    this.#max = max;
    this.#overflow = meter.cell('skein_ring_overflow_total');
    this.#shown = meter.cell('skein_ring_bytes');
    this.#marks = new Recent(max && MARKS_MAX);
    this.#sanctions = new Recent(max && SANCTIONS_MAX);
  }

  /** The store replied, at its time `ts`. */
  advance(ts: number): void {
    this.#ts = Math.max(this.#ts, ts);
    const now = performance.now();
    if (!this.#isAlone) this.#now += now - this.#repliedAt;
    this.#repliedAt = now;
    while (this.#kept.length > this.#first && this.#kept[this.#first]!.at < this.#now - KEPT_MS) this.#drop();
    this.#shown.value = this.#bytes;
    this.#marks.advance(this.#now);
    this.#sanctions.advance(this.#now);
  }

  /** So many replicas follow the primary closely. */
  copied(replicas: number): void {
    const now = performance.now();
    if (replicas > 0) this.#copiedAt = now;
    this.#isAlone = replicas === 0 && this.#copiedAt !== undefined && now - this.#copiedAt < ALONE_MS;
  }

  /** Letters were answered; `repeated` are the entries that some of them were found to be already. */
  stored(letters: readonly Letter[], outcomes: readonly Outcome[], repeated: readonly Item[]): void {
    const bytes = letters.reduce((sum, { tail }) => sum + tail.length + OVERHEAD, 0);
    this.#keep(bytes, letters.length, () => entriesOf(letters, outcomes));
    for (const item of repeated) this.heard(item);
  }

  /** An entry that another node stored. What changes others is known whole only where it was made. */
  heard(item: Item): void {
    if (!hasMark(item, MARK.op)) this.#keep(item.length + OVERHEAD, 1, () => [entryOf(item)]);
  }

  /** An entry with an op, or a change of a room. */
  changed(entries: readonly Entry[]): void {
    const sizes = entries.map(({ item, becomes = [] }) =>
      becomes.reduce((sum, [, to]) => sum + to.length, item.length),
    );
    const bytes = sizes.reduce((sum, size) => sum + size + OVERHEAD, 0);
    this.#keep(bytes, entries.length, () => [...entries]);
  }

  /** Cursors and read positions moved. */
  marked(marks: readonly Mark[], outcomes: readonly MarkOutcome[]): void {
    for (const [i, mark] of marks.entries()) {
      if ('refused' in outcomes[i]!) continue;
      this.#marks.keep(`${mark.uid} ${mark.device ?? ''} ${mark.conv}`, mark, farther);
    }
  }

  /** `at`: when it was stated, by the store's count. */
  sanctioned(at: number, sanction: Sanction): void {
    this.#sanctions.keep(sanction.slice(0, 3).join(' '), { at, sanction });
  }

  get marks(): readonly Mark[] {
    return this.#marks.values();
  }

  get sanctions(): readonly Stated[] {
    return this.#sanctions.values();
  }

  /** Oldest first, each as it became as far as this node knows: what was withdrawn comes without its data. */
  entries(): readonly Entry[] {
    const entries = new Map<string, Entry>();
    for (let i = this.#first; i < this.#kept.length; i++) {
      for (const entry of this.#kept[i]!.entries()) {
        const name = `${entry.conv} ${entry.seq}${entry.razes ? ' gone' : ''}`;
        if (!entries.has(name) || entry.becomes || entry.roles) entries.set(name, entry);
        for (const [seq, item] of entry.becomes ?? []) {
          const changed = entries.get(`${entry.conv} ${seq}`);
          if (changed !== undefined) entries.set(`${entry.conv} ${seq}`, { ...changed, item });
        }
      }
    }
    return [...entries.values()];
  }

  /** A number up to which seqs may have been given, as far as this node knows. */
  given(entries: readonly Entry[]): number {
    return entries.reduce((most, { seq }) => Math.max(most, seq), this.#ts * 1_000);
  }

  /** All of it was put back where it was missing, which the next replica does not have yet. */
  renew(): void {
    this.#copiedAt = undefined;
    this.#repliedAt = performance.now();
    this.#kept = this.#kept.slice(this.#first).map((kept) => ({ ...kept, at: this.#now }));
    this.#first = 0;
    this.#marks.renew();
    this.#sanctions.renew();
  }

  #keep(bytes: number, count: number, entries: () => Entry[]): void {
    if (this.#max === 0) return;
    this.#kept.push({ at: this.#now, bytes, count, entries });
    this.#bytes += bytes;
    while (this.#bytes > this.#max) {
      this.#overflow.value += this.#kept[this.#first]!.count;
      this.#drop();
    }
    this.#shown.value = this.#bytes;
  }

  /** Its place in the list is given back only now and then, what it held at once. */
  #drop(): void {
    this.#bytes -= this.#kept[this.#first]!.bytes;
    this.#kept[this.#first++] = DROPPED;
    if (this.#first < COMPACT || this.#first * 2 < this.#kept.length) return;
    this.#kept = this.#kept.slice(this.#first);
    this.#first = 0;
  }
}

const farther = (before: Mark, after: Mark): Mark => ({
  ...after,
  delivered: Math.max(before.delivered ?? 0, after.delivered ?? 0) || undefined,
  read: Math.max(before.read ?? 0, after.read ?? 0) || undefined,
});

export function entryOf(item: Item): Entry {
  const { conv, seq } = placeOf(item);
  return { conv, seq, item };
}

function entriesOf(letters: readonly Letter[], outcomes: readonly Outcome[]): Entry[] {
  return letters.flatMap(({ conv, sender, tail }, i) => {
    const outcome = outcomes[i]!;
    if ('refused' in outcome || outcome.dup) return [];
    const mark = (isGreater(conv, sender) ? MARK.greater : 0) + (outcome.first ? MARK.first : 0);
    return [{ conv, seq: outcome.seq, item: itemOf(mark, conv, outcome.seq, outcome.ts, tail) }];
  });
}
