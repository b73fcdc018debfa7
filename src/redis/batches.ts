/**
 * Calls of one kind that go to the store together. At most one batch is under way: the next leaves with its reply, or
 * at the end of the event-loop turn where nothing is under way. A quiet node waits for nothing, and the more there is to
 * do, the less each costs.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Unavailable } from '../chat/ports.js';

type Waiting<Item, Result> = {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
};

export class Batches<Item, Result> {
  readonly #most: number;
  readonly #run: (items: readonly Item[]) => Promise<readonly (Result | Unavailable)[]>;
  readonly #pauseMs: number;
  #waiting: Waiting<Item, Result>[] = [];
  #running: Promise<void> | undefined;

  /**
   * `run` takes at most so many items, and answers each with its result or with why there is none. Between two batches,
   * where there are several at a time and not yet enough, a pause lets more of them come together.
   */
  constructor(
    most: number,
    run: (items: readonly Item[]) => Promise<readonly (Result | Unavailable)[]>,
    pauseMs: number,
  ) {
    this.#most = most;
    this.#run = run;
    this.#pauseMs = pauseMs;
  }

  /** Rejects with what `run` rejected with, or with the item's own Unavailable. */
  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      this.#running ??= this.#runAll();
    });
  }

  /** Resolves when nothing waits or is under way. */
  async settled(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async #runAll(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      await this.#runSome(this.#waiting.splice(0, this.#most));
      if (this.#isCrowded) await delay(this.#pauseMs);
    }
    this.#running = undefined;
  }

  get #isCrowded(): boolean {
    return this.#pauseMs > 0 && this.#waiting.length > 1 && this.#waiting.length < this.#most;
  }

  async #runSome(some: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#run(some.map(({ item }) => item));
      for (const [i, { resolve, reject }] of some.entries()) {
        const result = results[i] as Result | Unavailable;
        if (result instanceof Unavailable) reject(result);
        else resolve(result);
      }
    } catch (error) {
      for (const { reject } of some) reject(error);
    }
  }
}
