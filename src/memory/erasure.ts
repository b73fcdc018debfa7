import { MARK } from '../chat/item.js';
import { renamed } from '../chat/rename.js';
import type { Erasure } from '../chat/social-ports.js';
import { type Conv, dmOf, isDm, roomConv, sidesOf, type Uid } from '../protocol/index.js';
import { sideOf } from './box.js';
import { peerOf, type Store, type User } from './store.js';

export function createErasure(store: Store): Erasure {
  return {
    async erase(uid, alias) {
      const user = store.users.get(uid);
      if (user !== undefined) {
        if (isTaken(store, user, alias)) throw new Error(`${alias} has a conversation of its own already`);
        for (const conv of [...user.box]) takeOver(store, conv, uid, alias);
        quitRooms(store, user);
      }
      renameInFeeds(store, uid, alias);
      // A block goes on to hide what it hid.
      for (const { blocks } of store.users.values()) if (blocks.delete(uid)) blocks.add(alias);
      for (const [key, ban] of store.bans) if (ban.uid === uid) store.bans.delete(key);
      store.users.delete(uid);
    },
  };
}

const isTaken = (store: Store, { uid, box }: User, alias: Uid): boolean =>
  [...box].some((conv) => store.journals.has(dmOf(alias, peerOf(conv, uid))));

/** A direct conversation becomes the one of the other side and the alias. */
function takeOver(store: Store, conv: Conv, uid: Uid, alias: Uid): void {
  const journal = store.journal(conv);
  const peer = peerOf(conv, uid);
  if (journal === undefined || peer === uid) return store.forgetJournal(conv, [uid]);
  const target = dmOf(alias, peer);
  const isSwapped = sidesOf(conv).indexOf(uid) !== sidesOf(target).indexOf(alias);
  const moved = journal.movedTo(target, isSwapped);
  moved.ids.forgetOf(uid);
  moved.rewrite((item) => {
    const named = renamed(item, target, uid, alias);
    return isSwapped ? String.fromCharCode(named.charCodeAt(0) ^ MARK.greater) + named.slice(1) : named;
  });
  // Nobody will ever acknowledge what waits for who is gone.
  moved.acknowledge(sideOf(moved, alias), moved.head);
  store.forgetJournal(conv, []);
  store.journals.set(target, moved);
  moveReader(store.user(peer), conv, target);
}

/** Where a user was in a conversation, they are in another. */
function moveReader(user: User, from: Conv, to: Conv): void {
  moveKey(user.positions, from, to);
  user.strangers.delete(from);
  if (user.box.delete(from)) user.box.add(to);
  for (const { cursors, polls } of user.devices.values()) {
    moveKey(cursors, from, to);
    for (const [poll, held] of polls) {
      if (held.some(([conv]) => conv === from))
        polls.set(
          poll,
          held.map(([conv, seq]) => [conv === from ? to : conv, seq]),
        );
    }
  }
}

function moveKey<V>(map: Map<Conv, V>, from: Conv, to: Conv): void {
  const value = map.get(from);
  if (value === undefined) return;
  map.delete(from);
  map.set(to, value);
}

/** The policy has taken them out already; this is for who came back meanwhile. */
function quitRooms(store: Store, user: User): void {
  for (const id of user.rooms.keys()) {
    const room = store.rooms.get(id);
    if (!room?.members.delete(user.uid)) continue;
    room.sorted = undefined;
    if (room.members.size > 0) continue;
    store.rooms.delete(id);
    store.forgetJournal(roomConv(id), []);
  }
}

/** They may have written in any room, also in one that they left. */
function renameInFeeds(store: Store, uid: Uid, alias: Uid): void {
  for (const [conv, journal] of store.journals) {
    if (isDm(conv)) continue;
    journal.ids.forgetOf(uid);
    journal.rewrite((item) => renamed(item, conv, uid, alias));
  }
}
