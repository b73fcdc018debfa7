/** Who may do what, decided in one place for every transport. */
import { type Conv, type Conversation, type ErrorCode, parseConv, type Role, type Uid } from '../protocol/index.js';
import type { Rooms } from './ports.js';
import type { Identity } from './session.js';

export type Refused = { readonly refused: ErrorCode; readonly message?: string };

const RANK: Readonly<Record<Role, number>> = { owner: 3, admin: 2, member: 1 };

/** Whether a user may set another's role from one to another (undefined: not a member) in a room. */
export function mayChange(
  by: Role | undefined,
  isSelf: boolean,
  from: Role | undefined,
  to: Role | undefined,
  isPrivate: boolean,
): boolean {
  if (isSelf) {
    if (to === undefined) return from !== undefined;
    return from === undefined && to === 'member' && !isPrivate;
  }
  if (by === undefined || by === 'member') return false;
  if (to === 'owner') return by === 'owner';
  const rank = RANK[by];
  return rank > (from ? RANK[from] : 0) && rank > (to ? RANK[to] : 0);
}

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
