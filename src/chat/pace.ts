/**
 * When the next batch begins. A call to the store costs much the same for one letter as for several, so where letters
 * come one by one but often, batches begin a gap apart. Only where that pays: whether others joined while one waited is
 * remembered, and who writes alone is hardly ever kept waiting.
 */

/** Letters that join, on average, for which waiting pays. */
const PAYS = 0.5;
/** How much one wait counts in that average. */
const WEIGHT = 1 / 4;
/** Where waiting does not pay, it is tried again at one batch in so many. */
const TRIED_EVERY = 32;

export class Pace {
  isScheduled = false;
  private began = Number.NEGATIVE_INFINITY;
  private joining = 0;
  private untried = 0;
  private isWaiting = false;

  /** `gap` in milliseconds; 0 never waits. */
  constructor(
    private readonly gap: number,
    private readonly now: () => number,
  ) {}

  /** Has work begin when the next batch should: most often at the end of this turn of the event loop. */
  schedule(work: () => void): void {
    this.isScheduled = true;
    const left = this.began + this.gap - this.now();
    this.isWaiting = left > 0 && (this.joining >= PAYS || ++this.untried >= TRIED_EVERY);
    if (this.isWaiting) setTimeout(work, left);
    else setImmediate(work);
  }

  /** The work begins, with so many letters. */
  begin(letters: number): void {
    this.isScheduled = false;
    this.began = this.now();
    if (!this.isWaiting) return;
    this.isWaiting = false;
    this.untried = 0;
    this.joining += (Math.max(0, letters - 1) - this.joining) * WEIGHT;
  }
}
