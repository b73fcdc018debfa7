/** A token bucket: `rate` tokens a second; one second's worth is saved up, or as many as `size` says. */
export class Bucket {
  private tokens: number;
  private refused = 0;

  constructor(
    readonly rate: number,
    private last: number,
    private readonly size = rate,
  ) {
    this.tokens = size;
  }

  /**
   * Takes tokens at a time in milliseconds; returns 0, or the milliseconds until there are enough. What costs more than
   * can be saved up costs all that can.
   */
  take(now: number, cost = 1): number {
    this.fill(now);
    const price = Math.min(cost, this.size);
    if (this.tokens >= price) {
      this.tokens -= price;
      this.refused = Math.max(0, this.refused - price);
      return 0;
    }
    this.refused += price;
    return Math.ceil(((price - this.tokens) * 1000) / this.rate);
  }

  /**
   * Takes what something turned out to cost after it was let through, a bucketful of debt at most; a cost below 0 gives
   * back.
   */
  charge(now: number, cost: number): void {
    this.fill(now);
    this.tokens = Math.max(-this.size, this.tokens - cost);
  }

  /** How much more was refused than granted since. */
  get inVain(): number {
    return this.refused;
  }

  /** Kept coming though refused: ten bucketfuls more refusals than grants. */
  get isAbused(): boolean {
    return this.refused > this.size * 10;
  }

  private fill(now: number): void {
    this.tokens = Math.min(this.size, this.tokens + ((now - this.last) * this.rate) / 1000);
    this.last = now;
  }
}

/** Buckets by name; beyond `most` of them the one unused longest is forgotten. */
export class Buckets<Kept = Bucket> {
  private readonly kept = new Map<string, Kept>();

  constructor(
    private readonly most: number,
    private readonly make: () => Kept,
  ) {}

  has(name: string): boolean {
    return this.kept.has(name);
  }

  of(name: string): Kept {
    const found = this.kept.get(name) ?? this.make();
    // Again at the end: a map keeps the order of insertion.
    this.kept.delete(name);
    this.kept.set(name, found);
    for (const oldest of this.kept.keys()) {
      if (this.kept.size <= this.most) break;
      this.kept.delete(oldest);
    }
    return found;
  }
}
