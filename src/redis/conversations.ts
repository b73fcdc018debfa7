/** The list of a user's conversations. */
import type { Item } from '../chat/item.js';
import type { Conversations, Conversed, Listed } from '../chat/social-ports.js';
import type { Conv, Uid } from '../protocol/index.js';
import type { Store } from './store.js';

type Row = readonly [
  conv: Conv,
  head: number,
  read: number,
  unread: number,
  at: number,
  last: Item | null,
  peerDelivered: number,
  peerRead: number,
];
const COLUMNS = 8;

export class RedisConversations implements Conversations {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  async list(uid: Uid, before: number | undefined, limit: number): Promise<Listed> {
    const reply = await this.#store.run('conversations', [uid, before ?? '', limit]);
    const [more, looked, ...flat] = reply as [number, number, ...unknown[]];
    const conversations: Conversed[] = [];
    for (let i = 0; i < flat.length; i += COLUMNS) {
      conversations.push(conversedOf(flat.slice(i, i + COLUMNS) as unknown as Row));
    }
    return { conversations, more: more === 1, looked };
  }
}

function conversedOf([conv, head, read, unread, at, last, delivered, peerRead]: Row): Conversed {
  const facts = { conv, head, read, unread, last: last ?? undefined, at };
  return delivered < 0 ? facts : { ...facts, peer: { delivered, read: peerRead } };
}
