/** What a change of a room comes to: the roles and entries that it writes, or why it may not be. Pure decisions. */
import type { Role, RoomId, SystemEvent, Uid } from '../protocol/index.js';
import { systemTail } from './item.js';
import { mayChange, mayDelete, mayGovern, type Rank, type Refused } from './policy.js';
import type { RoomChange, RoomFacts } from './ports.js';

/** Whoever asks: a user, or the service itself, for whoever has the server key. */
export type Actor = { readonly uid: Uid; readonly isSystem?: true };
export const SYSTEM: Actor = { uid: 'system' as Uid, isSystem: true };

export type RoomPlan = {
  readonly room: RoomId;
  readonly name: string;
  readonly private: boolean;
  readonly owner: Uid;
  readonly members: readonly Uid[];
};

/** What is not given stays. */
export type RoomWish = { readonly name?: string | undefined; readonly private?: boolean | undefined };

export type Decision = Omit<RoomChange, 'room' | 'expect' | 'sender'> | Refused | 'nothing to do' | 'look again';
/** Members of a room, and rooms of a user; changes at the same moment may pass them by a few. */
export type RoomLimits = { readonly roomMembers: number; readonly userRooms: number };

export type Facts = RoomFacts & {
  readonly roleOf: (uid: Uid) => Role | undefined;
  /** Whether a user is in as many rooms as one may be. */
  readonly isBusy: (uid: Uid) => boolean;
  readonly limits: RoomLimits;
};

export const standingOf = (actor: Actor, facts: Facts): Rank => (actor.isSystem ? 'system' : facts.roleOf(actor.uid));

/** Who is not in a room learns that it exists, as they would by creating it, and no more. */
export function refusalOf(by: Rank, facts: Facts): Refused | undefined {
  if (!facts.exists) return { refused: 'not_found' };
  return by === undefined ? { refused: 'not_member' } : undefined;
}

const isSelf = (actor: Actor, uid: Uid): boolean => !actor.isSystem && actor.uid === uid;

export function creation(actor: Actor, { room, owner, members, ...meta }: RoomPlan, facts: Facts): Decision {
  if ([owner, ...members].some(facts.isBusy)) return tooManyRooms(facts);
  const others = [...new Set(members)].filter((uid) => uid !== owner);
  if (others.length >= facts.limits.roomMembers) return tooManyMembers(facts);
  const roles: (readonly [Uid, Role])[] = [[owner, 'owner'], ...others.map((uid) => [uid, 'member'] as const)];
  return {
    meta: { name: meta.name, private: meta.private },
    roles,
    tails: [
      tail(room, 'created', owner, actor.uid, 'owner'),
      ...others.map((uid) => tail(room, 'joined', uid, actor.uid)),
    ],
  };
}

const tooManyMembers = ({ limits }: Facts): Refused => ({
  refused: 'too_large',
  message: `at most ${limits.roomMembers} members of a room`,
});

const tooManyRooms = ({ limits }: Facts): Refused => ({
  refused: 'too_large',
  message: `at most ${limits.userRooms} rooms of a user`,
});

export function admission(actor: Actor, room: RoomId, uid: Uid, role: Role | undefined, facts: Facts): Decision {
  const [by, from] = [standingOf(actor, facts), facts.roleOf(uid)];
  const to = role ?? from ?? 'member';
  const self = isSelf(actor, uid);
  if (!facts.exists || !self) {
    const refusal = refusalOf(by, facts);
    if (refusal !== undefined) return refusal;
  }
  if (from === to && (self || mayGovern(by))) return 'nothing to do';
  if (!mayChange(by, self, from, to, facts.private)) return { refused: 'forbidden' };
  if (from !== undefined) return { roles: [[uid, to]], tails: [tail(room, 'role', uid, actor.uid, to)] };
  if (facts.members >= facts.limits.roomMembers) return tooManyMembers(facts);
  if (facts.isBusy(uid)) return tooManyRooms(facts);
  const shown = to === 'member' ? undefined : to;
  return { roles: [[uid, to]], tails: [tail(room, 'joined', uid, actor.uid, shown)] };
}

export function departure(actor: Actor, room: RoomId, uid: Uid, heir: Uid | undefined, facts: Facts): Decision {
  const [by, from] = [standingOf(actor, facts), facts.roleOf(uid)];
  const refusal = refusalOf(by, facts);
  if (refusal !== undefined) return refusal;
  if (!mayChange(by, isSelf(actor, uid), from, undefined, facts.private)) return { refused: 'forbidden' };
  if (from === undefined) return { refused: 'not_found', message: 'they are not a member' };
  const gone = tail(room, isSelf(actor, uid) ? 'left' : 'removed', uid, actor.uid);
  const isSucceeded = from === 'owner' && facts.members > 1;
  if (!isSucceeded) return { roles: [[uid, undefined]], tails: [gone] };
  if (heir === undefined || facts.roleOf(heir) === undefined) return 'look again';
  return {
    roles: [
      [uid, undefined],
      [heir, 'owner'],
    ],
    tails: [tail(room, 'role', heir, actor.uid, 'owner'), gone],
  };
}

export function handover(actor: Actor, room: RoomId, uid: Uid, owner: Uid | undefined, facts: Facts): Decision {
  const [by, from] = [standingOf(actor, facts), facts.roleOf(uid)];
  const refusal = refusalOf(by, facts);
  if (refusal !== undefined) return refusal;
  if (from === 'owner' && mayGovern(by)) return 'nothing to do';
  if (!mayDelete(by)) return { refused: 'forbidden' };
  if (!mayChange(by, false, from, 'owner', facts.private))
    return { refused: 'not_found', message: 'only a member can become the owner' };
  const made = tail(room, 'role', uid, actor.uid, 'owner');
  if (owner === undefined) return { roles: [[uid, 'owner']], tails: [made] };
  if (facts.roleOf(owner) !== 'owner') return 'look again';
  return {
    roles: [
      [uid, 'owner'],
      [owner, 'admin'],
    ],
    tails: [made, tail(room, 'role', owner, actor.uid, 'admin')],
  };
}

export function renaming(actor: Actor, room: RoomId, wanted: RoomWish, facts: Facts): Decision {
  const by = standingOf(actor, facts);
  const refusal = refusalOf(by, facts);
  if (refusal !== undefined) return refusal;
  if (!mayGovern(by)) return { refused: 'forbidden' };
  const { name = facts.name, private: isPrivate = facts.private } = wanted;
  if (name === facts.name && isPrivate === facts.private) return 'nothing to do';
  const data = { event: 'renamed', uid: actor.uid, by: actor.uid, name } as const;
  return { meta: { name, private: isPrivate }, roles: [], tails: [systemTail(actor.uid, room, data)] };
}

/** A room that lost its owner gets another one. */
export function coronation(actor: Actor, room: RoomId, heir: Uid, facts: Facts): Decision {
  const role = facts.roleOf(heir);
  if (role === undefined || role === 'owner') return 'nothing to do';
  return { roles: [[heir, 'owner']], tails: [tail(room, 'role', heir, actor.uid, 'owner')] };
}

export function closing(actor: Actor, facts: Facts): Decision {
  const by = standingOf(actor, facts);
  const refusal = refusalOf(by, facts);
  if (refusal !== undefined) return refusal;
  return mayDelete(by) ? { roles: [], tails: [], delete: true } : { refused: 'forbidden' };
}

const tail = (room: RoomId, event: SystemEvent, uid: Uid, by: Uid, role?: Role): string =>
  systemTail(by, room, { event, uid, by, ...(role === undefined ? {} : { role }) });
