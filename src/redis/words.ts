/** Words from a node to all nodes. */
import type { Words } from '../chat/social-ports.js';
import type { Store } from './store.js';

export class RedisWords implements Words {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async toNodes(word: string): Promise<void> {
    const channel = this.#store.keys.words();
    await this.#store.commands.call('word', (client) => client.publish(channel, `1 0\n${word}`));
  }
}
