/** The embedded backend: one node, everything in this process, nothing kept when it ends. */
import { randomBytes } from 'node:crypto';
import type { Backend } from '../chat/ports.js';
import type { StoreLimits } from '../chat/store-limits.js';
import { createAmendments } from './amendments.js';
import { createBans } from './bans.js';
import { createBlocks } from './blocks.js';
import { createConversations } from './conversations.js';
import { createDevices } from './devices.js';
import { createErasure } from './erasure.js';
import { Hints } from './hints.js';
import { createLog } from './log.js';
import { createPresence } from './presence.js';
import { createRooms } from './rooms.js';
import { Store } from './store.js';
import { sweep } from './sweep.js';
import { createWhispers } from './whispers.js';
import { createWords } from './words.js';

const SWEEP_MS = 30_000;
const SECRET_BYTES = 32;

/** `now`: milliseconds since 1970; tests give their own. */
export function createMemoryBackend(options: { readonly limits: StoreLimits; readonly now?: () => number }): Backend {
  const store = new Store(options.limits, options.now ?? Date.now);
  const hints = new Hints();
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  let sweeper: NodeJS.Timeout | undefined;
  return {
    kind: 'memory',
    log: createLog(store, hints),
    devices: createDevices(store),
    presence: createPresence(store),
    rooms: createRooms(store, hints),
    whispers: createWhispers(hints),
    amendments: createAmendments(store, hints),
    conversations: createConversations(store),
    blocks: createBlocks(store),
    bans: createBans(store),
    erasure: createErasure(store),
    words: createWords(hints),
    async start(_node, listener) {
      if (sweeper !== undefined) throw new Error('the embedded backend serves one node');
      hints.listener = listener;
      sweeper = setInterval(() => sweep(store), SWEEP_MS).unref();
    },
    async follow(conv) {
      hints.follow(conv);
    },
    unfollow: (conv) => hints.unfollow(conv),
    secret: async () => secret,
    health: () => ({
      ready: sweeper !== undefined,
      canaryAge: 0,
      reasons: ['embedded: one node, and nothing is kept when it stops'],
    }),
    async close() {
      clearInterval(sweeper);
      sweeper = undefined;
      hints.listener = undefined;
    },
  };
}
