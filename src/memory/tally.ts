/** Which of the two users of a `dm`: the smaller one is 0. Of notes to self, 0 is writer and receiver. */
export type Side = 0 | 1;

/** Messages without `op`, and their bytes. */
export type Tally = { readonly count: number; readonly bytes: number };

/** What each side has written, from the first entry that the log ever had up to one entry. */
export type Tallies = readonly [Tally, Tally];

export const NOTHING: Tally = { count: 0, bytes: 0 };

export const countOf = ([one, other]: Tallies): number => one.count + other.count;

export function plus(written: Tallies, writer: Side, bytes: number): Tallies {
  const { count, bytes: before } = written[writer];
  const now: Tally = { count: count + 1, bytes: before + bytes };
  return writer === 0 ? [now, written[1]] : [written[0], now];
}
