/**
 * The one table of every key and channel. All begin with the partition's root, `<prefix>{p0}`, so that they share a
 * slot: a script takes the root as its only key and derives the others by this same table.
 */

/** Name → the names that tell one key of this kind from another. A name holds no colon but a conversation's own. */
export const KEYS = {
  /** string: the version of all this. */
  schema: [],
  /** string: signs tokens and cursors. */
  secret: [],
  /** string: the primary's run_id, a space, and the epoch: the time in µs at which it was first seen. */
  epoch: [],
  /** string with PX: after a failover or restart, sends wait until every node has brought what it kept. */
  hold: [],
  /** set: the nodes that have. */
  brought: [],
  /** set with PX: the nodes that are there, and are waited for longer. */
  coming: [],
  /** set: conversations of which something was brought and not yet put back. */
  returning: [],
  /** zset with PX: what was brought, see ring.ts, as JSON → its seq. */
  kept: ['conv'],
  /** string: when a ban or a block was last set or lifted, µs; see lua/lib/sanction.lua. */
  stated: [],
  /** string: what that was when this Redis took over. */
  since: [],
  /** zset with PX: bans and blocks that were brought, as JSON → when they were stated. */
  sanctions: [],
  /** zset: hash of the name of a log that was taken away → the seq up to which. */
  graves: [],
  /** string: written behind a batch so that WAIT has something to wait for. */
  fence: [],
  /** zset: node → when it last renewed its lease, ms. */
  nodes: [],
  /** string with PX: the node that buries the dead. */
  sweep: [],
  /** string with PX: the node that last tried whether a message could be stored. */
  probe: [],
  /** string: see lua/lib/head.lua. */
  head: ['conv'],
  /** list of items, see chat/item.ts. */
  log: ['conv'],
  /** list with PX: the items of a direct conversation as they will be under another name. */
  copy: ['conv'],
  /** zset: the seqs of entries with an op. */
  ops: ['conv'],
  /** zset: the seq of an edit → the seq of the message that it edits. */
  edits: ['conv'],
  /** string: names of the present generation of ids and of the one before, a space between. */
  generations: [],
  /**
   * hash: what a letter with an id was stored as, see lua/lib/store.lua; by its conversation, its sender and the id: a
   * dm and `<` (of the smaller side) or `>`, else the conversation, a space, the sender and a space. The name of a
   * generation is when it began, ms.
   */
  ids: ['generation'],
  /** zset: direct conversation → ts of its last entry without an op, up to a second behind. */
  box: ['uid'],
  /** zset: direct conversation → ts of its last entry with an op, if it ever had one. */
  stirred: ['uid'],
  /** zset: uids never seen that this uid wrote to → when, ms. */
  strangers: ['uid'],
  /** hash: room or all → read position. */
  read: ['uid'],
  /** hash: room or all → highest position that any device acknowledged. */
  floor: ['uid'],
  /** zset: device → last seen, ms. */
  devs: ['uid'],
  /** hash: conversation → acknowledged; and born, mark, told, renewed: see lua/lib/device.lua. */
  cur: ['uid', 'device'],
  /** zset: p or o (the peer's, one's own) and a conversation → when that receipt moved, µs. */
  rcpt: ['uid'],
  /** string with PX: "delivered read" of a user as the other side of a dm last heard of it, while more is kept silent. */
  hidden: ['conv', 'uid'],
  /** hash: poll → what its answer held, as JSON; last: the newest number. */
  polls: ['uid', 'device'],
  /** hash: connection → node, space, device. */
  pres: ['uid'],
  /** string: the nodes in pres, each once, space between. Absent: offline. */
  at: ['uid'],
  /** string with PX: when the user's last connection ended, ms. */
  seen: ['uid'],
  /** hash: room → the seq before the entry that admitted the user. */
  rooms: ['uid'],
  /** hash: room → when the user was admitted, ms. */
  joined: ['uid'],
  /** set of uids. */
  blocks: ['uid'],
  /** hash: a ban as JSON → since when, ms; revision: another one after every change. */
  bans: [],
  /** hash: name, private (1 or 0), created (ms). */
  room: ['room'],
  /** hash: uid → role, space, the seq before the entry that admitted them. */
  members: ['room'],
  /** zset, all scores 0: members in code-point order. */
  roll: ['room'],
  /** zset: members of one role → since, to find who succeeds an owner. */
  serving: ['room', 'role'],
  /** set: the uids that have a connection to a node. */
  uids: ['node'],
  /** string with PX: the node lives. */
  lease: ['node'],
  /** string: the number of the last counted payload to a node. */
  cnt: ['node'],
  /** channel: words to all nodes. */
  words: [],
  /** channel: payloads to one node. */
  to: ['node'],
  /** channel: entries and frames of a room or of all. */
  feed: ['conv'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

type Kind = keyof typeof KEYS;
type Names<T extends readonly string[]> = { -readonly [I in keyof T]: string };
export type Keys = { readonly [K in Kind]: (...names: Names<(typeof KEYS)[K]>) => string };

/** Everything that belongs to this partition begins so. */
export const rootOf = (prefix: string): string => `${prefix}{p0}`;

export function keysOf(root: string): Keys {
  const keys = Object.keys(KEYS).map((kind) => [kind, (...names: string[]) => [root, kind, ...names].join(':')]);
  return Object.fromEntries(keys) as Keys;
}
