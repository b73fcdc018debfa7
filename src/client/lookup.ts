/** Looks in history for a message that may or may not have been stored. */
import { ALL, type Conv, dmOf, roomConv, type Uid } from '../protocol/index.js';
import type { Stored } from './outgoing.js';
import type { Requests } from './requests.js';
import type { OutboxEntry, Target } from './storage.js';

/** Milliseconds by which the clocks may differ after what is known of their difference. */
const CLOCK_MARGIN_MS = 120_000;

export function convOf(target: Target, me: Uid): Conv {
  if (target.receiver !== undefined) return dmOf(me, target.receiver);
  return target.room === undefined ? ALL : roomConv(target.room);
}

/**
 * Its place, or undefined if no try of it was ever stored. Reads from the newest back to the time at which it was
 * written. `clock`: the server's minus this one's, in milliseconds. Rejects as Requests.ask does.
 */
export async function findInHistory(
  requests: Requests,
  me: Uid,
  entry: OutboxEntry,
  clock: number,
): Promise<Stored | undefined> {
  const conv = convOf(entry.target, me);
  const since = entry.createdAt + clock - CLOCK_MARGIN_MS;
  let before: number | undefined;
  for (;;) {
    const place = before === undefined ? {} : { before };
    const { messages, more } = await requests.ask({ type: 'history', conv, limit: 200, ...place });
    const found = messages.find(({ id, sender }) => id === entry.id && sender === me);
    if (found !== undefined) return { conv, seq: found.seq, ts: found.ts };
    const oldest = messages[0];
    if (!more || oldest === undefined || oldest.ts < since) return undefined;
    before = oldest.seq;
  }
}
