import { type Item, tsOf } from '../chat/item.js';
import type { Conversations, Conversed } from '../chat/social-ports.js';
import { ALL, type Conv, isDm, roomConv, type Uid } from '../protocol/index.js';
import type { Journal } from './journal.js';
import { peerOf, roomOf, type Store } from './store.js';

/** Where a conversation stands in a user's list. */
type Row = { readonly conv: Conv; readonly at: number; readonly last: Item | undefined; readonly start: Start };

/** Where a conversation begins for a user: what they may read is above `floor`, what they have not read above `since`. */
type Start = { readonly floor: number; readonly since: number; readonly ms: number };

export function createConversations(store: Store): Conversations {
  return {
    async list(uid, before = Number.POSITIVE_INFINITY, limit) {
      const rows = convsOf(store, uid)
        .map((conv) => rowOf(store, uid, conv))
        .filter(({ at }) => at < before)
        .sort((one, other) => other.at - one.at);
      const end = endOfPage(rows, limit);
      const conversations = rows.slice(0, end).map((row) => conversed(store, uid, row));
      return { conversations, more: end < rows.length };
    },
  };
}

function convsOf(store: Store, uid: Uid): Conv[] {
  const user = store.users.get(uid);
  const dms = [...(user?.box ?? [])].filter((conv) => (store.journal(conv)?.length ?? 0) > 0);
  return [ALL, ...[...(user?.rooms.keys() ?? [])].map(roomConv), ...dms];
}

function rowOf(store: Store, uid: Uid, conv: Conv): Row {
  const journal = store.openJournal(conv);
  const start = startOf(store, uid, journal);
  const last = journal.lastMessage(start.floor);
  return { conv, at: last === undefined ? start.ms : tsOf(last), last, start };
}

function startOf(store: Store, uid: Uid, { conv, began }: Journal): Start {
  if (isDm(conv)) return { floor: 0, since: 0, ms: began };
  const id = roomOf(conv);
  if (id === undefined) return { floor: 0, since: store.users.get(uid)?.beganInAll ?? 0, ms: began };
  const room = store.rooms.get(id)!;
  const { since, sinceMs } = room.members.get(uid)!;
  return { floor: room.private ? since : 0, since, ms: sinceMs };
}

/**
 * The next page begins below the last time of this one, so what is of one time must not be torn apart: the page ends
 * before it, or where that would leave nothing, after it.
 */
function endOfPage(rows: readonly Row[], limit: number): number {
  if (rows.length <= limit) return rows.length;
  const torn = rows[limit]!.at;
  const begin = rows.findIndex(({ at }) => at === torn);
  if (begin > 0) return begin;
  const end = rows.findIndex(({ at }) => at < torn);
  return end < 0 ? rows.length : end;
}

function conversed(store: Store, uid: Uid, { conv, at, last, start }: Row): Conversed {
  const journal = store.openJournal(conv);
  const read = Math.max(store.users.get(uid)?.positions.get(conv)?.read ?? 0, start.since);
  const unread = journal.messagesAbove(read);
  const summary = { conv, head: journal.head, read, unread, last, at };
  if (!isDm(conv)) return summary;
  const told = store.users.get(peerOf(conv, uid))?.positions.get(conv)?.told;
  return { ...summary, peer: { delivered: told?.delivered ?? 0, read: told?.read ?? 0 } };
}
