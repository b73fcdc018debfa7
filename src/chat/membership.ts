/** Rooms: the changes that members make, decided on the room's facts and repeated when those changed meanwhile. */
import type { Role, RoomId, SystemEvent, Uid } from '../protocol/index.js';
import { systemTail } from './item.js';
import { mayChange, type Refused } from './policy.js';
import { type RoomChange, type RoomFacts, type Rooms, Unavailable } from './ports.js';

export type Changed = { readonly seq: number; readonly ts: number };

type Decision = Omit<RoomChange, 'room' | 'expect'> | Refused | 'nothing to do';

const TRIES = 16;
/** The answer where nothing had to change; such an answer has no place in the room's log. */
const UNCHANGED: Changed = { seq: 0, ts: 0 };

export class Membership {
  constructor(private readonly rooms: Rooms) {}

  /** Joins a public room, creating it if need be. A member already: nothing changes. */
  join(uid: Uid, room: RoomId): Promise<Changed | Refused> {
    return this.attempt(room, [uid], (facts) => {
      if (!facts.exists) return created(room, uid, room, false, []);
      const role = facts.asked[0]?.role;
      if (role !== undefined) return 'nothing to do';
      if (!mayChange(undefined, true, role, 'member', facts.private)) return { refused: 'forbidden' };
      return { roles: [[uid, 'member']], sender: uid, tails: [tail(room, 'joined', uid, uid)] };
    });
  }

  /** Leaves a room. An owner hands it over to the longest-serving admin, else member; the last one closes it. */
  async leave(uid: Uid, room: RoomId): Promise<Changed | Refused> {
    const heir = await this.rooms.heir(room, uid);
    return this.attempt(room, heir === undefined ? [uid] : [uid, heir], (facts) => {
      const role = facts.asked[0]?.role;
      if (!facts.exists) return { refused: 'not_found' };
      if (role === undefined) return { refused: 'not_member' };
      const left = tail(room, 'left', uid, uid);
      if (role !== 'owner' || heir === undefined) return { roles: [[uid, undefined]], sender: uid, tails: [left] };
      return {
        roles: [
          [uid, undefined],
          [heir, 'owner'],
        ],
        sender: uid,
        tails: [tail(room, 'role', heir, uid, 'owner'), left],
      };
    });
  }

  private async attempt(
    room: RoomId,
    uids: readonly Uid[],
    decide: (facts: RoomFacts) => Decision,
  ): Promise<Changed | Refused> {
    for (let i = 0; i < TRIES; i++) {
      const facts = await this.rooms.facts(room, uids);
      const decision = decide(facts);
      if (decision === 'nothing to do') return UNCHANGED;
      if ('refused' in decision) return decision;
      const roles = uids.map((uid, at) => [uid, facts.asked[at]?.role] as const);
      const done = await this.rooms.change({
        ...decision,
        room,
        expect: { exists: facts.exists, private: facts.private, roles },
      });
      if (done !== 'changed') return done;
    }
    throw new Unavailable(`room ${room} changes too fast`);
  }
}

function created(
  room: RoomId,
  by: Uid,
  name: string,
  isPrivate: boolean,
  members: readonly Uid[],
): Omit<RoomChange, 'room' | 'expect'> {
  const roles: (readonly [Uid, Role])[] = [[by, 'owner'], ...members.map((uid) => [uid, 'member'] as const)];
  return {
    meta: { name, private: isPrivate },
    roles,
    sender: by,
    tails: [tail(room, 'created', by, by, 'owner'), ...members.map((uid) => tail(room, 'joined', uid, by))],
  };
}

const tail = (room: RoomId, event: SystemEvent, uid: Uid, by: Uid, role?: Role): string =>
  systemTail(by, room, { event, uid, by, ...(role === undefined ? {} : { role }) });
