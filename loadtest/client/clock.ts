/** One clock for all processes of a run: microseconds on the system's monotonic clock since the run's epoch. */

const MICROS = 1_000;

/** The system's monotonic clock in microseconds: what an epoch is taken from. */
export const monotonicMicros = (): number => Number(process.hrtime.bigint() / 1_000n);

/** Returns a clock that tells microseconds since an epoch. `performance.now` is cheap, but every process has its own zero. */
export function clockSince(epoch: number): () => number {
  const offset = monotonicMicros() - performance.now() * MICROS - epoch;
  return () => performance.now() * MICROS + offset;
}
