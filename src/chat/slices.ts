/** What a reader is to be told of a slice of a log. */
import type { Conv } from '../protocol/index.js';
import { truncatedFrame } from './answers.js';
import { type Item, placeOf } from './item.js';
import type { Slice } from './ports.js';

/** One thing to write of a slice: an entry, or what is missing before one. Afterwards the position is `to`. */
export type Step = {
  readonly to: number;
  readonly item?: Item;
  readonly from?: number;
  readonly reason?: 'retention' | 'expired' | 'restart';
};

/** What a reader at a position is to be told of a slice, in order: nothing is skipped in silence. */
export function* stepsOf(slice: Slice, after: number): Generator<Step> {
  let pos = after;
  if (slice.gone > pos) {
    yield { from: Math.max(pos + 1, slice.origin), to: slice.gone, reason: slice.goneBy };
    pos = slice.gone;
  }
  for (const item of slice.items) {
    const { seq } = placeOf(item);
    if (seq <= pos) continue;
    if (seq > pos + 1 && pos > 0) yield { from: pos + 1, to: seq - 1, reason: 'restart' };
    yield { to: seq, item };
    pos = seq;
  }
  if (slice.items.length === 0 && pos < slice.head) yield { from: pos + 1, to: slice.head, reason: slice.goneBy };
}

export const truncated = (conv: Conv, step: Step): string =>
  truncatedFrame(conv, step.from ?? step.to, step.to, step.reason ?? 'restart');
