import type { Presence } from '../chat/ports.js';
import type { Store } from './store.js';

export function createPresence(store: Store): Presence {
  return {
    async online(uids) {
      return uids.map((uid) => {
        const user = store.users.get(uid);
        return { uid, online: (user?.conns.size ?? 0) > 0, lastSeen: user?.lastSeen ?? 0 };
      });
    },
  };
}
