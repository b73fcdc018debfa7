/** A direct conversation under another name: copied item by item, and put in its place in one step. */
import { hasMark, type Item, MARK, seqOf } from '../chat/item.js';
import { type Log, Unavailable } from '../chat/ports.js';
import { renamed } from '../chat/rename.js';
import { type Conv, dmOf, sidesOf, type Uid } from '../protocol/index.js';
import type { Store } from './store.js';

const ITEMS_AT_ONCE = 512;
const BYTES_AT_ONCE = 1_048_576;
/** How often a conversation may change while it is copied. */
const TRIES = 20;
/** What is left of a copy that was broken off goes away by itself. */
const COPY_MS = 600_000;

/** What move.lua answers. */
const MOVE = { done: 1, more: 0, taken: -1 } as const;

/**
 * Puts `alias` in the place of `uid`: the other side keeps everything, under the new name. Notes to self go away.
 * Throws where `alias` has a conversation with that side that began later than this one ended.
 */
export async function moveConversation(store: Store, log: Log, from: Conv, uid: Uid, alias: Uid): Promise<void> {
  const [a, b] = sidesOf(from);
  const peer = a === uid ? b : a;
  if (peer === uid) {
    await store.run('forget', [from]);
    return;
  }
  if (peer === alias) throw new Error(`${alias} is the other side of ${from}`);
  const to = dmOf(alias, peer);
  const change = (item: Item) => moved(item, from, to, uid, alias);
  const key = store.keys.copy(from);
  for (let i = 0; i < TRIES; i++) {
    await store.commands.call('erase', (client) => client.del(key));
    const answer = await copyAndMove(store, log, from, change, [from, to, uid, alias, peer]);
    if (answer === MOVE.done) return;
    if (answer === MOVE.taken) throw new Error(`${alias} has a conversation with ${peer} already`);
  }
  throw new Unavailable(`${from} changes too fast`);
}

/** Follows what is still being said, until the step that moves all of it comes before the next message. */
async function copyAndMove(
  store: Store,
  log: Log,
  from: Conv,
  change: (item: Item) => Item,
  names: readonly string[],
): Promise<number> {
  let count = 0;
  let first = 0;
  let last = 0;
  let began: number | undefined;
  for (;;) {
    const { items, head } = await log.read(from, last, ITEMS_AT_ONCE, BYTES_AT_ONCE);
    began ??= head;
    first ||= items[0] === undefined ? 0 : seqOf(items[0]);
    last = items.length === 0 ? last : seqOf(items.at(-1) as Item);
    count += items.length;
    const copied = put(store, from, items.map(change));
    if (items.length > 0 && last < head) {
      await copied;
      continue;
    }
    // Sent with what was copied, so that as little as possible comes in between.
    const [answer] = await Promise.all([store.run('move', [...names, count, first, began]), copied]);
    if (answer !== MOVE.more) return answer as number;
  }
}

async function put(store: Store, from: Conv, copies: readonly Item[]): Promise<void> {
  if (copies.length === 0) return;
  const key = store.keys.copy(from);
  await store.commands.call('erase', (client) =>
    Promise.all([client.rpush(key, ...copies), client.pexpire(key, COPY_MS)]),
  );
}

function moved(item: Item, from: Conv, to: Conv, uid: Uid, alias: Uid): Item {
  const named = renamed(item, to, uid, alias);
  const isSwapped = sidesOf(from).indexOf(uid) !== sidesOf(to).indexOf(alias);
  if (!isSwapped) return named;
  const change = hasMark(named, MARK.greater) ? -MARK.greater : MARK.greater;
  return String.fromCharCode(named.charCodeAt(0) + change) + named.slice(1);
}
