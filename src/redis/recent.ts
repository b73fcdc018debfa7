/**
 * The newest of each of some things, of the ten seconds before the store's last reply: what a node keeps beside
 * entries, to say it again after a failover. The clock is that of replies, as in ring.ts.
 */
export const KEPT_MS = 10_000;

export class Recent<T> {
  readonly #max: number;
  /** In the order in which they were said last. */
  readonly #kept = new Map<string, { at: number; readonly value: T }>();
  #now = 0;

  /** `max`: how many; the oldest goes first. */
  constructor(max: number) {
    this.#max = max;
  }

  /** The store replied; `now` is the time of ring.ts. */
  advance(now: number): void {
    this.#now = now;
  }

  /** `merge` makes one of what is kept by this name already and what is new. */
  keep(name: string, value: T, merge?: (before: T, after: T) => T): void {
    const before = this.#kept.get(name);
    this.#kept.delete(name);
    this.#kept.set(name, { at: this.#now, value: before && merge ? merge(before.value, value) : value });
    for (const [oldest, { at }] of this.#kept) {
      if (at >= this.#now - KEPT_MS && this.#kept.size <= this.#max) break;
      this.#kept.delete(oldest);
    }
  }

  values(): readonly T[] {
    return [...this.#kept.values()].filter(({ at }) => at >= this.#now - KEPT_MS).map(({ value }) => value);
  }

  /** All of it was said again, which the next replica does not have yet. */
  renew(): void {
    for (const kept of this.#kept.values()) kept.at = this.#now;
  }
}
