/**
 * What users cost beyond the requests that their connections have rates for: that the store looks for what is pending
 * for them, and what they sent in vain. Who has spent what they may must wait before they log in or poll again.
 */
import type { Uid } from '../protocol/index.js';
import { Bucket, Buckets } from './bucket.js';

/** A token is worth a tenth of a millisecond, roughly: so many of these. */
const A_TOKEN = { conversations: 10, frames: 10, bytes: 10_000 };
const SAVED_SECONDS = 10;
/** What a user pays who is hung up on for flooding: the third time in a row is one too many. */
const FLOOD_SECONDS = 3;
/** Users whose expenses are remembered. */
const USERS_MAX = 10_000;

export class Expenses {
  private readonly buckets: Buckets;

  /** `rate`: tokens a second of one user. */
  constructor(
    private readonly rate: number,
    private readonly now: () => number,
  ) {
    this.buckets = new Buckets(USERS_MAX, () => new Bucket(rate, now(), rate * SAVED_SECONDS));
  }

  /** Milliseconds until the user may come again; 0: now. */
  wait(uid: Uid): number {
    return this.buckets.has(uid) ? this.buckets.of(uid).take(this.now(), 0) : 0;
  }

  /** The store looked at so many conversations. */
  look(uid: Uid, conversations: number): void {
    this.charge(uid, conversations / A_TOKEN.conversations);
  }

  /** A connection has ended on which so much was refused. */
  vain(uid: Uid, frames: number, bytes: number): void {
    this.charge(uid, frames / A_TOKEN.frames + bytes / A_TOKEN.bytes);
  }

  /** A connection was closed for flooding. */
  flooded(uid: Uid): void {
    this.charge(uid, FLOOD_SECONDS * this.rate);
  }

  private charge(uid: Uid, tokens: number): void {
    if (tokens >= 1) this.buckets.of(uid).charge(this.now(), tokens);
  }
}
