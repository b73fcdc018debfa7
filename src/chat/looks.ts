/**
 * What it costs a user that the store looks for what is pending for them: as much as the conversations that it must
 * look at, which for most are few. Who has thousands may log in and poll less often, so that nobody holds up the store.
 */

import type { Uid } from '../protocol/index.js';
import { Bucket, Buckets } from './bucket.js';

const CONVERSATIONS_A_TOKEN = 10;
const SAVED_SECONDS = 10;
/** Users whose looks are remembered. */
const USERS_MAX = 10_000;

export class Looks {
  private readonly buckets: Buckets;

  /** `rate`: tokens a second of one user. */
  constructor(
    rate: number,
    private readonly now: () => number,
  ) {
    this.buckets = new Buckets(USERS_MAX, () => new Bucket(rate, now(), rate * SAVED_SECONDS));
  }

  /** Milliseconds until the store may look for the user again; 0: now. */
  wait(uid: Uid): number {
    return this.buckets.has(uid) ? this.buckets.of(uid).take(this.now(), 0) : 0;
  }

  /** The store looked at so many conversations. */
  charge(uid: Uid, conversations: number): void {
    const tokens = Math.floor(conversations / CONVERSATIONS_A_TOKEN);
    if (tokens > 0) this.buckets.of(uid).charge(this.now(), tokens);
  }
}
