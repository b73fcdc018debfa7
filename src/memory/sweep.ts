import { isDm, sidesOf } from '../protocol/index.js';
import { forgetDevices } from './cursors.js';
import type { Store, User } from './store.js';

/** Frees what has run out. Nothing that is asked depends on it: what has run out counts no more, swept or not. */
export function sweep(store: Store): void {
  sweepJournals(store);
  for (const [uid, user] of store.users) {
    forgetDevices(store, user);
    if (isForgettable(store, user)) store.users.delete(uid);
  }
}

/**
 * An expired log leaves its head behind, so that whoever comes late is told what is gone; when every device that could
 * know of it is forgotten, too, the head goes. A room's and everybody's stay.
 */
function sweepJournals(store: Store): void {
  const { retentionMs, deviceMs, dedupMs } = store.limits;
  const now = store.now();
  for (const conv of store.journals.keys()) {
    const journal = store.journal(conv);
    journal?.ids.forget(now - dedupMs);
    if (!isDm(conv) || journal === undefined || now - journal.lastTs < retentionMs + deviceMs) continue;
    store.forgetJournal(conv, sidesOf(conv));
  }
}

function isForgettable(store: Store, user: User): boolean {
  if (store.now() - user.activeMs < store.limits.deviceMs) return false;
  return user.conns.size + user.devices.size + user.box.size + user.rooms.size + user.blocks.size === 0;
}
