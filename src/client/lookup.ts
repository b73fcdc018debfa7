/** Looks in history for messages that may or may not have been stored. */
import { ALL, type Conv, dmOf, type MessageId, roomConv, type Uid } from '../protocol/index.js';
import type { Stored } from './outgoing.js';
import type { Requests } from './requests.js';
import type { OutboxEntry, Target } from './storage.js';

/** Milliseconds by which the clocks may differ after what is known of their difference. */
const CLOCK_MARGIN_MS = 120_000;

function convOf(target: Target, me: Uid): Conv {
  if (target.receiver !== undefined) return dmOf(me, target.receiver);
  return target.room === undefined ? ALL : roomConv(target.room);
}

/**
 * The places of those that were stored by some try. All entries go to one addressee. Reads from the newest message back
 * to the time at which the oldest entry was written. `clock`: the server's minus this one's, in milliseconds. Rejects as
 * Requests.ask does.
 */
export async function findInHistory(
  requests: Requests,
  me: Uid,
  entries: readonly OutboxEntry[],
  clock: number,
): Promise<ReadonlyMap<MessageId, Stored>> {
  const found = new Map<MessageId, Stored>();
  const wanted = new Set(entries.map(({ id }) => id));
  const conv = convOf(entries[0]!.target, me);
  const since = Math.min(...entries.map(({ createdAt }) => createdAt)) + clock - CLOCK_MARGIN_MS;
  let before: number | undefined;
  for (;;) {
    const place = before === undefined ? {} : { before };
    const { messages, more } = await requests.ask({ type: 'history', conv, limit: 200, ...place });
    for (const { id, sender, seq, ts } of messages) {
      if (id !== undefined && sender === me && wanted.has(id)) found.set(id, { conv, seq, ts });
    }
    const oldest = messages[0];
    if (found.size === wanted.size || !more || oldest === undefined || oldest.ts < since) return found;
    before = oldest.seq;
  }
}
