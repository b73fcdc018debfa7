import { MARK } from '../chat/item.js';
import type { RoomChange, Rooms } from '../chat/ports.js';
import { type Conv, compareCodePoints, type Role, roomConv, type Uid } from '../protocol/index.js';
import { appendEntry } from './entry.js';
import type { Hints } from './hints.js';
import type { Membership, Room, Store } from './store.js';

export function createRooms(store: Store, hints: Hints): Rooms {
  return {
    async facts(id, uids) {
      const room = store.rooms.get(id);
      const asked = uids.map((uid) => {
        const member = room?.members.get(uid);
        return { role: member?.role, since: member?.since ?? 0, rooms: store.users.get(uid)?.rooms.size ?? 0 };
      });
      const { name = '', private: isPrivate = false } = room ?? {};
      return { exists: room !== undefined, name, private: isPrivate, members: room?.members.size ?? 0, asked };
    },

    async change(change) {
      if (!isAsExpected(store.rooms.get(change.room), change.expect)) return 'changed';
      const place = carryOut(store, hints, change);
      hints.leave();
      return place;
    },

    async members(id, after, limit) {
      const room = store.rooms.get(id);
      if (room === undefined) return [];
      room.sorted ??= [...room.members.keys()].sort(compareCodePoints);
      const from = after === undefined ? 0 : room.sorted.findIndex((uid) => compareCodePoints(uid, after) > 0);
      if (from < 0) return [];
      return room.sorted.slice(from, from + limit).map((uid) => ({ uid, role: room.members.get(uid)!.role }));
    },

    async heir(id, leaver) {
      const others = [...(store.rooms.get(id)?.members ?? [])].filter(([uid]) => uid !== leaver);
      const [heir] = others.find(([, { role }]) => role === 'admin') ?? others[0] ?? [];
      return heir;
    },
  };
}

function isAsExpected(room: Room | undefined, expect: RoomChange['expect']): boolean {
  if ((room !== undefined) !== expect.exists || (room?.private ?? false) !== expect.private) return false;
  return expect.roles.every(([uid, role]) => room?.members.get(uid)?.role === role);
}

function carryOut(store: Store, hints: Hints, change: RoomChange): { seq: number; ts: number } {
  const conv = roomConv(change.room);
  const ts = store.now();
  const room = store.rooms.get(change.room) ?? { name: '', private: false, members: new Map(), sorted: undefined };
  store.rooms.set(change.room, room);
  if (change.meta !== undefined) Object.assign(room, { name: change.meta.name, private: change.meta.private });
  const start = { since: store.openJournal(conv).nextSeq(ts) - 1, sinceMs: ts };
  for (const [uid, role] of change.roles) setRole(store, hints, change, room, uid, role, start);
  const isOver = change.delete === true || room.members.size === 0;
  if (isOver) for (const uid of [...room.members.keys()]) setRole(store, hints, change, room, uid, undefined, start);
  const seq = writeEntries(store, hints, conv, change.tails, ts);
  if (isOver) {
    store.rooms.delete(change.room);
    store.forgetJournal(conv, []);
  }
  return { seq, ts };
}

function setRole(
  store: Store,
  hints: Hints,
  change: RoomChange,
  room: Room,
  uid: Uid,
  role: Role | undefined,
  start: Omit<Membership, 'role'>,
): void {
  const conv = roomConv(change.room);
  const before = room.members.get(uid);
  if (role === undefined) {
    if (before === undefined) return;
    room.members.delete(uid);
    store.user(uid).rooms.delete(change.room);
    store.forgetReader(uid, conv);
  } else {
    room.members.set(uid, { ...(before ?? start), role });
    if (before !== undefined) return;
    store.user(uid).rooms.set(change.room, start.since);
  }
  room.sorted = undefined;
  const isHere = store.user(uid).conns.size > 0;
  if (isHere) hints.membership(uid, conv, role === undefined ? undefined : start.since);
}

/** Returns the seq of the last entry. */
function writeEntries(store: Store, hints: Hints, conv: Conv, tails: readonly string[], ts: number): number {
  for (const tail of tails) {
    const journal = store.openJournal(conv);
    appendEntry(store, hints, journal, journal.draft(MARK.op, ts, tail), 0);
  }
  return store.head(conv);
}
