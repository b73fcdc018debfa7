/** Latency histograms: HDR, microseconds up to two minutes, three significant digits. */
import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64, type Histogram } from 'hdr-histogram-js';

const LONGEST = 120_000_000;

export const createHistogram = (): Histogram =>
  build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: LONGEST,
    numberOfSignificantValueDigits: 3,
    bitBucketSize: 32,
    autoResize: false,
    useWebAssembly: false,
  });

export const record = (histogram: Histogram, micros: number): void =>
  histogram.recordValue(Math.min(LONGEST, Math.max(1, Math.round(micros))));

export const packed = (histogram: Histogram): string => encodeIntoCompressedBase64(histogram);

/** Milliseconds. Of no measurement at all everything is 0. */
export type Latency = {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
};

/** Several workers' histograms as one. */
export function latencyOf(histograms: readonly string[]): Latency {
  const all = createHistogram();
  for (const each of histograms) all.add(decodeFromCompressedBase64(each, 32, false));
  const at = (percentile: number): number => all.getValueAtPercentile(percentile) / 1_000;
  const count = all.totalCount;
  if (count === 0) return { count, mean: 0, p50: 0, p90: 0, p99: 0, p999: 0, max: 0 };
  return {
    count,
    mean: all.mean / 1_000,
    p50: at(50),
    p90: at(90),
    p99: at(99),
    p999: at(99.9),
    max: all.maxValue / 1_000,
  };
}
