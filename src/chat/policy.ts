/** Who may do what, decided in one place for every transport. */
import { type Conv, type Conversation, type ErrorCode, parseConv, type Role, type Uid } from '../protocol/index.js';
import type { Rooms } from './ports.js';
import type { Identity } from './session.js';

export type Refused = { readonly refused: ErrorCode; readonly message?: string };

/** Who acts in a room: somebody of that role, nobody of it, or whoever has the server key, who is above every role. */
export type Rank = Role | 'system' | undefined;

const RANK: Readonly<Record<Role | 'system', number>> = { system: 4, owner: 3, admin: 2, member: 1 };
const rankOf = (rank: Rank): number => (rank === undefined ? 0 : RANK[rank]);

/**
 * Whether a user's role in a room may go from one to another (undefined: not a member). Who makes somebody owner stops
 * being it, and an owner who goes hands over, so that a room always has exactly one.
 */
export function mayChange(
  by: Rank,
  isSelf: boolean,
  from: Role | undefined,
  to: Role | undefined,
  isPrivate: boolean,
): boolean {
  if (isSelf) {
    if (to === undefined) return from !== undefined;
    return from === undefined && to === 'member' && !isPrivate;
  }
  if (!mayGovern(by)) return false;
  if (to === 'owner') return mayDelete(by) && from !== undefined;
  if (from === 'owner') return by === 'system' && to === undefined;
  return rankOf(by) > rankOf(from) && rankOf(by) > rankOf(to);
}

/** Whether they may rename the room, and make it private or public. */
export const mayGovern = (by: Rank): boolean => rankOf(by) >= RANK.admin;

/** Whether they may delete the room, or give it to another owner. */
export const mayDelete = (by: Rank): boolean => rankOf(by) >= RANK.owner;

export const mayBroadcast = (identity: Identity): boolean => identity.mayBroadcast;

/**
 * Whether a user may read a conversation, and from where: entries up to `floor` stay hidden. Somebody else's
 * conversation is refused whatever is asked of it.
 */
export async function readable(uid: Uid, conv: Conv, rooms: Rooms): Promise<{ readonly floor: number } | Refused> {
  const place = parseConv(conv) as Conversation;
  switch (place.kind) {
    case 'all':
      return { floor: 0 };
    case 'dm':
      return place.a === uid || place.b === uid ? { floor: 0 } : { refused: 'forbidden' };
    case 'room': {
      const facts = await rooms.facts(place.room, [uid]);
      const me = facts.asked[0];
      if (!facts.exists) return { refused: 'not_found' };
      if (me?.role === undefined) return { refused: 'not_member' };
      return { floor: facts.private ? me.since : 0 };
    }
  }
}
