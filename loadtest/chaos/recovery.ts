/** How long it takes after a fault until all is as if it had not been. */
import type { Ledger } from './ledger.js';

/** All times in milliseconds since the fault was undone. */
export type Recovery = {
  readonly fault: string;
  firstAck?: number;
  firstDelivery?: number;
  /** Everything sent before that moment is answered, and is with everybody who reads it. */
  caughtUp?: number;
  /** Another fault came before that. */
  isDisturbed: boolean;
};

type Watch = {
  readonly recovery: Recovery;
  readonly at: number;
  readonly mark: number;
  readonly acked: number;
  readonly delivered: number;
};

const LOOK_MS = 20;

export class Recoveries {
  readonly all: Recovery[] = [];
  private watches: Watch[] = [];
  private readonly timer = setInterval(() => this.look(), LOOK_MS);

  constructor(private readonly ledger: Ledger) {}

  begins(): void {
    for (const { recovery } of this.watches) recovery.isDisturbed = true;
  }

  /** A fault is undone; `isDisturbed` if another one lasts. */
  ends(fault: string, isDisturbed: boolean): void {
    const recovery: Recovery = { fault, isDisturbed };
    const { acked, delivered } = this.ledger.counts;
    this.all.push(recovery);
    this.watches.push({ recovery, at: performance.now(), mark: this.ledger.mark, acked, delivered });
  }

  /** Whether everything is as if there had been no fault. */
  get areOver(): boolean {
    return this.watches.length === 0;
  }

  stop(): void {
    this.look();
    clearInterval(this.timer);
  }

  private look(): void {
    const { acked, delivered } = this.ledger.counts;
    for (const { recovery, at, mark, ...before } of this.watches) {
      const now = performance.now() - at;
      if (acked > before.acked) recovery.firstAck ??= now;
      if (delivered > before.delivered) recovery.firstDelivery ??= now;
      if (this.ledger.isSettled(mark)) recovery.caughtUp ??= now;
    }
    this.watches = this.watches.filter(
      ({ recovery }) => recovery.caughtUp === undefined || recovery.firstAck === undefined,
    );
  }
}
