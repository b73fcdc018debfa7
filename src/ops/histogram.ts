/** Counts observations in fixed buckets; taking one costs a short walk over the bounds and no allocation. */
export type Histogram = {
  readonly bounds: readonly number[];
  /** One more than there are bounds: the last counts what is above them all. */
  readonly counts: Float64Array;
  sum: number;
};

export function createHistogram(bounds: readonly number[]): Histogram {
  return { bounds, counts: new Float64Array(bounds.length + 1), sum: 0 };
}

export function take(histogram: Histogram, value: number): void {
  const { bounds, counts } = histogram;
  let bucket = 0;
  while (bucket < bounds.length && value > (bounds[bucket] ?? Number.POSITIVE_INFINITY)) bucket++;
  counts[bucket] = (counts[bucket] ?? 0) + 1;
  histogram.sum += value;
}
