/**
 * Erasing a user. There is no index of where somebody's name stands, so all keys are looked at, some at a time: it is
 * rare, and nothing may be left. What is done twice does no harm.
 */
import type { Redis } from 'ioredis';
import { type Item, seqOf } from '../chat/item.js';
import { type Log, type Rooms, Unavailable } from '../chat/ports.js';
import { renamed } from '../chat/rename.js';
import type { Erasure } from '../chat/social-ports.js';
import { type Conv, dmOf, isDm, type RoomId, sidesOf, type Uid } from '../protocol/index.js';
import type { RedisBans } from './bans.js';
import { type ParsedKey, parseKey } from './key-names.js';
import { moveConversation } from './move.js';
import type { Store } from './store.js';

const KEYS_AT_ONCE = 1_000;
const ITEMS_AT_ONCE = 512;
const BYTES_AT_ONCE = 524_288;
/** How often a stretch of a log may change while it is rewritten. */
const TRIES = 50;
/** Of a conversation, and moved with it. */
const MOVED = new Set<ParsedKey['kind']>(['log', 'head', 'ops', 'edits']);

type Parts = { readonly log: Log; readonly rooms: Rooms; readonly bans: RedisBans };
type Names = { readonly uid: Uid; readonly alias: Uid };

export class RedisErasure implements Erasure {
  readonly #store: Store;
  readonly #parts: Parts;

  constructor(store: Store, parts: Parts) {
    this.#store = store;
    this.#parts = parts;
  }

  async erase(uid: Uid, alias: Uid): Promise<void> {
    const names = { uid, alias };
    await this.#leaveRooms(uid);
    // Conversations first: what others know of them moves with them, before the rest is taken away.
    for await (const keys of this.#scan('head:dm:*')) await this.#moveAll(keys, names);
    for await (const keys of this.#scan('*')) {
      await this.#moveAll(keys, names);
      await this.#store.commands.call('erase', (client) =>
        Promise.all(keys.map((key) => this.#clean(client, key, names))),
      );
      for (const { kind, key } of keys) if (kind === 'ids') await this.#moveIds(key, names);
      for (const conv of feedsIn(keys)) await this.#rewrite(conv, names);
    }
    await this.#parts.bans.forget(uid);
  }

  /** The policy has taken them out already; this is for who came back meanwhile. */
  async #leaveRooms(uid: Uid): Promise<void> {
    const { rooms } = this.#parts;
    const key = this.#store.keys.rooms(uid);
    const ids = (await this.#store.commands.call('erase', (client) => client.hkeys(key))) as RoomId[];
    for (const room of ids) {
      const { exists, private: isPrivate, asked } = await rooms.facts(room, [uid]);
      const expect = { exists, private: isPrivate, roles: [[uid, asked[0]?.role] as const] };
      if (!exists) continue;
      await rooms.change({ room, expect, roles: [[uid, undefined]], sender: uid, tails: [] });
    }
  }

  async *#scan(pattern: string): AsyncGenerator<readonly Key[]> {
    const root = this.#store.root;
    let cursor = '0';
    do {
      const from = cursor;
      const [next, keys] = await this.#store.commands.call('erase', (client) =>
        client.scan(from, 'MATCH', `${root}:${pattern}`, 'COUNT', KEYS_AT_ONCE),
      );
      yield keys.flatMap((key) => {
        const parsed = parseKey(root, key);
        return parsed === undefined ? [] : [{ key, ...parsed }];
      });
      cursor = next;
    } while (cursor !== '0');
  }

  async #moveAll(keys: readonly Key[], { uid, alias }: Names): Promise<void> {
    for (const { kind, names } of keys) {
      const conv = names.get('conv') as Conv;
      if (kind === 'head' && isSide(conv, uid)) {
        await moveConversation(this.#store, this.#parts.log, conv, uid, alias);
      }
    }
  }

  /** Takes the user out of one key, or the key away. */
  async #clean(client: Redis, { key, kind, names }: Key, { uid, alias }: Names): Promise<unknown> {
    const conv = names.get('conv') as Conv | undefined;
    const owner = names.get('uid') as Uid | undefined;
    const isTheirs = isSide(conv, uid);
    if (isTheirs && MOVED.has(kind)) return;
    if (isTheirs || owner === uid) return client.del(key);
    switch (kind) {
      case 'box':
      case 'stirred':
        return client.zrem(key, dmOf(uid, owner as Uid));
      case 'cur':
        return client.hdel(key, dmOf(uid, owner as Uid));
      case 'rcpt':
        return client.zrem(key, `p${dmOf(uid, owner as Uid)}`, `o${dmOf(uid, owner as Uid)}`);
      case 'strangers':
        return client.zrem(key, uid);
      case 'uids':
        return client.srem(key, uid);
      case 'blocks':
        // A block goes on to hide what it hid.
        if ((await client.sismember(key, uid)) === 0) return;
        return Promise.all([client.sadd(key, alias), client.srem(key, uid)]);
      default:
        return;
    }
  }

  /** The other side's ids are known in the new conversation as they were in the old one; the user's are forgotten. */
  async #moveIds(key: string, { uid, alias }: Names): Promise<void> {
    let cursor = '0';
    do {
      const from = cursor;
      cursor = await this.#store.commands.call('erase', async (client) => {
        const [next, flat] = await client.hscanBuffer(key, from, 'COUNT', KEYS_AT_ONCE);
        const gone: string[] = [];
        const moved: (string | Buffer)[] = [];
        for (let i = 0; i < flat.length; i += 2) {
          const name = String(flat[i]);
          const { conv, sender, id } = letterIn(name);
          const isTheirs = isSide(conv, uid);
          if (!isTheirs && sender !== uid) continue;
          gone.push(name);
          if (sender !== uid) moved.push(nameOf(dmOf(alias, sender), sender, id), flat[i + 1] as Buffer);
        }
        if (moved.length > 0) await client.hset(key, ...moved);
        if (gone.length > 0) await client.hdel(key, ...gone);
        // The generation may have ended just now: then this is one that nobody else would end.
        await client.pexpire(key, this.#store.limits.dedupMs, 'NX');
        return String(next);
      });
    } while (cursor !== '0');
  }

  /** They may have written in any room, also in one that they left. */
  async #rewrite(conv: Conv, { uid, alias }: Names): Promise<void> {
    let after = 0;
    let tries = 0;
    for (;;) {
      const { items } = await this.#parts.log.read(conv, after, ITEMS_AT_ONCE, BYTES_AT_ONCE);
      if (items.length === 0) return;
      const changes = items.flatMap((item) => {
        const becomes = renamed(item, conv, uid, alias);
        return becomes === item ? [] : [seqOf(item), item, becomes];
      });
      if (changes.length === 0 || (await this.#store.run('restate', [conv, ...changes])) === 1) {
        after = seqOf(items.at(-1) as Item);
        tries = 0;
      } else if (++tries === TRIES) throw new Unavailable(`${conv} changes too fast`);
    }
  }
}

type Key = ParsedKey & { readonly key: string };

/** The name of an id in a generation, taken apart, and of one in a dm put together; see keys.ts. */
function letterIn(name: string): { readonly conv: Conv; readonly sender: Uid; readonly id: string } {
  const [, conv = '', side = '', id = ''] = /^([^ <>]+)(<|>| [^ ]+ )(.*)$/.exec(name) ?? [];
  const sender = side.length > 1 ? side.trim() : sidesOf(conv as Conv)[side === '>' ? 1 : 0];
  return { conv: conv as Conv, sender: sender as Uid, id };
}

const nameOf = (conv: Conv, sender: Uid, id: string): string =>
  `${conv}${sidesOf(conv)[0] === sender ? '<' : '>'}${id}`;

const isSide = (conv: Conv | undefined, uid: Uid): boolean =>
  conv !== undefined && isDm(conv) && sidesOf(conv).includes(uid);

/** The rooms, and `all`, whose logs are among the keys. */
const feedsIn = (keys: readonly Key[]): readonly Conv[] =>
  keys
    .filter(({ kind, names }) => kind === 'log' && !isDm(names.get('conv') as Conv))
    .map(({ names }) => names.get('conv') as Conv);
