import { fullJitter, REPEAT } from './backoff.js';
import type { Auth, Credentials } from './credentials.js';
import type { Timer } from './platform.js';

/** Milliseconds before its end at which a token is renewed, at most a fifth of what is left of it. */
const EARLY_MS = 60_000;
/** The least wait: a getToken that gives the same old token again must not be asked without end. */
const LEAST_MS = 1_000;
/** The longest that a timer can wait. */
const TIMER_MAX = 2 ** 31 - 1;

/** Gets the next token before the present one ends, so that the line outlives its token. */
export class Renewal {
  readonly #credentials: Credentials;
  readonly #renew: (auth: Auth) => void;
  readonly #trouble: (error: unknown) => void;
  #timer: Timer | undefined;
  #run = 0;

  constructor(credentials: Credentials, renew: (auth: Auth) => void, trouble: (error: unknown) => void) {
    this.#credentials = credentials;
    this.#renew = renew;
    this.#trouble = trouble;
  }

  /** `clock`: the server's minus this one's, since it is the server's that ends the token. */
  plan(clock: number): void {
    this.stop();
    const { expires, isRenewable } = this.#credentials;
    if (expires === undefined || !isRenewable) return;
    const left = expires * 1_000 - (Date.now() + clock);
    this.#after(Math.max(LEAST_MS, left - Math.min(EARLY_MS, left / 5)), clock, 0);
  }

  stop(): void {
    this.#run++;
    clearTimeout(this.#timer);
  }

  #after(delay: number, clock: number, attempt: number): void {
    const run = this.#run;
    this.#timer = setTimeout(() => void this.#now(run, clock, attempt), Math.min(delay, TIMER_MAX));
  }

  async #now(run: number, clock: number, attempt: number): Promise<void> {
    try {
      const auth = await this.#credentials.current();
      if (run !== this.#run) return;
      this.#renew(auth);
      this.plan(clock);
    } catch (error) {
      if (run !== this.#run) return;
      this.#trouble(error);
      this.#after(fullJitter(REPEAT, attempt) + REPEAT.base, clock, attempt + 1);
    }
  }
}
