import { describe, expect, test } from 'vitest';
import { inAnHour, token } from '../support/jwt.js';
import { house, SERVER_KEY } from './support.js';

type View = {
  readonly room: string;
  readonly name: string;
  readonly private: boolean;
  readonly members: readonly { readonly uid: string; readonly role: string; readonly online: boolean }[];
  readonly more: boolean;
};
type Entry = { readonly op?: string; readonly sender: string; readonly data: Record<string, unknown> };

const h = house();
let rooms = 0;
const newRoom = (): string => `den.${++rooms}`;
const server = { token: SERVER_KEY };

/** A room of ann's, with admin bob and members cat and dan. */
async function aRoom(more: object = {}): Promise<string> {
  const room = newRoom();
  const members = ['bob', 'cat', 'dan'];
  expect(await h.outcome('/v1/rooms', { as: 'ann', body: { room, members, ...more } })).toEqual([201]);
  expect(await put(room, 'bob', 'ann', { role: 'admin' })).toEqual([200]);
  return room;
}

const path = (room: string, uid?: string): string =>
  `/v1/rooms/${encodeURIComponent(room)}${uid === undefined ? '' : `/members/${encodeURIComponent(uid)}`}`;
const by = (who: string | typeof server) => (typeof who === 'string' ? { as: who } : who);
const put = (room: string, uid: string, who: string | typeof server, body?: unknown) =>
  h.outcome(path(room, uid), { method: 'PUT', ...by(who), ...(body === undefined ? {} : { body }) });
const drop = (room: string, uid: string, who: string | typeof server) =>
  h.outcome(path(room, uid), { method: 'DELETE', ...by(who) });
const rename = (room: string, who: string | typeof server, body: unknown) =>
  h.outcome(path(room), { method: 'PUT', ...by(who), body });
const close = (room: string, who: string | typeof server) => h.outcome(path(room), { method: 'DELETE', ...by(who) });
const look = async (room: string, who: string | typeof server, query = ''): Promise<View> =>
  (await h.asks<View>(`${path(room)}${query}`, by(who))).body;

async function rolesIn(room: string, who: string | typeof server = 'ann'): Promise<Record<string, string>> {
  const { members } = await look(room, who);
  return Object.fromEntries(members.map(({ uid, role }) => [uid, role]));
}

async function changesOf(room: string, as = 'ann'): Promise<readonly Record<string, unknown>[]> {
  const { body } = await h.asks<{ messages: readonly Entry[] }>(`/v1/conversations/room:${room}/messages?limit=200`, {
    as,
  });
  return body.messages.filter(({ op }) => op === 'system').map(({ data }) => data);
}

describe('creating a room', () => {
  test('answers 201, and everybody named is in it, each by an entry of its log', async () => {
    const room = newRoom();
    const answer = await h.asks('/v1/rooms', {
      as: 'ann',
      body: { room, name: 'The Den ☕', private: true, members: ['bob', 'ann', 'cat', 'bob'], colour: 'ignored' },
    });
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      room,
      conv: `room:${room}`,
      name: 'The Den ☕',
      private: true,
      seq: expect.any(Number),
    });
    expect(await look(room, 'bob')).toEqual({
      room,
      name: 'The Den ☕',
      private: true,
      members: [
        { uid: 'ann', role: 'owner', online: false },
        { uid: 'bob', role: 'member', online: false },
        { uid: 'cat', role: 'member', online: false },
      ],
      more: false,
    });
    expect(await changesOf(room)).toEqual([
      { event: 'created', uid: 'ann', by: 'ann', role: 'owner' },
      { event: 'joined', uid: 'bob', by: 'ann' },
      { event: 'joined', uid: 'cat', by: 'ann' },
    ]);
  });

  test('needs no more than its id, and is public then', async () => {
    const room = newRoom();
    expect(await h.outcome('/v1/rooms', { as: 'ann', body: { room } })).toEqual([201]);
    expect(await look(room, 'ann')).toMatchObject({ name: room, private: false, more: false });
  });

  test('of a name that exists is a conflict, for the one who made it, too', async () => {
    const room = await aRoom();
    for (const as of ['ann', 'eve']) {
      expect(await h.outcome('/v1/rooms', { as, body: { room, private: true } })).toEqual([409, 'conflict']);
    }
    expect(await look(room, 'ann')).toMatchObject({ private: false });
  });

  test('happens once, however many try', async () => {
    const room = newRoom();
    const tries = Array.from({ length: 20 }, (_, i) => h.outcome('/v1/rooms', { as: `u${i}`, body: { room } }));
    const statuses = (await Promise.all(tries)).map(([status]) => status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(1);
    expect(statuses.filter((status) => status === 409)).toHaveLength(19);
  });

  test('takes 500 members at once, and not one more', async () => {
    const members = Array.from({ length: 501 }, (_, i) => `m${i}`);
    const room = newRoom();
    expect(await h.outcome('/v1/rooms', { as: 'ann', body: { room, members } })).toEqual([400, 'bad_request']);
    expect(await h.outcome('/v1/rooms', { as: 'ann', body: { room, members: members.slice(1) } })).toEqual([201]);
    const seen: string[] = [];
    for (let page = await look(room, 'm1', '?limit=200'); ; ) {
      seen.push(...page.members.map(({ uid }) => uid));
      if (!page.more) break;
      page = await look(room, 'm1', `?limit=200&after=${seen.at(-1)}`);
    }
    expect(seen).toEqual([...members.slice(1), 'ann'].sort());
  });

  test.each<[string, unknown]>([
    ['no JSON', '{'],
    ['a list', []],
    ['no room', {}],
    ['a room that is a number', { room: 5 }],
    ['a room out of form', { room: 'a:b' }],
    ['an empty name', { room: 'x', name: '' }],
    ['a name too long', { room: 'x', name: '👍'.repeat(129) }],
    ['a name with a line break', { room: 'x', name: 'a\nb' }],
    ['a name with half a character', '{"room":"x","name":"\\ud83d"}'],
    ['a name that is a number', { room: 'x', name: 1 }],
    ['a name that is null', { room: 'x', name: null }],
    ['private as text', { room: 'x', private: 'yes' }],
    ['members that are no list', { room: 'x', members: 'bob' }],
    ['a member out of form', { room: 'x', members: ['bob', 'a b'] }],
    ['a member that is none', { room: 'x', members: [null] }],
  ])('with %s is a bad request', async (_what, body) => {
    expect(await h.outcome('/v1/rooms', { method: 'POST', as: 'ann', body })).toEqual([400, 'bad_request']);
  });

  test('takes a name of 128 characters, wherever they stand in Unicode', async () => {
    const room = newRoom();
    const name = '👍'.repeat(128);
    expect(await h.outcome('/v1/rooms', { as: 'ann', body: { room, name } })).toEqual([201]);
    expect((await look(room, 'ann')).name).toBe(name);
  });

  test('is nothing for nobody', async () => {
    expect(await h.outcome('/v1/rooms', { body: { room: newRoom() } })).toEqual([401, 'unauthorized']);
  });
});

describe('looking at a room', () => {
  test('is for its members; others learn that it exists, and not even whether it is private', async () => {
    const [open, closed] = [await aRoom(), await aRoom({ private: true })];
    for (const room of [open, closed]) {
      expect(await h.outcome(path(room), { as: 'eve' })).toEqual([403, 'not_member']);
      expect(await h.outcome(path(room))).toEqual([401, 'unauthorized']);
    }
    const [one, other] = await Promise.all([open, closed].map((room) => h.asks(path(room), { as: 'eve' })));
    expect(one?.text).toBe(other?.text);
    expect(await h.outcome(path('nowhere'), { as: 'eve' })).toEqual([404, 'not_found']);
  });

  test('shows who is there now', async () => {
    const room = await aRoom();
    await h.connects({ uid: 'dan' });
    expect((await look(room, 'ann')).members.filter(({ online }) => online).map(({ uid }) => uid)).toEqual(['dan']);
  });

  test('comes in pages', async () => {
    const room = await aRoom();
    const first = await look(room, 'ann', '?limit=3');
    expect([first.members.map(({ uid }) => uid), first.more]).toEqual([['ann', 'bob', 'cat'], true]);
    const rest = await look(room, 'ann', '?limit=3&after=cat');
    expect([rest.members.map(({ uid }) => uid), rest.more]).toEqual([['dan'], false]);
  });

  test.each(['?limit=0', '?limit=201', '?limit=x', '?limit=1.5', '?after=a:b', '?after='])(
    'with %s is a bad request',
    async (query) => {
      const room = await aRoom();
      expect(await h.outcome(`${path(room)}${query}`, { as: 'ann' })).toEqual([400, 'bad_request']);
    },
  );
});

describe('members', () => {
  test('are admitted by the owner and by admins, with a role below their own', async () => {
    const room = await aRoom({ private: true });
    expect(await put(room, 'eli', 'bob')).toEqual([200]);
    expect(await put(room, 'fay', 'ann', { role: 'admin' })).toEqual([200]);
    expect(await put(room, 'gus', 'bob', { role: 'admin' })).toEqual([403, 'forbidden']);
    expect(await put(room, 'gus', 'cat')).toEqual([403, 'forbidden']);
    expect(await put(room, 'gus', 'gus')).toEqual([403, 'forbidden']);
    expect(await put(room, 'gus', 'eve')).toEqual([403, 'not_member']);
    expect(await put(room, 'gus', 'eve', { role: 'owner' })).toEqual([403, 'not_member']);
    expect(await rolesIn(room)).toEqual({
      ann: 'owner',
      bob: 'admin',
      cat: 'member',
      dan: 'member',
      eli: 'member',
      fay: 'admin',
    });
    expect((await changesOf(room)).slice(-2)).toEqual([
      { event: 'joined', uid: 'eli', by: 'bob' },
      { event: 'joined', uid: 'fay', by: 'ann', role: 'admin' },
    ]);
  });

  test('hear of it at once, and hear the room from then on', async () => {
    const room = await aRoom({ private: true });
    const eli = await h.connects({ uid: 'eli.online' });
    expect(await put(room, 'eli.online', 'ann')).toEqual([200]);
    await eli.first((frame) => frame.conv === `room:${room}` && frame.op === 'system', 'the entry that admits');
    expect(await h.outcome('/v1/messages', { as: 'ann', body: { room, data: 'hello' } })).toEqual([200]);
    await eli.first((frame) => frame.conv === `room:${room}` && frame.data === 'hello', 'what is said');
  });

  test('may come by themselves where the room is public', async () => {
    const room = await aRoom();
    expect(await put(room, 'eve', 'eve', { role: 'admin' })).toEqual([403, 'forbidden']);
    expect(await put(room, 'eve', 'eve')).toEqual([200]);
    expect(await rolesIn(room, 'eve')).toMatchObject({ eve: 'member' });
    expect((await changesOf(room)).at(-1)).toEqual({ event: 'joined', uid: 'eve', by: 'eve' });
    expect(await put('nowhere', 'eve', 'eve')).toEqual([404, 'not_found']);
    const answer = await h.asks(path(room, 'eve'), { method: 'PUT', as: 'eve' });
    expect([answer.status, answer.body]).toEqual([200, { room, conv: `room:${room}`, seq: 0 }]);
  });

  test('rise and fall by who stands above them', async () => {
    const room = await aRoom();
    expect(await put(room, 'cat', 'ann', { role: 'admin' })).toEqual([200]);
    expect(await put(room, 'cat', 'bob', { role: 'member' })).toEqual([403, 'forbidden']);
    expect(await put(room, 'dan', 'bob', { role: 'admin' })).toEqual([403, 'forbidden']);
    expect(await put(room, 'dan', 'cat', { role: 'owner' })).toEqual([403, 'forbidden']);
    expect(await put(room, 'ann', 'bob', { role: 'member' })).toEqual([403, 'forbidden']);
    expect(await put(room, 'ann', 'ann', { role: 'member' })).toEqual([403, 'forbidden']);
    expect(await put(room, 'dan', 'dan', { role: 'admin' })).toEqual([403, 'forbidden']);
    expect(await put(room, 'cat', 'ann', { role: 'member' })).toEqual([200]);
    expect(await rolesIn(room)).toEqual({ ann: 'owner', bob: 'admin', cat: 'member', dan: 'member' });
    expect((await changesOf(room)).slice(-2)).toEqual([
      { event: 'role', uid: 'cat', by: 'ann', role: 'admin' },
      { event: 'role', uid: 'cat', by: 'ann', role: 'member' },
    ]);
  });

  test('keep their role when they are admitted again, and nothing is logged', async () => {
    const room = await aRoom();
    const before = await changesOf(room);
    expect(await put(room, 'bob', 'ann')).toEqual([200]);
    expect(await put(room, 'bob', 'ann', { role: 'admin' })).toEqual([200]);
    expect(await put(room, 'ann', 'ann')).toEqual([200]);
    expect(await rolesIn(room)).toMatchObject({ ann: 'owner', bob: 'admin' });
    expect(await changesOf(room)).toEqual(before);
  });

  test('are removed by who stands above them, and read nothing more', async () => {
    const room = await aRoom();
    expect(await drop(room, 'bob', 'cat')).toEqual([403, 'forbidden']);
    expect(await drop(room, 'ann', 'bob')).toEqual([403, 'forbidden']);
    expect(await drop(room, 'cat', 'eve')).toEqual([403, 'not_member']);
    expect(await drop(room, 'eve', 'ann')).toEqual([404, 'not_found']);
    expect(await drop(room, 'cat', 'bob')).toEqual([200]);
    expect(await drop(room, 'bob', 'ann')).toEqual([200]);
    expect(await rolesIn(room)).toEqual({ ann: 'owner', dan: 'member' });
    expect((await changesOf(room)).slice(-2)).toEqual([
      { event: 'removed', uid: 'cat', by: 'bob' },
      { event: 'removed', uid: 'bob', by: 'ann' },
    ]);
    expect(await h.outcome(path(room), { as: 'cat' })).toEqual([403, 'not_member']);
    expect(await h.outcome(`/v1/conversations/room:${room}/messages`, { as: 'cat' })).toEqual([403, 'not_member']);
    expect(await h.outcome('/v1/messages', { as: 'cat', body: { room, data: 1 } })).toEqual([403, 'not_member']);
  });

  test('leave whenever they like, but only once', async () => {
    const room = await aRoom();
    expect(await drop(room, 'cat', 'cat')).toEqual([200]);
    expect(await drop(room, 'cat', 'cat')).toEqual([403, 'not_member']);
    expect((await changesOf(room)).at(-1)).toEqual({ event: 'left', uid: 'cat', by: 'cat' });
    expect(await drop('nowhere', 'cat', 'cat')).toEqual([404, 'not_found']);
  });

  test.each<[string, unknown]>([
    ['that does not exist', { role: 'king' }],
    ['that is null', { role: null }],
    ['that is a number', { role: 3 }],
    ['in no JSON', '{'],
    ['in a list', []],
  ])('get no role %s', async (_what, body) => {
    const room = await aRoom();
    expect(await put(room, 'cat', 'ann', body)).toEqual([400, 'bad_request']);
  });

  test('and rooms whose names are out of form are a bad request', async () => {
    const room = await aRoom();
    expect(await put(room, 'a:b', 'ann')).toEqual([400, 'bad_request']);
    expect(await drop(room, 'a b', 'ann')).toEqual([400, 'bad_request']);
    expect(await put('a:b', 'cat', 'ann')).toEqual([400, 'bad_request']);
    expect(await h.outcome('/v1/rooms/%ff', { as: 'ann' })).toEqual([400, 'bad_request']);
    expect(await h.outcome(`/v1/rooms/${room}/members`, { as: 'ann' })).toEqual([404, 'not_found']);
    expect((await h.asks(path(room, 'cat'), { method: 'POST', as: 'ann' })).status).toBe(405);
  });
});

describe('an owner', () => {
  test('who makes a member owner is an admin from then on', async () => {
    const room = await aRoom();
    expect(await put(room, 'cat', 'ann', { role: 'owner' })).toEqual([200]);
    expect(await put(room, 'cat', 'ann', { role: 'owner' })).toEqual([200]);
    expect(await rolesIn(room)).toEqual({ ann: 'admin', bob: 'admin', cat: 'owner', dan: 'member' });
    expect((await changesOf(room)).slice(-2)).toEqual([
      { event: 'role', uid: 'cat', by: 'ann', role: 'owner' },
      { event: 'role', uid: 'ann', by: 'ann', role: 'admin' },
    ]);
    expect(await put(room, 'eve', 'cat', { role: 'owner' })).toEqual([404, 'not_found']);
  });

  test('who leaves hands over to the admin who has been there longest', async () => {
    const room = await aRoom();
    expect(await put(room, 'cat', 'ann', { role: 'admin' })).toEqual([200]);
    expect(await drop(room, 'ann', 'ann')).toEqual([200]);
    expect(await rolesIn(room, 'bob')).toEqual({ bob: 'owner', cat: 'admin', dan: 'member' });
    expect((await changesOf(room, 'bob')).slice(-2)).toEqual([
      { event: 'role', uid: 'bob', by: 'ann', role: 'owner' },
      { event: 'left', uid: 'ann', by: 'ann' },
    ]);
  });

  test('who leaves without admins hands over to the member who has been there longest', async () => {
    const room = newRoom();
    expect(await h.outcome('/v1/rooms', { as: 'zoe', body: { room } })).toEqual([201]);
    for (const uid of ['yan', 'ada']) expect(await put(room, uid, uid)).toEqual([200]);
    expect(await drop(room, 'zoe', 'zoe')).toEqual([200]);
    expect(await rolesIn(room, 'ada')).toEqual({ yan: 'owner', ada: 'member' });
  });

  test('who leaves last ends the room', async () => {
    const room = newRoom();
    expect(await h.outcome('/v1/rooms', { as: 'ann', body: { room } })).toEqual([201]);
    expect(await drop(room, 'ann', 'ann')).toEqual([200]);
    expect(await h.outcome(path(room), { as: 'ann' })).toEqual([404, 'not_found']);
  });

  test('alone deletes the room, with all that was said in it', async () => {
    const room = await aRoom();
    const cat = await h.connects({ uid: 'cat' });
    for (const who of ['bob', 'cat']) expect(await close(room, who)).toEqual([403, 'forbidden']);
    expect(await close(room, 'eve')).toEqual([403, 'not_member']);
    expect(await close(room, 'ann')).toEqual([200]);
    expect(await close(room, 'ann')).toEqual([404, 'not_found']);
    expect(await cat.request({ type: 'send', room, data: 1 })).toMatchObject({ type: 'error', code: 'not_found' });
    expect(await h.outcome(`/v1/conversations/room:${room}/messages`, { as: 'ann' })).toEqual([404, 'not_found']);
    expect(await h.outcome('/v1/rooms', { as: 'eve', body: { room } })).toEqual([201]);
    expect(await changesOf(room, 'eve')).toHaveLength(1);
  });
});

describe('renaming a room', () => {
  test('is for the owner and admins, and an entry of its log', async () => {
    const room = await aRoom();
    expect(await rename(room, 'bob', { name: 'Salon' })).toEqual([200]);
    expect(await rename(room, 'ann', { private: true })).toEqual([200]);
    expect(await look(room, 'cat')).toMatchObject({ name: 'Salon', private: true });
    expect(await rename(room, 'cat', { name: 'Mine' })).toEqual([403, 'forbidden']);
    expect(await rename(room, 'eve', { name: 'Mine' })).toEqual([403, 'not_member']);
    expect(await rename('nowhere', 'eve', { name: 'Mine' })).toEqual([404, 'not_found']);
    const after = await changesOf(room);
    expect(after.slice(-2)).toEqual([
      { event: 'renamed', uid: 'bob', by: 'bob', name: 'Salon' },
      { event: 'renamed', uid: 'ann', by: 'ann', name: 'Salon' },
    ]);
    expect(await rename(room, 'ann', { name: 'Salon', private: true })).toEqual([200]);
    expect(await rename(room, 'ann', {})).toEqual([200]);
    expect(await changesOf(room)).toEqual(after);
  });

  test('shut its door: whoever comes by themselves is refused', async () => {
    const room = await aRoom();
    expect(await rename(room, 'ann', { private: true })).toEqual([200]);
    const eve = await h.connects({ uid: 'eve' });
    expect(await eve.request({ type: 'join', room })).toMatchObject({ type: 'error', code: 'forbidden' });
    expect(await put(room, 'eve', 'eve')).toEqual([403, 'forbidden']);
  });

  test.each<[string, unknown]>([
    ['nothing', { name: '' }],
    ['a number', { name: 7 }],
    ['a bell', { name: '\u0007' }],
    ['private: 1', { private: 1 }],
    ['no object', []],
  ])('to %s is a bad request', async (_what, body) => {
    const room = await aRoom();
    expect(await rename(room, 'ann', body)).toEqual([400, 'bad_request']);
  });
});

describe('the server key', () => {
  test('creates a room for others, who are its owner and members', async () => {
    const room = newRoom();
    const members = ['bob', 'ann'];
    expect(await h.outcome('/v1/rooms', { ...server, body: { room: newRoom() } })).toEqual([400, 'bad_request']);
    expect(await h.outcome('/v1/rooms', { ...server, body: { room, owner: 7, members } })).toEqual([
      400,
      'bad_request',
    ]);
    expect(await h.outcome('/v1/rooms', { ...server, body: { room, owner: 'ann', members } })).toEqual([201]);
    expect(await rolesIn(room)).toEqual({ ann: 'owner', bob: 'member' });
    expect(await changesOf(room)).toEqual([
      { event: 'created', uid: 'ann', by: 'system', role: 'owner' },
      { event: 'joined', uid: 'bob', by: 'system' },
    ]);
    const first = newRoom();
    expect(await h.outcome('/v1/rooms', { ...server, body: { room: first, members } })).toEqual([201]);
    expect(await rolesIn(first, server)).toEqual({ ann: 'member', bob: 'owner' });
  });

  test('looks, admits, sets every role, renames, removes and deletes, without being in the room', async () => {
    const room = await aRoom({ private: true });
    expect(await look(room, server)).toMatchObject({ room, private: true });
    expect(await put(room, 'eli', server, { role: 'admin' })).toEqual([200]);
    expect(await put(room, 'ann', server, { role: 'member' })).toEqual([403, 'forbidden']);
    expect(await put(room, 'cat', server, { role: 'owner' })).toEqual([200]);
    expect(await rolesIn(room)).toEqual({ ann: 'admin', bob: 'admin', cat: 'owner', dan: 'member', eli: 'admin' });
    expect(await rename(room, server, { name: 'Ours' })).toEqual([200]);
    expect(await drop(room, 'cat', server)).toEqual([200]);
    expect((await changesOf(room)).slice(-2)).toEqual([
      { event: 'role', uid: 'ann', by: 'system', role: 'owner' },
      { event: 'removed', uid: 'cat', by: 'system' },
    ]);
    expect(await drop(room, 'system', server)).toEqual([404, 'not_found']);
    expect(await close(room, server)).toEqual([200]);
    expect(await close(room, server)).toEqual([404, 'not_found']);
    expect(await h.outcome(path(room), server)).toEqual([404, 'not_found']);
  });

  test('is not what a user is who is called system', async () => {
    const room = await aRoom();
    expect(await h.outcome(path(room), { as: 'system' })).toEqual([403, 'not_member']);
    expect(await close(room, 'system')).toEqual([403, 'not_member']);
  });
});

describe('a room has exactly one owner', () => {
  test('whatever its members do at the same moment', async () => {
    const uids = ['ann', 'bob', 'cat', 'dan'];
    const room = newRoom();
    expect(await h.outcome('/v1/rooms', { as: 'ann', body: { room, members: uids.slice(1) } })).toEqual([201]);
    for (let round = 0; round < 30; round++) {
      const acts = uids.flatMap((uid, i) => [
        drop(room, uid, uid),
        put(room, uid, uid),
        put(room, uids[(i + round) % 4]!, uid, { role: 'owner' }),
        put(room, uids[(i + 1) % 4]!, uid, { role: 'admin' }),
      ]);
      const statuses = (await Promise.all(acts)).map(([status]) => status);
      expect(statuses.filter((status) => ![200, 403, 404].includes(status))).toEqual([]);
      const view = await h.asks<View>(path(room), server);
      if (view.status === 404) {
        expect(await h.outcome('/v1/rooms', { as: 'ann', body: { room, members: uids.slice(1) } })).toEqual([201]);
      } else {
        expect(view.body.members.filter(({ role }) => role === 'owner')).toHaveLength(1);
      }
    }
  });
});

test('a name and what it brings along stay what they are', async () => {
  const room = newRoom();
  const name = '"><script>{"type":"error"}\\';
  const body = `{"room":"${room}","name":${JSON.stringify(name)},"__proto__":{"private":true},"members":["toString"]}`;
  expect(await h.outcome('/v1/rooms', { as: 'ann', body })).toEqual([201]);
  expect(await look(room, 'ann')).toMatchObject({ name, private: false });
  expect(await rolesIn(room)).toEqual({ ann: 'owner', toString: 'member' });
});

describe('in jwt mode', () => {
  const secret = 'a secret that is long enough for anybody, and then some';
  const strict = house(() => ({ SKEIN_AUTH: 'jwt', SKEIN_JWT_SECRET: secret }));

  test('only a token or the server key opens a room', async () => {
    const jwt = token({ sub: 'ann', exp: inAnHour() }, secret);
    expect(await strict.outcome('/v1/rooms', { as: 'ann', body: { room: 'r' } })).toEqual([401, 'unauthorized']);
    expect(await strict.outcome('/v1/rooms', { token: 'x', body: { room: 'r' } })).toEqual([401, 'unauthorized']);
    expect(await strict.outcome('/v1/rooms', { token: jwt, body: { room: 'r' } })).toEqual([201]);
    expect(await strict.outcome('/v1/rooms/r', { token: SERVER_KEY })).toEqual([200]);
  });
});
