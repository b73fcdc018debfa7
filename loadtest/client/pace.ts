/**
 * The schedule of an open loop. A message is due at its time whatever became of the others, and its latency counts from
 * then: a generator or a server that stalls makes messages late, not fewer (no coordinated omission).
 */
export class Pace {
  private readonly interval: number;
  private next: number;

  /** `phase` (0 to 1) shifts the schedule by a part of an interval, so that several generators don't beat as one. */
  constructor(perSecond: number, start: number, phase: number) {
    this.interval = 1_000_000 / perSecond;
    this.next = start + phase * this.interval;
  }

  /** Calls `send` with the due time of every message that is due, both in microseconds. */
  run(now: number, send: (due: number) => void): void {
    while (this.next <= now) {
      send(this.next);
      this.next += this.interval;
    }
  }
}
