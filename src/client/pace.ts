/** A token bucket: keeps a full outbox below the rate at which the server would refuse. */
export class Pace {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #at = Date.now();

  /** `rate`: frames a second that the server allows, 0 if unknown; a fifth is left for everything else. */
  constructor(rate: number) {
    this.#perSecond = rate > 0 ? rate * 0.8 : Number.POSITIVE_INFINITY;
    this.#burst = Math.max(1, this.#perSecond / 2);
    this.#tokens = this.#burst;
  }

  /** Takes one token; else the milliseconds until there is one. */
  take(): number {
    if (this.#perSecond === Number.POSITIVE_INFINITY) return 0;
    const now = Date.now();
    const gained = (Math.max(0, now - this.#at) * this.#perSecond) / 1_000;
    this.#tokens = Math.min(this.#burst, this.#tokens + gained);
    this.#at = now;
    if (this.#tokens < 1) return Math.ceil(((1 - this.#tokens) * 1_000) / this.#perSecond);
    this.#tokens--;
    return 0;
  }
}
