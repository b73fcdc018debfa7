/** Messages on their way at a time, for input that comes faster than it can be stored. */
const WINDOW = 256;

/** What was said and is neither stored nor refused. */
export class Waiting {
  readonly #all = new Set<Promise<unknown>>();
  #movedAt = 0;

  get size(): number {
    return this.#all.size;
  }

  /** For how many milliseconds none of them has moved. */
  get standstill(): number {
    return this.#all.size === 0 ? 0 : Date.now() - this.#movedAt;
  }

  /** Resolves when there is room for more. */
  async add(message: Promise<unknown>): Promise<void> {
    if (this.#all.size === 0) this.#movedAt = Date.now();
    const settled = Promise.allSettled([message]).then(() => {
      this.#movedAt = Date.now();
      this.#all.delete(settled);
    });
    this.#all.add(settled);
    if (this.#all.size >= WINDOW) await Promise.race(this.#all);
  }

  /** Resolves when none is left. */
  async over(): Promise<void> {
    while (this.#all.size > 0) await Promise.all(this.#all);
  }
}
