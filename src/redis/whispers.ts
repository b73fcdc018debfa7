/** Frames that are never stored, such as typing. */
import type { Whispers } from '../chat/ports.js';
import type { Conv, Uid } from '../protocol/index.js';
import type { Store } from './store.js';

export class RedisWhispers implements Whispers {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async toUsers(uids: readonly Uid[], frame: string): Promise<void> {
    if (uids.length === 0) return;
    const [sent, unheard] = (await this.#store.run('whisper', [this.#store.node, frame, ...uids])) as [number, number];
    this.#store.countForwards(sent, unheard);
  }

  async toRoom(conv: Conv, sender: Uid, frame: string): Promise<void> {
    const payload = `1 ${this.#store.node}\n~${sender}\t${frame}`;
    await this.#store.commands.call('publish', (client) => client.publish(this.#store.keys.feed(conv), payload));
  }
}
