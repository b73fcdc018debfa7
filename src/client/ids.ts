import type { MessageId } from '../protocol/index.js';

/**
 * A source of ids that no other client, tab or run of this user gives: 80 random bits and a count. Not randomUUID,
 * which browsers have on secure pages only.
 */
export function idSource(): () => MessageId {
  const random = crypto.getRandomValues(new Uint8Array(10));
  const prefix = Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('');
  let count = 0;
  return () => `${prefix}-${(++count).toString(36)}` as MessageId;
}
