import type { Ban, Bans } from '../chat/social-ports.js';
import type { Store } from './store.js';

const BANS_MAX = 100_000;

export function createBans({ bans }: Store): Bans {
  let listed: readonly Ban[] | undefined;
  return {
    async all() {
      // Erasing a user ends their bans, too, and begins none.
      if (listed?.length !== bans.size) listed = undefined;
      listed ??= [...bans.values()];
      return listed;
    },

    async set(ban, on) {
      const key = keyOf(ban);
      listed = undefined;
      if (!on) {
        bans.delete(key);
        return true;
      }
      if (bans.size >= BANS_MAX && !bans.has(key)) return false;
      bans.set(key, ban);
      return true;
    },
  };
}

const keyOf = ({ uid, device, tokenId }: Ban): string => JSON.stringify([uid, device ?? null, tokenId ?? null]);
