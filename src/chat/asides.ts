/**
 * What is stored by another way than a batch, one by one. Meanwhile its connection has a send under way like any other,
 * so that the answer comes to stand in the entry's place there.
 */
import type { Sending } from './commits.js';

export class Asides {
  private readonly underWay = new Map<Sending, Promise<unknown>>();

  get isEmpty(): boolean {
    return this.underWay.size === 0;
  }

  some(isSame: (sending: Sending) => boolean): boolean {
    return [...this.underWay.keys()].some(isSame);
  }

  /** Resolves when everything that is under way now has been answered. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.underWay.values());
  }

  /** Stores, and in the turn in which that is done has the outcome reach the connections here. */
  run<Done, Answer>(sending: Sending, store: Promise<Done>, conclude: (done: Done) => Answer): Promise<Answer> {
    const { session } = sending;
    if (session) session.inFlight++;
    const work = store
      .finally(() => {
        this.underWay.delete(sending);
        if (session) session.inFlight--;
      })
      .then(conclude);
    this.underWay.set(sending, work);
    return work;
  }
}
