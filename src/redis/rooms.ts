/** Rooms: their members, and changes that are entries of their logs. */
import { itemOf, MARK } from '../chat/item.js';
import type { RoomChange, RoomFacts, Rooms } from '../chat/ports.js';
import { type Role, type RoomId, roomConv, type Uid } from '../protocol/index.js';
import { keepingOf } from './append.js';
import type { Hints } from './hints.js';
import { entryOf } from './ring.js';
import type { Argument } from './scripts.js';
import type { Store } from './store.js';

/** What change.lua answers. */
type Changed = readonly [
  last: number,
  ts: number,
  sent: number,
  unheard: number,
  own: number,
  isGone: number,
  ...moved: (number | string)[],
];

export class RedisRooms implements Rooms {
  readonly #store: Store;
  readonly #hints: () => Hints;

  constructor(store: Store, hints: () => Hints) {
    this.#store = store;
    this.#hints = hints;
  }

  async facts(room: RoomId, uids: readonly Uid[]): Promise<RoomFacts> {
    const reply = await this.#store.run('facts', [room, ...uids]);
    const [exists, name, isPrivate, members, ...asked] = reply as [number, string, number, number, ...unknown[]];
    return {
      exists: exists === 1,
      name,
      private: isPrivate === 1,
      members,
      asked: uids.map((_, i) => ({
        role: (asked[3 * i] || undefined) as Role,
        since: asked[3 * i + 1] as number,
        rooms: asked[3 * i + 2] as number,
      })),
    };
  }

  async change(change: RoomChange): Promise<{ readonly seq: number; readonly ts: number } | 'changed'> {
    const reply = await this.#store.send<Changed | null>('change', this.#argumentsOf(change), (reply) => {
      if (reply !== null) this.#keep(change, reply);
    });
    if (reply === null) return 'changed';
    const [seq, ts, sent, unheard, own, , ...moved] = reply;
    this.#store.countForwards(sent, unheard);
    if (own > 0) this.#hints().hearChange(own, membershipsOf(change.room, moved));
    return { seq, ts };
  }

  #keep({ room, expect, meta, roles, tails }: RoomChange, [last, ts, , , , isGone]: Changed): void {
    const conv = roomConv(room);
    if (isGone === 1) return this.#store.ring.changed([{ conv, seq: last, item: '', razes: true }]);
    const begin = last - tails.length + 1;
    const entries = tails.map((tail, i) => {
      const mark = MARK.op + (i === 0 && !expect.exists ? MARK.first : 0);
      return entryOf(itemOf(mark, conv, begin + i, ts, tail));
    });
    const named = roles.map(([uid, role]) => [uid, role ?? ''] as const);
    this.#store.ring.changed(entries.map((entry, i) => (i === 0 ? { ...entry, roles: named, meta } : entry)));
  }

  #argumentsOf({ room, expect, meta, roles, tails, ...change }: RoomChange): readonly Argument[] {
    return [
      this.#store.node,
      ...keepingOf(this.#store.limits),
      room,
      flag(expect.exists),
      flag(expect.private),
      flag(meta !== undefined),
      meta?.name ?? '',
      flag(meta?.private),
      flag(change.delete),
      expect.roles.length,
      roles.length,
      tails.length,
      ...[...expect.roles, ...roles].flatMap(([uid, role]) => [uid, role ?? '']),
      ...tails.flatMap((tail) => [MARK.op, tail]),
    ];
  }

  async members(
    room: RoomId,
    after: Uid | undefined,
    limit: number,
  ): Promise<readonly { readonly uid: Uid; readonly role: Role }[]> {
    const flat = (await this.#store.run('members', [room, after ?? '', limit])) as string[];
    const members: { uid: Uid; role: Role }[] = [];
    for (let i = 0; i < flat.length; i += 2) members.push({ uid: flat[i] as Uid, role: flat[i + 1] as Role });
    return members;
  }

  async heir(room: RoomId, leaver: Uid): Promise<Uid | undefined> {
    return ((await this.#store.run('heir', [room, leaver])) as Uid | null) ?? undefined;
  }
}

const flag = (value: boolean | undefined): number => (value ? 1 : 0);

/** Who of this node's users gained or lost the room. */
function membershipsOf(room: RoomId, flat: readonly unknown[]) {
  const memberships: { uid: Uid; conv: ReturnType<typeof roomConv>; since: number | undefined }[] = [];
  for (let i = 0; i < flat.length; i += 2) {
    const since = flat[i + 1] as number;
    memberships.push({ uid: flat[i] as Uid, conv: roomConv(room), since: since < 0 ? undefined : since });
  }
  return memberships;
}
