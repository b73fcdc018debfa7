import { type ErrorCode, sidesOf, type Uid } from '../protocol/index.js';
import { type Draft, type Journal, slackOf } from './journal.js';
import { peerOf, type Store } from './store.js';
import type { Side } from './tally.js';

/** Why a direct message finds no room with its receiver; undefined if it does. */
export function boxRefusal(store: Store, journal: Journal, sender: Uid, draft: Draft): ErrorCode | undefined {
  const { limits } = store;
  const { conv } = journal;
  const receiver = peerOf(conv, sender);
  if (journal.head === 0 && [sender, receiver].some((uid) => isCrowded(store, uid))) return 'box_full';
  const pending = journal.pending(sideOf(journal, receiver));
  if (pending.count >= limits.pendingMessages) return 'box_full';
  if (pending.bytes + draft.bytes > limits.pendingBytes) return 'box_full';
  if (isPinned(store, journal)) return 'box_full';
  if (!isStranger(store, journal, sender)) return undefined;
  if (pending.count >= limits.strangerMessages) return 'box_full';
  const strangers = store.users.get(sender)?.strangers;
  if (strangers === undefined || strangers.has(conv) || strangers.size < limits.strangers) return undefined;
  return 'box_full';
}

const isCrowded = ({ users, limits }: Store, uid: Uid): boolean =>
  (users.get(uid)?.box.size ?? 0) >= limits.conversations;

/** The receiver was never there: no device, and no trace of them in this conversation. */
export function isStranger(store: Store, journal: Journal, sender: Uid): boolean {
  const receiver = peerOf(journal.conv, sender);
  if (receiver === sender) return false;
  const user = store.users.get(receiver);
  return user === undefined || (!user.wasSeen && !user.positions.has(journal.conv));
}

export function sideOf(journal: Journal, uid: Uid): Side {
  return sidesOf(journal.conv)[0] === uid ? 0 : 1;
}

/**
 * One message that nobody acknowledges keeps all that follows it from being trimmed, also what its receiver writes. The
 * log still has an end: what retention keeps and two full boxes.
 */
export function isPinned({ limits }: Store, journal: Journal): boolean {
  const { retentionMessages, pendingMessages } = limits;
  const most = retentionMessages + slackOf(retentionMessages) + 2 * pendingMessages;
  if (journal.length < most) return false;
  journal.trim(retentionMessages);
  return journal.length >= most;
}
