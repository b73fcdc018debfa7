/** Rooms: creating, looking, who is in them and as what. With the server key it is the service itself that asks. */
import type { Changed, RoomView } from '../../chat/membership.js';
import type { Refused } from '../../chat/policy.js';
import { type Actor, type RoomPlan, SYSTEM } from '../../chat/room-changes.js';
import type { Identity } from '../../chat/session.js';
import { decodeFields } from '../../protocol/decode.js';
import {
  PAGE_LIMIT_DEFAULT,
  parseRoom,
  parseUid,
  type Role,
  type RoomId,
  roomConv,
  type Uid,
} from '../../protocol/index.js';
import type { ApiParts } from '../api.js';
import { failure, json } from '../replies.js';
import { type Call, numberIn, type Route, readObject } from '../route.js';
import type { Response } from '../transport.js';

type RoomCall = Call<'server' | Identity | undefined>;

/** Members that a room may be created with; further ones are admitted one by one. */
const FIRST_MEMBERS_MAX = 500;
/** A surrogate without its other half has no form in UTF-8. */
const ROOM_NAME = /^[^\p{Cc}\p{Cs}]{1,128}$/u;
const NAME_FORM = 'name: 1 to 128 characters, none of them a control character';
const PRIVATE_FORM = 'private: true or false';

export function roomRoutes({ chat: { membership }, limits }: ApiParts): readonly Route[] {
  async function create(actor: Actor, { request, charge }: RoomCall): Promise<Response> {
    const body = await readObject(request, limits.frame);
    if ('status' in body) return body;
    const plan = planIn(body.fields, actor);
    if (typeof plan === 'string') return failure('bad_request', plan);
    // As much as admitting them one by one.
    charge(plan.members.length);
    const done = await membership.create(actor, plan);
    if ('refused' in done) return failure(done.refused, done.message);
    const { room, name, private: isPrivate } = plan;
    return json(JSON.stringify({ room, conv: roomConv(room), seq: done.seq, name, private: isPrivate }), 201);
  }

  async function look(actor: Actor, room: RoomId, { query }: RoomCall): Promise<Response> {
    const after = query.get('after') ?? undefined;
    const page = decodeFields('members', { room, after, limit: numberIn(query, 'limit') });
    if (page.type === 'refused') return failure('bad_request', page.message);
    const view = await membership.look(actor, room, page.after, page.limit ?? PAGE_LIMIT_DEFAULT);
    return ofView(view);
  }

  async function rename(actor: Actor, room: RoomId, { request }: RoomCall): Promise<Response> {
    const body = await readObject(request, limits.frame);
    if ('status' in body) return body;
    const { name, private: isPrivate } = body.fields;
    if (name !== undefined && !isRoomName(name)) return failure('bad_request', NAME_FORM);
    if (isPrivate !== undefined && typeof isPrivate !== 'boolean') return failure('bad_request', PRIVATE_FORM);
    return ofChange(room, await membership.rename(actor, room, { name, private: isPrivate }));
  }

  async function setRole(actor: Actor, room: RoomId, uid: Uid, { request }: RoomCall): Promise<Response> {
    const body = await readObject(request, limits.frame);
    if ('status' in body) return body;
    const { role } = body.fields;
    if (role !== undefined && !isRole(role)) return failure('bad_request', 'role: owner, admin or member');
    return ofChange(room, await membership.setRole(actor, room, uid, role));
  }

  const close = async (actor: Actor, room: RoomId): Promise<Response> =>
    ofChange(room, await membership.close(actor, room));

  const remove = async (actor: Actor, room: RoomId, uid: Uid): Promise<Response> =>
    ofChange(room, await membership.remove(actor, room, uid));

  const [all, one, member] = [
    /^\/v1\/rooms$/,
    /^\/v1\/rooms\/([^/]+)$/,
    /^\/v1\/rooms\/([^/]+)\/members\/([^/]+)$/,
  ] as const;
  return [
    { method: 'POST', pattern: all, needs: 'either', run: asked(create) },
    { method: 'GET', pattern: one, needs: 'either', run: asked(inRoom(look)) },
    { method: 'PUT', pattern: one, needs: 'either', run: asked(inRoom(rename)) },
    { method: 'DELETE', pattern: one, needs: 'either', run: asked(inRoom(close)) },
    { method: 'PUT', pattern: member, needs: 'either', run: asked(inRoom(ofMember(setRole))) },
    { method: 'DELETE', pattern: member, needs: 'either', run: asked(inRoom(ofMember(remove))) },
  ];
}

/** Knows who asks: a user, or whoever has the server key. */
function asked(run: (actor: Actor, call: RoomCall) => Promise<Response>): (call: RoomCall) => Promise<Response> {
  return async (call) => {
    if (call.caller === undefined) return failure('unauthorized');
    return run(call.caller === 'server' ? SYSTEM : { uid: call.caller.uid }, call);
  };
}

function inRoom(run: (actor: Actor, room: RoomId, call: RoomCall) => Promise<Response>) {
  return async (actor: Actor, call: RoomCall): Promise<Response> => {
    const room = parseRoom(call.path[0]);
    return room === undefined ? failure('bad_request', 'not a room name') : run(actor, room, call);
  };
}

function ofMember(run: (actor: Actor, room: RoomId, uid: Uid, call: RoomCall) => Promise<Response>) {
  return async (actor: Actor, room: RoomId, call: RoomCall): Promise<Response> => {
    const uid = parseUid(call.path[1]);
    return uid === undefined ? failure('bad_request', 'not a user name') : run(actor, room, uid, call);
  };
}

/** The room that a body describes, or what is wrong with it. The service itself is never a member, so it names an owner. */
function planIn(fields: Readonly<Record<string, unknown>>, actor: Actor): RoomPlan | string {
  const room = parseRoom(fields.room);
  if (room === undefined) return 'room: not a room name';
  const { name = room, private: isPrivate = false, members: listed = [] } = fields;
  if (!isRoomName(name)) return NAME_FORM;
  if (typeof isPrivate !== 'boolean') return PRIVATE_FORM;
  const members = uidsIn(listed);
  if (members === undefined) return `members: at most ${FIRST_MEMBERS_MAX} user names`;
  const owner = actor.isSystem ? parseUid(fields.owner ?? members[0]) : actor.uid;
  return owner === undefined ? 'owner: not a user name' : { room, name, private: isPrivate, owner, members };
}

function uidsIn(value: unknown): readonly Uid[] | undefined {
  if (!Array.isArray(value) || value.length > FIRST_MEMBERS_MAX) return undefined;
  const uids = value.map(parseUid);
  return uids.includes(undefined) ? undefined : (uids as Uid[]);
}

const isRoomName = (value: unknown): value is string => typeof value === 'string' && ROOM_NAME.test(value);
const isRole = (value: unknown): value is Role => value === 'owner' || value === 'admin' || value === 'member';

/** `seq` is the place of the change in the room's log; 0 where nothing had to change. */
function ofChange(room: RoomId, done: Changed | Refused): Response {
  if ('refused' in done) return failure(done.refused, done.message);
  return json(JSON.stringify({ room, conv: roomConv(room), seq: done.seq }));
}

const ofView = (view: RoomView | Refused): Response =>
  'refused' in view ? failure(view.refused, view.message) : json(JSON.stringify(view));
