/** A token bucket: `rate` tokens a second, at most one second's worth saved up. */
export class Bucket {
  private tokens: number;
  private refused = 0;

  constructor(
    readonly rate: number,
    private last: number,
  ) {
    this.tokens = rate;
  }

  /** Takes tokens at a time in milliseconds; returns 0, or the milliseconds until there are enough. */
  take(now: number, cost = 1): number {
    this.tokens = Math.min(this.rate, this.tokens + ((now - this.last) * this.rate) / 1000);
    this.last = now;
    if (this.tokens >= cost) {
      this.tokens -= cost;
      this.refused = Math.max(0, this.refused - cost);
      return 0;
    }
    this.refused += cost;
    return Math.ceil(((cost - this.tokens) * 1000) / this.rate);
  }

  /** Kept coming though refused: ten seconds' worth more refusals than grants. */
  get isAbused(): boolean {
    return this.refused > this.rate * 10;
  }
}
