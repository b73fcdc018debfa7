import type { Blocks } from '../chat/social-ports.js';
import type { Store } from './store.js';

const BLOCKS_MAX = 10_000;

export function createBlocks(store: Store): Blocks {
  return {
    async blocked(uid) {
      return [...(store.users.get(uid)?.blocks ?? [])];
    },

    async block(uid, other, on) {
      if (!on) {
        store.users.get(uid)?.blocks.delete(other);
        return true;
      }
      const { blocks } = store.user(uid);
      if (blocks.size >= BLOCKS_MAX && !blocks.has(other)) return false;
      blocks.add(other);
      return true;
    },

    async blockers(viewer, uids) {
      return uids.filter((uid) => store.users.get(uid)?.blocks.has(viewer));
    },
  };
}
