/** Who is online, on whatever node. */
import type { Online, Presence } from '../chat/ports.js';
import type { Uid } from '../protocol/index.js';
import { LEASE_MS, type Store } from './store.js';

const BATCH = 500;

export class RedisPresence implements Presence {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async online(uids: readonly Uid[]): Promise<readonly Online[]> {
    const all: Online[] = [];
    const isReturning = this.#store.commands.backFor() < LEASE_MS ? 1 : 0;
    for (let i = 0; i < uids.length; i += BATCH) {
      const some = uids.slice(i, i + BATCH);
      const reply = (await this.#store.run('online', [isReturning, ...some])) as number[];
      all.push(...some.map((uid, k) => ({ uid, online: reply[2 * k] === 1, lastSeen: reply[2 * k + 1] as number })));
    }
    return all;
  }
}
