/** What a worker has counted and timed since it was last asked to begin anew. */
import type { Histogram } from 'hdr-histogram-js';
import type { Counts, Sample } from '../orders.js';
import { createHistogram, packed } from './latency.js';

export class Tally {
  sent = 0;
  acked = 0;
  delivered = 0;
  refused = 0;
  broken = 0;
  readonly delivery: Histogram = createHistogram();
  readonly ack: Histogram = createHistogram();
  readonly lateness: Histogram = createHistogram();
  readonly login: Histogram = createHistogram();

  counts(): Counts {
    const { sent, acked, delivered, refused, broken } = this;
    return { sent, acked, delivered, refused, broken };
  }

  /** Counts go on, histograms begin anew if `reset`. */
  sample(reset: boolean): Sample {
    const { user, system } = process.cpuUsage();
    const all = [this.delivery, this.ack, this.lateness, this.login] as const;
    const [delivery, ack, lateness, login] = all.map(packed) as [string, string, string, string];
    if (reset) for (const histogram of all) histogram.reset();
    return { counts: this.counts(), histograms: { delivery, ack, lateness, login }, cpu: (user + system) / 1_000_000 };
  }
}
