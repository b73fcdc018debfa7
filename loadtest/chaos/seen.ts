/** Which of the numbers 1, 2, 3 … came: a bit each, since a run has millions of deliveries. */
export class Seen {
  highest = 0;
  private bits = new Uint8Array(8);

  has(n: number): boolean {
    return ((this.bits[n >> 3] ?? 0) & (1 << (n & 7))) !== 0;
  }

  /** False where it was there already. */
  add(n: number): boolean {
    if (this.has(n)) return false;
    const at = n >> 3;
    if (at >= this.bits.length) {
      const wider = new Uint8Array(2 * (at + 1));
      wider.set(this.bits);
      this.bits = wider;
    }
    this.bits[at] = (this.bits[at] as number) | (1 << (n & 7));
    this.highest = Math.max(this.highest, n);
    return true;
  }
}
