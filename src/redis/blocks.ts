/** Whom users block. */
import type { Blocks } from '../chat/social-ports.js';
import type { Uid } from '../protocol/index.js';
import type { Store } from './store.js';

const BLOCKS_MAX = 10_000;
const BATCH = 500;

export class RedisBlocks implements Blocks {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async blocked(uid: Uid): Promise<readonly Uid[]> {
    const key = this.#store.keys.blocks(uid);
    return (await this.#store.commands.call('blocks', (client) => client.smembers(key))) as Uid[];
  }

  async block(uid: Uid, other: Uid, on: boolean): Promise<boolean> {
    const at = (await this.#store.run('block', [uid, other, on ? 1 : 0, BLOCKS_MAX])) as number;
    if (at > 0) this.#store.ring.sanctioned(at, ['block', uid, other, on]);
    return at > 0;
  }

  async blockers(viewer: Uid, uids: readonly Uid[]): Promise<readonly Uid[]> {
    const blockers: Uid[] = [];
    for (let i = 0; i < uids.length; i += BATCH) {
      blockers.push(...((await this.#store.run('blockers', [viewer, ...uids.slice(i, i + BATCH)])) as Uid[]));
    }
    return blockers;
  }
}
