/** What one receiver got on each channel: nothing may be lost, doubled or out of order. */

export type Faults = { readonly lost: number; readonly doubled: number; readonly outOfOrder: number };

export class Ledger {
  private readonly last: Int32Array;
  private readonly missing = new Set<string>();
  private doubled = 0;
  private outOfOrder = 0;

  constructor(channels: number) {
    this.last = new Int32Array(channels);
  }

  /** Returns whether the message is a new one. */
  take(channel: number, n: number): boolean {
    const expected = this.last[channel]! + 1;
    if (n === expected) {
      this.last[channel] = n;
      return true;
    }
    if (n > expected) {
      for (let skipped = expected; skipped < n; skipped++) this.missing.add(`${channel} ${skipped}`);
      this.last[channel] = n;
      return true;
    }
    if (!this.missing.delete(`${channel} ${n}`)) {
      this.doubled++;
      return false;
    }
    this.outOfOrder++;
    return true;
  }

  /** `finals`: how many messages each channel that leads here has carried. */
  faults(finals: readonly number[]): Faults {
    const behind = finals.reduce((sum, final, channel) => sum + Math.max(0, final - this.last[channel]!), 0);
    return { lost: this.missing.size + behind, doubled: this.doubled, outOfOrder: this.outOfOrder };
  }
}
