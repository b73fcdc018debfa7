/** Rooms: changes that are asked for, decided on the room's facts, and decided again when those changed meanwhile. */
import type { Member, Role, RoomId, Uid } from '../protocol/index.js';
import type { Refused } from './policy.js';
import { type Backend, Unavailable } from './ports.js';
import {
  type Actor,
  admission,
  closing,
  coronation,
  creation,
  type Decision,
  departure,
  type Facts,
  handover,
  type RoomLimits,
  type RoomPlan,
  type RoomWish,
  refusalOf,
  renaming,
  standingOf,
} from './room-changes.js';
import { seenBy } from './watch.js';

export type Changed = { readonly seq: number; readonly ts: number };

export type RoomView = {
  readonly room: RoomId;
  readonly name: string;
  readonly private: boolean;
  readonly members: readonly Member[];
  readonly more: boolean;
};

const TRIES = 16;
const PAGE = 1_000;
/** The answer where nothing had to change; such an answer has no place in the room's log. */
const UNCHANGED: Changed = { seq: 0, ts: 0 };

export class Membership {
  constructor(
    private readonly backend: Pick<Backend, 'rooms' | 'presence' | 'blocks'>,
    private readonly limits: RoomLimits,
  ) {}

  /** Joins a public room, creating it if need be. A member already: nothing changes. */
  join(uid: Uid, room: RoomId): Promise<Changed | Refused> {
    const plan = { room, name: room, private: false, owner: uid, members: [] };
    return this.attempt({ uid }, room, [uid], (facts) =>
      facts.exists ? admission({ uid }, room, uid, undefined, facts) : creation({ uid }, plan, facts),
    );
  }

  /** Leaves a room. An owner hands it over to the longest-serving admin, else member; the last one closes it. */
  leave(uid: Uid, room: RoomId): Promise<Changed | Refused> {
    return this.remove({ uid }, room, uid);
  }

  /** Creates a room whole. Refused: conflict. */
  create(actor: Actor, plan: RoomPlan): Promise<Changed | Refused> {
    return this.attempt(actor, plan.room, [plan.owner, ...plan.members], (facts) =>
      facts.exists ? { refused: 'conflict' } : creation(actor, plan, facts),
    );
  }

  /** A room and a page of its members by uid. For members and the service only. */
  async look(actor: Actor, room: RoomId, after: Uid | undefined, limit: number): Promise<RoomView | Refused> {
    const { rooms } = this.backend;
    const facts = await this.facts(room, [actor.uid]);
    const refusal = refusalOf(standingOf(actor, facts), facts);
    if (refusal !== undefined) return refusal;
    const found = await rooms.members(room, after, limit + 1);
    const page = found.slice(0, limit);
    const uids = page.map(({ uid }) => uid);
    const online = actor.isSystem
      ? await this.backend.presence.online(uids)
      : await seenBy(this.backend, actor.uid, uids);
    const members = page.map(({ uid, role }, i) => ({ uid, role, online: online[i]?.online ?? false }));
    return { room, name: facts.name, private: facts.private, members, more: found.length > limit };
  }

  /** Admits a user, or sets a member's role. Without a role a member keeps theirs, and anybody else becomes a member. */
  async setRole(actor: Actor, room: RoomId, uid: Uid, role: Role | undefined): Promise<Changed | Refused> {
    if (role === 'owner') return this.transfer(actor, room, uid);
    return this.attempt(actor, room, [actor.uid, uid], (facts) => admission(actor, room, uid, role, facts));
  }

  /** Removes a member, or leaves. An owner who goes is succeeded by the longest-serving admin, else member. */
  async remove(actor: Actor, room: RoomId, uid: Uid): Promise<Changed | Refused> {
    let heir: Uid | undefined;
    let isLast = false;
    const who = async () => {
      heir = await this.backend.rooms.heir(room, uid);
      return [actor.uid, uid, ...(heir === undefined ? [] : [heir])];
    };
    const done = await this.attempt(actor, room, who, (facts) => {
      isLast = facts.roleOf(uid) === 'owner' && heir === undefined;
      return departure(actor, room, uid, heir, facts);
    });
    // Somebody may have joined between the last look and the owner's going.
    if (isLast && !('refused' in done)) await this.crown(actor, room, uid);
    return done;
  }

  /** Changes what is given. Refused to members: forbidden. */
  rename(actor: Actor, room: RoomId, wanted: RoomWish): Promise<Changed | Refused> {
    return this.attempt(actor, room, [actor.uid], (facts) => renaming(actor, room, wanted, facts));
  }

  /** Ends a room for everybody, with its log. */
  close(actor: Actor, room: RoomId): Promise<Changed | Refused> {
    return this.attempt(actor, room, [actor.uid], (facts) => closing(actor, facts));
  }

  private transfer(actor: Actor, room: RoomId, uid: Uid): Promise<Changed | Refused> {
    let owner: Uid | undefined;
    const who = async () => {
      owner = actor.isSystem ? await this.ownerOf(room) : actor.uid;
      return [actor.uid, uid, ...(owner === undefined ? [] : [owner])];
    };
    return this.attempt(actor, room, who, (facts) => handover(actor, room, uid, owner, facts));
  }

  /** Gives a room without an owner to whoever has been there longest. */
  private async crown(actor: Actor, room: RoomId, leaver: Uid): Promise<void> {
    const heir = await this.backend.rooms.heir(room, leaver);
    if (heir === undefined || (await this.ownerOf(room)) !== undefined) return;
    await this.attempt(actor, room, [heir], (facts) => coronation(actor, room, heir, facts));
  }

  /** Walks through the members: for what is rare. */
  private async ownerOf(room: RoomId): Promise<Uid | undefined> {
    let after: Uid | undefined;
    for (;;) {
      const page = await this.backend.rooms.members(room, after, PAGE);
      const owner = page.find(({ role }) => role === 'owner');
      if (owner !== undefined || page.length < PAGE) return owner?.uid;
      after = page.at(-1)?.uid;
    }
  }

  private async facts(room: RoomId, uids: readonly Uid[]): Promise<Facts> {
    const facts = await this.backend.rooms.facts(room, uids);
    const asked = new Map(uids.map((uid, i) => [uid, facts.asked[i]]));
    const isBusy = (uid: Uid): boolean => (asked.get(uid)?.rooms ?? 0) >= this.limits.userRooms;
    return { ...facts, roleOf: (uid) => asked.get(uid)?.role, isBusy, limits: this.limits };
  }

  private async attempt(
    actor: Actor,
    room: RoomId,
    who: readonly Uid[] | (() => Promise<readonly Uid[]>),
    decide: (facts: Facts) => Decision,
  ): Promise<Changed | Refused> {
    for (let i = 0; i < TRIES; i++) {
      const uids = [...new Set(typeof who === 'function' ? await who() : who)];
      const facts = await this.facts(room, uids);
      const decision = decide(facts);
      if (decision === 'nothing to do') return UNCHANGED;
      if (decision === 'look again') continue;
      if ('refused' in decision) return decision;
      const roles = uids.map((uid) => [uid, facts.roleOf(uid)] as const);
      const expect = { exists: facts.exists, private: facts.private, roles };
      const done = await this.backend.rooms.change({ ...decision, room, sender: actor.uid, expect });
      if (done !== 'changed') return done;
    }
    throw new Unavailable(`room ${room} changes too fast`);
  }
}
