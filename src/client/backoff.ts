/** How long to wait before the next try. */

export type Backoff = {
  /** Upper bound of the first wait, in milliseconds; it doubles with each try. */
  readonly base: number;
  /** Upper bound of every wait, in milliseconds. */
  readonly cap: number;
};

export const RECONNECT: Backoff = { base: 1_000, cap: 20_000 };
export const REPEAT: Backoff = { base: 250, cap: 10_000 };

/**
 * Full jitter: anything from nothing to the bound, evenly. Clients that lost the same node at the same moment then come
 * back spread over the whole time instead of in waves.
 */
export function fullJitter({ base, cap }: Backoff, attempt: number): number {
  return Math.random() * Math.min(cap, base * 2 ** Math.min(attempt, 30));
}
