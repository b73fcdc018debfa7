/**
 * Who may do what in a room, cell by cell. In the room: olga, its owner; the admins ada and abe; the members mia and
 * max, of whom max has said something (`$theirs`), as has everybody who asks and may (`$mine`). `$me` asks, nia is new.
 */
export const RELATIONS = { stranger: 'sam', member: 'mia', admin: 'ada', owner: 'olga', server: 'system' } as const;
export type Relation = keyof typeof RELATIONS;

export type HttpCall = readonly [method: string, path: string, body?: object | undefined];
export type Asked = { readonly frame: object } | { readonly http: HttpCall };

export type Right = {
  readonly what: string;
  /** The room that it is about; private unless told otherwise. */
  readonly isPublic?: boolean;
  /** The ways to ask for it. */
  readonly by: readonly Asked[];
  /** `ok`, or the code of the refusal. The server key has no frames, so its cell is about HTTP. */
  readonly may: Readonly<Record<Relation, string>>;
};

/** The cells of one row: stranger, member, admin, owner, server key. */
function row(stranger: string, member: string, admin: string, owner: string, server: string): Right['may'] {
  return { stranger, member, admin, owner, server };
}

const MEMBERS_ONLY = row('not_member', 'ok', 'ok', 'ok', 'unauthorized');
const NOBODY = row('not_member', 'forbidden', 'forbidden', 'forbidden', 'unauthorized');
const GOVERNING = row('not_member', 'forbidden', 'ok', 'ok', 'ok');
const OWNING = row('not_member', 'forbidden', 'forbidden', 'ok', 'ok');

const frame = (type: string, fields: object = {}): Asked => ({ frame: { type, ...fields } });
const http = (method: string, path: string, body?: object): Asked => ({
  http: body === undefined ? [method, path] : [method, path, body],
});
const inConv = (type: string, seq: string, more: object = {}): Asked =>
  frame(type, { conv: 'room:$room', seq, ...more });
const role = (uid: string, to: string | undefined): Asked =>
  http('PUT', `/v1/rooms/$room/members/${uid}`, to === undefined ? {} : { role: to });

export const RIGHTS: readonly Right[] = [
  {
    what: 'say something',
    by: [frame('send', { room: '$room', data: 1 }), http('POST', '/v1/messages', { room: '$room', data: 1 })],
    may: MEMBERS_ONLY,
  },
  {
    what: 'say something in a public room',
    isPublic: true,
    by: [frame('send', { room: '$room', data: 1 }), http('POST', '/v1/messages', { room: '$room', data: 1 })],
    may: MEMBERS_ONLY,
  },
  {
    what: 'read the history',
    by: [frame('history', { conv: 'room:$room' }), http('GET', '/v1/conversations/room:$room/messages')],
    may: MEMBERS_ONLY,
  },
  {
    what: 'read the history of a public room',
    isPublic: true,
    by: [frame('history', { conv: 'room:$room' }), http('GET', '/v1/conversations/room:$room/messages')],
    may: MEMBERS_ONLY,
  },
  { what: 'see who is in it', by: [frame('members', { room: '$room' })], may: MEMBERS_ONLY },
  { what: 'look at it', by: [http('GET', '/v1/rooms/$room')], may: row('not_member', 'ok', 'ok', 'ok', 'ok') },
  {
    what: 'acknowledge',
    by: [inConv('ack', '$theirs'), http('POST', '/v1/conversations/room:$room/ack', { seq: '$theirs' })],
    may: MEMBERS_ONLY,
  },
  {
    what: 'mark as read',
    by: [inConv('read', '$theirs'), http('POST', '/v1/conversations/room:$room/read', { seq: '$theirs' })],
    may: MEMBERS_ONLY,
  },
  { what: 'react', by: [inConv('react', '$theirs', { emoji: '👍', on: true })], may: MEMBERS_ONLY },
  { what: 'withdraw what another said', by: [inConv('recall', '$theirs')], may: NOBODY },
  { what: 'edit what another said', by: [inConv('edit', '$theirs', { data: 'changed' })], may: NOBODY },
  { what: 'withdraw what they said themselves', by: [inConv('recall', '$mine')], may: MEMBERS_ONLY },
  { what: 'edit what they said themselves', by: [inConv('edit', '$mine', { data: 'changed' })], may: MEMBERS_ONLY },
  {
    what: 'enter a private room',
    by: [frame('join', { room: '$room' }), role('$me', undefined)],
    may: row('forbidden', 'ok', 'ok', 'ok', 'ok'),
  },
  {
    what: 'enter a public room',
    isPublic: true,
    by: [frame('join', { room: '$room' }), role('$me', undefined)],
    may: row('ok', 'ok', 'ok', 'ok', 'ok'),
  },
  {
    what: 'leave',
    by: [frame('leave', { room: '$room' }), http('DELETE', '/v1/rooms/$room/members/$me')],
    may: row('not_member', 'ok', 'ok', 'ok', 'not_found'),
  },
  { what: 'rename it', by: [http('PUT', '/v1/rooms/$room', { name: 'new' })], may: GOVERNING },
  { what: 'make it public', by: [http('PUT', '/v1/rooms/$room', { private: false })], may: GOVERNING },
  { what: 'delete it', by: [http('DELETE', '/v1/rooms/$room')], may: OWNING },
  { what: 'admit somebody', by: [role('nia', undefined), role('nia', 'member')], may: GOVERNING },
  { what: 'admit somebody to a public room', isPublic: true, by: [role('nia', 'member')], may: GOVERNING },
  { what: 'admit somebody as admin', by: [role('nia', 'admin')], may: OWNING },
  { what: 'make a member admin', by: [role('max', 'admin')], may: OWNING },
  { what: 'make an admin a member', by: [role('abe', 'member')], may: OWNING },
  { what: 'make a member owner', by: [role('max', 'owner')], may: OWNING },
  {
    what: 'make somebody owner who is not in it',
    by: [role('nia', 'owner')],
    may: row('not_member', 'forbidden', 'forbidden', 'not_found', 'not_found'),
  },
  {
    what: 'take the ownership from its owner',
    by: [role('olga', 'member'), role('olga', 'admin')],
    may: row('not_member', 'forbidden', 'forbidden', 'forbidden', 'forbidden'),
  },
  {
    what: 'make themselves owner',
    by: [role('$me', 'owner')],
    may: row('not_member', 'forbidden', 'forbidden', 'ok', 'not_found'),
  },
  {
    what: 'make themselves admin',
    by: [role('$me', 'admin')],
    may: row('forbidden', 'forbidden', 'ok', 'forbidden', 'ok'),
  },
  { what: 'remove a member', by: [http('DELETE', '/v1/rooms/$room/members/max')], may: GOVERNING },
  { what: 'remove an admin', by: [http('DELETE', '/v1/rooms/$room/members/abe')], may: OWNING },
  { what: 'remove the owner', by: [http('DELETE', '/v1/rooms/$room/members/olga')], may: OWNING },
  {
    what: 'create it again',
    by: [http('POST', '/v1/rooms', { room: '$room', owner: '$me' })],
    may: row('conflict', 'conflict', 'conflict', 'conflict', 'conflict'),
  },
];

/** The same of a direct conversation between mia (`$mine`) and max (`$theirs`). */
export type DirectRight = { readonly what: string; readonly by: readonly Asked[]; readonly side: string };

const inDm = (type: string, seq: string, more: object = {}): Asked => frame(type, { conv: 'dm:max:mia', seq, ...more });

export const DIRECT: readonly DirectRight[] = [
  {
    what: 'read the history',
    by: [frame('history', { conv: 'dm:max:mia' }), http('GET', '/v1/conversations/dm:max:mia/messages')],
    side: 'ok',
  },
  {
    what: 'acknowledge',
    by: [inDm('ack', '$theirs'), http('POST', '/v1/conversations/dm:max:mia/ack', { seq: '$theirs' })],
    side: 'ok',
  },
  {
    what: 'mark as read',
    by: [inDm('read', '$theirs'), http('POST', '/v1/conversations/dm:max:mia/read', { seq: '$theirs' })],
    side: 'ok',
  },
  { what: 'react', by: [inDm('react', '$theirs', { emoji: '👍', on: true })], side: 'ok' },
  { what: 'edit what another said', by: [inDm('edit', '$theirs', { data: 2 })], side: 'forbidden' },
  { what: 'withdraw what another said', by: [inDm('recall', '$theirs')], side: 'forbidden' },
  { what: 'edit what they said themselves', by: [inDm('edit', '$mine', { data: 2 })], side: 'ok' },
  { what: 'withdraw what they said themselves', by: [inDm('recall', '$mine')], side: 'ok' },
];

/** What only the server key may: whoever asks without it is `unauthorized`. */
export const SERVER_ONLY: readonly HttpCall[] = [
  ['POST', '/v1/server/messages', { sender: 'mia', receiver: 'max', data: 1 }],
  ['POST', '/v1/server/broadcast', { data: 1 }],
  ['POST', '/v1/server/disconnect', { uid: 'nobody' }],
  ['PUT', '/v1/server/bans/nobody', {}],
  ['DELETE', '/v1/server/bans/nobody'],
  ['DELETE', '/v1/server/users/nobody'],
  ['GET', '/v1/server/stats'],
];
