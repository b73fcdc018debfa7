/** Which transport to try: down a rung where one is blocked, and up again after a while. */
import type { Fetch } from './platform.js';
import type { TransportName } from './transports/link.js';

/** A transport is taken for blocked after so many failures in a row, while plain HTTP answers. */
const FAILURES = 2;
const PROBE_MS = 3_000;

export class Ladder {
  readonly #rungs: readonly TransportName[];
  #rung = 0;
  #failures = 0;

  constructor(rungs: readonly TransportName[]) {
    this.#rungs = rungs;
  }

  get current(): TransportName {
    return this.#rungs[this.#rung]!;
  }

  get best(): TransportName {
    return this.#rungs[0]!;
  }

  get isBest(): boolean {
    return this.#rung === 0;
  }

  reached(name: TransportName): void {
    this.#rung = this.#rungs.indexOf(name);
    this.#failures = 0;
  }

  /**
   * The current transport ended before it was ready. Returns whether to try again at once: one rung lower, or the same
   * once more, since HTTP answers. A server that is down altogether blocks nothing and costs no rung.
   */
  async failed(fetch: Fetch, base: string): Promise<boolean> {
    if (this.#rung === this.#rungs.length - 1 || !(await answers(fetch, base))) return false;
    this.#failures++;
    if (this.#failures >= FAILURES) {
      this.#rung++;
      this.#failures = 0;
    }
    return true;
  }
}

/** `no-cors`: another origin's answer shows only that there was one, which is all that is asked. */
async function answers(fetch: Fetch, base: string): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(PROBE_MS);
    const response = await fetch(`${base}healthz`, { mode: 'no-cors', signal });
    return response.ok || response.type === 'opaque';
  } catch {
    return false;
  }
}
