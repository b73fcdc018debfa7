import type { Uid } from '../../protocol/index.js';

/** How long somebody counts as typing. */
const SHOWN_MS = 5_000;
const NAMED_MAX = 3;

/** Who is typing just now. */
export class Typists {
  readonly #timers = new Map<Uid, NodeJS.Timeout>();
  readonly #changed: () => void;

  constructor(changed: () => void) {
    this.#changed = changed;
  }

  get names(): readonly Uid[] {
    return [...this.#timers.keys()].slice(0, NAMED_MAX);
  }

  types(uid: Uid): void {
    clearTimeout(this.#timers.get(uid));
    const timer = setTimeout(() => this.stops(uid), SHOWN_MS);
    this.#timers.set(uid, timer);
    this.#changed();
  }

  stops(uid: Uid): void {
    clearTimeout(this.#timers.get(uid));
    if (this.#timers.delete(uid)) this.#changed();
  }
}
