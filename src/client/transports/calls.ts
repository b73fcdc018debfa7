/** Frames as HTTP requests, and the answers as frames again (protocol section 6). */
import {
  type ClientFrame,
  type DeviceId,
  type RoomId,
  roomConv,
  type ServerFrame,
  type Uid,
} from '../../protocol/index.js';

export type Call = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below the base, with its query. */
  readonly path: string;
  readonly body?: unknown;
  /** The frame or frames that an answer's JSON stands for. */
  answer(json: object): readonly ServerFrame[];
  /** The request to make instead if this one is answered with that status. */
  readonly otherwise?: { readonly status: number; readonly call: Call };
};

/** Undefined where HTTP has no such request: recall, edit and react, typing, and what makes no sense there. */
export function callOf(frame: ClientFrame, device: DeviceId, me: Uid | undefined): Call | undefined {
  const { id } = frame;
  const as = (type: ServerFrame['type']) => (json: object) => [{ ...json, type, id } as unknown as ServerFrame];
  switch (frame.type) {
    case 'send':
      return { method: 'POST', path: 'v1/messages', body: frame, answer: as('sent') };
    case 'ack':
      return {
        method: 'POST',
        path: `v1/conversations/${encodeURIComponent(frame.conv)}/ack${query({ device })}`,
        body: { seq: frame.seq },
        answer: none,
      };
    case 'read':
      return {
        method: 'POST',
        path: `v1/conversations/${encodeURIComponent(frame.conv)}/read${query({ device })}`,
        body: { seq: frame.seq },
        answer: none,
      };
    case 'history': {
      const { conv, before, after, limit } = frame;
      const path = `v1/conversations/${encodeURIComponent(conv)}/messages${query({ before, after, limit })}`;
      return { method: 'GET', path, answer: as('history') };
    }
    case 'conversations': {
      const { limit, before } = frame;
      return { method: 'GET', path: `v1/conversations${query({ limit, before })}`, answer: as('conversations') };
    }
    case 'members': {
      const { limit, after } = frame;
      const path = `v1/rooms/${encodeURIComponent(frame.room)}${query({ limit, after })}`;
      return { method: 'GET', path, answer: (json) => as('members')({ more: false, ...json, room: frame.room }) };
    }
    case 'join':
      return me && joining(frame.room, me, as('joined'));
    case 'leave':
      return me && { method: 'DELETE', path: memberPath(frame.room, me), answer: placed(frame.room, as('left')) };
    case 'watch':
      return { method: 'GET', path: `v1/presence${ofQuery(frame.uids)}`, answer: (json) => presences(json, frame.id) };
    case 'hello':
    case 'typing':
    case 'unwatch':
    case 'recall':
    case 'edit':
    case 'react':
    case 'ping':
      return undefined;
  }
}

const none = (): readonly ServerFrame[] => [];

const memberPath = (room: RoomId, uid: Uid): string =>
  `v1/rooms/${encodeURIComponent(room)}/members/${encodeURIComponent(uid)}`;

type Reading = (json: object) => readonly ServerFrame[];

const placed =
  (room: RoomId, as: Reading): Reading =>
  (json) =>
    as({ conv: roomConv(room), seq: 0, ...json, room });

/** Joining a room that does not exist creates it; over HTTP that is another request, and somebody may be quicker. */
function joining(room: RoomId, me: Uid, as: Reading): Call {
  const answer = placed(room, as);
  const enter: Call = { method: 'PUT', path: memberPath(room, me), body: {}, answer };
  const create: Call = { method: 'POST', path: 'v1/rooms', body: { room }, answer };
  return { ...enter, otherwise: { status: 404, call: { ...create, otherwise: { status: 409, call: enter } } } };
}

function presences(json: object, id: ClientFrame['id']): readonly ServerFrame[] {
  const list = 'presence' in json && Array.isArray(json.presence) ? json.presence : [];
  return list.map((one: object) => ({ ...one, type: 'presence', id }) as ServerFrame);
}

function query(fields: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return given.length === 0
    ? ''
    : `?${new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)]))}`;
}

const ofQuery = (uids: readonly Uid[]): string =>
  `?${new URLSearchParams(uids.map((uid): [string, string] => ['of', uid]))}`;
