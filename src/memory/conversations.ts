import type { Conversations, Conversed } from '../chat/social-ports.js';
import { ALL, type Conv, isDm, roomConv, type Uid } from '../protocol/index.js';
import type { Journal } from './journal.js';
import { peerOf, roomOf, type Store } from './store.js';

type Row = { readonly conv: Conv; readonly at: number };

/** Where a conversation begins for a user: they may read what is above `floor`; what is up to `since` is not unread. */
type Start = { readonly floor: number; readonly since: number; readonly ms: number };

export function createConversations(store: Store): Conversations {
  return {
    async list(uid, before = Number.POSITIVE_INFINITY, limit) {
      const rows = rowsOf(store, uid, before).sort((one, other) => other.at - one.at);
      const end = endOfPage(rows, limit);
      const conversations = rows.slice(0, end).map((row) => conversed(store, uid, row));
      const user = store.users.get(uid);
      const looked = (user?.box.size ?? 0) + (user?.rooms.size ?? 0);
      return { conversations, more: end < rows.length, looked };
    },
  };
}

/** Looks at every conversation of the user, so it does no more with each than it must. */
function rowsOf(store: Store, uid: Uid, before: number): Row[] {
  const rows: Row[] = [];
  const add = (conv: Conv, at: number) => {
    if (at < before) rows.push({ conv, at });
  };
  const user = store.users.get(uid);
  for (const conv of user?.box ?? []) {
    const journal = store.journal(conv);
    if (journal !== undefined && journal.length > 0) add(conv, journal.lastMessageMs(0) ?? journal.began);
  }
  for (const conv of [ALL, ...[...(user?.rooms.keys() ?? [])].map(roomConv)]) {
    const journal = store.openJournal(conv);
    const { floor, ms } = startOf(store, uid, journal);
    add(conv, journal.lastMessageMs(floor) ?? ms);
  }
  return rows;
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

function conversed(store: Store, uid: Uid, { conv, at }: Row): Conversed {
  const journal = store.openJournal(conv);
  const { floor, since } = startOf(store, uid, journal);
  const read = Math.max(store.users.get(uid)?.positions.get(conv)?.read ?? 0, since);
  const unread = journal.messagesAbove(read);
  const summary = { conv, head: journal.head, read, unread, last: journal.lastMessage(floor), at };
  if (!isDm(conv)) return summary;
  const told = store.users.get(peerOf(conv, uid))?.positions.get(conv)?.told;
  return { ...summary, peer: { delivered: told?.delivered ?? 0, read: told?.read ?? 0 } };
}
