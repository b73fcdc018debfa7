import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Connection } from '../support/client.js';
import type { Frame } from '../support/frame.js';
import { type ErrorBody, http } from '../support/http.js';
import { type NodeProcess, startNode } from '../support/process.js';
import { RedisServer } from '../support/redis.js';
import { until } from '../support/until.js';
import {
  type Asked,
  DIRECT,
  type HttpCall,
  RELATIONS,
  type Relation,
  RIGHTS,
  type Right,
  SERVER_ONLY,
} from './rights-table.js';
import { ENV, SERVER_KEY, tokenOf } from './siege.js';
import { heard, settled } from './wire.js';

let node: NodeProcess;
let redis: RedisServer | undefined;
let rooms = 0;
let questions = 0;
const lines = new Map<string, Connection>();

async function comes(uid: string, query = '', claims: object = {}): Promise<Connection> {
  const line = await Connection.open(`${node.wsUrl()}?ack=manual&token=${tokenOf(uid, claims)}${query}`);
  await line.firstOf('synced');
  return line;
}

const lineOf = (uid: string): Connection => lines.get(uid)!;

async function calls(token: string, [method, path, body]: HttpCall): Promise<string> {
  const answer = await http<ErrorBody>(`${node.url}${path}`, { method, token, ...(body !== undefined && { body }) });
  if (answer.status === 200 || answer.status === 201) return 'ok';
  return answer.body.error.code;
}

/** A ban is known everywhere a moment later. */
async function isRefused(token: string, call: HttpCall): Promise<void> {
  await until(async () => (await calls(token, call)) === 'forbidden', 'a ban to be known');
}

const serves = (...call: HttpCall): Promise<string> => calls(SERVER_KEY, call);

async function says(uid: string, target: object): Promise<number> {
  const answer = await lineOf(uid).request({ type: 'send', ...target, data: `by ${uid}` });
  return answer.seq ?? 0;
}

/**
 * A frame's answer: nothing but a pong after it is `ok`, too, where no refusal is expected. The pong waits for no store,
 * so a refusal may come after it.
 */
async function frames(uid: string, frame: object, expected = 'ok'): Promise<string> {
  const line = lineOf(uid);
  const id = `asked ${++questions}`;
  line.frames.length = 0;
  line.send({ ...frame, id });
  const { type } = frame as Frame;
  const isSilent = expected === 'ok' && (type === 'ack' || type === 'read');
  if (!isSilent) await heard(line, (each) => isAnswer(each, id), `an answer to ${type}`);
  for (let i = 0; i < 2; i++) await settled(line);
  return line.frames.find((each) => isAnswer(each, id) && each.type === 'error')?.code ?? 'ok';
}

const isAnswer = ({ id, type }: Frame, asked: string): boolean => id === asked && type !== 'message';

type Places = Readonly<Record<'$room' | '$me' | '$theirs' | '$mine', string | number>>;

function filled<T>(value: T, places: Places): T {
  const text = JSON.stringify(value)
    .replaceAll('"$theirs"', String(places.$theirs))
    .replaceAll('"$mine"', String(places.$mine))
    .replaceAll('$room', String(places.$room))
    .replaceAll('$me', String(places.$me));
  return JSON.parse(text);
}

function asks(uid: string, asked: Asked, places: Places, expected?: string): Promise<string> {
  if ('frame' in asked) return frames(uid, filled(asked.frame, places), expected);
  return calls(uid === RELATIONS.server ? SERVER_KEY : tokenOf(uid), filled(asked.http, places));
}

/** A room as the table wants it. */
async function roomFor(me: string, isPublic: boolean): Promise<Places> {
  const room = `room${++rooms}`;
  const members = ['olga', 'ada', 'abe', 'mia', 'max'];
  expect(await serves('POST', '/v1/rooms', { room, private: !isPublic, owner: 'olga', members })).toBe('ok');
  for (const uid of ['ada', 'abe'])
    expect(await serves('PUT', `/v1/rooms/${room}/members/${uid}`, { role: 'admin' })).toBe('ok');
  const theirs = await says('max', { room });
  const mine = me !== 'system' && members.includes(me) ? await says(me, { room }) : theirs;
  return { $room: room, $me: me, $theirs: theirs, $mine: mine };
}

const CELLS = RIGHTS.flatMap((right) =>
  (Object.keys(RELATIONS) as Relation[]).map((relation) => [relation, right.what, right.may[relation], right] as const),
);

describe.each(['the embedded store', 'Redis'])('on %s', (store) => {
  beforeAll(async () => {
    redis = store === 'Redis' ? await RedisServer.start({ appendonly: 'no' }) : undefined;
    node = await startNode({ ...ENV, ...(redis && { REDIS_URL: redis.url }) });
    for (const uid of [...Object.values(RELATIONS), 'max'])
      if (uid !== RELATIONS.server) lines.set(uid, await comes(uid));
  });
  afterEach(() => {
    expect(node.program.isAlive).toBe(true);
    expect(node.program.logs.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
    for (const line of lines.values()) line.frames.length = line.texts.length = 0;
  });
  afterAll(async () => {
    await node?.kill('SIGKILL');
    await redis?.stop();
  });

  describe('in a room', () => {
    test.each(CELLS)('a %s who wants to %s: %s', async (relation, _what, expected, { by, isPublic }: Right) => {
      const me = RELATIONS[relation];
      for (const asked of by) {
        if (relation === 'server' && 'frame' in asked) continue;
        const places = await roomFor(me, isPublic === true);
        const answer = await asks(me, asked, places, expected);
        expect(answer, JSON.stringify(asked)).toBe(expected);
      }
    });

    test.each(RIGHTS)(
      'who was removed while connected is a stranger who wants to $what',
      async ({ by, isPublic, may }) => {
        for (const asked of by) {
          const places = await roomFor('mia', isPublic === true);
          expect(await serves('DELETE', `/v1/rooms/${places.$room}/members/mia`)).toBe('ok');
          // The node hears of it a moment later, and until then takes acknowledgements of what it has pushed.
          const isStranger = async () => (await asks('mia', asked, places)) === may.stranger;
          await until(isStranger, `${may.stranger} for ${JSON.stringify(asked)}`);
        }
      },
    );

    test('a stranger’s typing is heard by nobody, a member’s by the others', async () => {
      const { $room: room } = await roomFor('sam', false);
      lineOf('sam').send({ type: 'typing', room });
      await settled(lineOf('sam'));
      lineOf('max').send({ type: 'typing', room });
      const first = await heard(lineOf('mia'), ({ type }) => type === 'typing', 'somebody to type');
      expect(first).toMatchObject({ sender: 'max', room });
    });
  });

  describe('in a direct conversation', () => {
    test.each(DIRECT)('one side who wants to $what: $side; anybody else is forbidden', async ({ by, side }) => {
      for (const asked of by) {
        const theirs = await says('max', { receiver: 'mia' });
        const mine = await says('mia', { receiver: 'max' });
        const places = { $room: '', $me: 'mia', $theirs: theirs, $mine: mine };
        for (const uid of ['sam', 'olga']) expect(await asks(uid, asked, places), uid).toBe('forbidden');
        if ('http' in asked) expect(await asks('system', asked, places)).toBe('unauthorized');
        expect(await asks('mia', asked, places), JSON.stringify(asked)).toBe(side);
      }
    });
  });

  describe('the server’s requests', () => {
    const rows = SERVER_ONLY.map((call) => ({ what: `${call[0]} ${call[1]}`, call }));

    test.each(rows)('$what is for the server key alone', async ({ call }) => {
      for (const token of [
        tokenOf('mia'),
        tokenOf('olga', { admin: true }),
        `${SERVER_KEY}x`,
        SERVER_KEY.slice(1),
        'x',
      ]) {
        expect(await calls(token, call)).toBe('unauthorized');
      }
      expect(await serves(...call)).toBe('ok');
    });

    test('a broadcast is for the server key, and for tokens that say so', async () => {
      const frame = { type: 'send', broadcast: true, data: 'to all' };
      for (const uid of ['sam', 'olga']) {
        expect(await frames(uid, frame)).toBe('forbidden');
        expect(await calls(tokenOf(uid), ['POST', '/v1/messages', frame])).toBe('forbidden');
      }
      expect(await calls(tokenOf('sam', { broadcast: true }), ['POST', '/v1/messages', frame])).toBe('ok');
    });
  });

  describe('somebody who is blocked', () => {
    const blocks = (method: string): Promise<string> => calls(tokenOf('mia'), [method, '/v1/blocks/sam']);

    test('is answered as ever, and nothing of what they write or do comes to who blocked them', async () => {
      const [mia, sam] = [lineOf('mia'), lineOf('sam')];
      const before = await says('mia', { receiver: 'sam' });
      expect(await blocks('PUT')).toBe('ok');
      try {
        const conv = 'dm:mia:sam';
        const first = await sam.request({ type: 'send', receiver: 'mia', data: 'SECRET one' });
        expect(first.type).toBe('sent');
        sam.send({ type: 'typing', receiver: 'mia' });
        expect(await frames('sam', { type: 'edit', conv, seq: first.seq, data: 'SECRET two' })).toBe('ok');
        expect(await frames('sam', { type: 'react', conv, seq: before, emoji: '🤬', on: true })).toBe('ok');
        const last = await sam.request({ type: 'send', receiver: 'mia', data: 'SECRET three' });
        await heard(mia, ({ seq }) => seq === last.seq, 'the last message without its data');
        expect(await frames('sam', { type: 'watch', uids: ['mia'] })).toBe('ok');
        expect(sam.frames.find(({ type }) => type === 'presence')).toMatchObject({ uid: 'mia', online: false });
        const seen = mia.texts.join('\n');
        const page = await mia.request({ type: 'history', conv });
        const list = await mia.request({ type: 'conversations' });
        const poll = await http(`${node.url}/v1/messages?wait=0&device=other`, { token: tokenOf('mia') });
        for (const text of [seen, JSON.stringify([page, list]), poll.text])
          expect(text).not.toMatch(/SECRET|typing|🤬/);
        const theirs = page.messages?.filter(({ sender }) => sender === 'sam') ?? [];
        expect(theirs.length).toBeGreaterThanOrEqual(4);
        for (const each of theirs) expect(each).toMatchObject({ blocked: true });
        expect(sam.frames.filter(({ type, uid }) => type === 'receipt' && uid === 'mia')).toEqual([]);
      } finally {
        expect(await blocks('DELETE')).toBe('ok');
      }
    });
  });

  describe('somebody who is banned', () => {
    const HTTP = RIGHTS.flatMap(({ by }) => by).flatMap((asked) => ('http' in asked ? [asked.http] : []));

    test('is closed with 4403 where they are, is closed again when they come, and may do nothing over HTTP', async () => {
      const line = await comes('ben');
      expect(await serves('PUT', '/v1/server/bans/ben', {})).toBe('ok');
      expect((await line.closed).code).toBe(4403);
      const again = await Connection.open(`${node.wsUrl()}?token=${tokenOf('ben')}`);
      expect((await again.closed).code).toBe(4403);
      const places = await roomFor('ben', false);
      const others = [
        ['GET', '/v1/messages?wait=0'],
        ['GET', '/v1/stream'],
        ['GET', '/v1/blocks'],
        ['GET', '/v1/conversations'],
        ['GET', '/v1/presence?of=mia'],
      ] as const;
      await isRefused(tokenOf('ben'), others[0]);
      for (const call of [...HTTP, ...others]) {
        expect(await calls(tokenOf('ben'), filled(call, places)), call.join(' ')).toBe('forbidden');
      }
      expect(await serves('DELETE', '/v1/server/bans/ben')).toBe('ok');
      const isBack = async () => (await calls(tokenOf('ben'), ['GET', '/v1/messages?wait=0'])) === 'ok';
      await until(isBack, 'the end of a ban to be known');
    });

    test('by one token goes on with another, and by one device with another', async () => {
      const [one, other] = [
        await comes('bea', '', { jti: 'one' }),
        await comes('bea', '&device=tablet', { jti: 'two' }),
      ];
      expect(await serves('PUT', '/v1/server/bans/bea', { jti: 'one' })).toBe('ok');
      expect((await one.closed).code).toBe(4403);
      await settled(other);
      await isRefused(tokenOf('bea', { jti: 'one' }), ['GET', '/v1/messages?wait=0']);
      expect(await serves('PUT', '/v1/server/bans/bea', { device: 'tablet' })).toBe('ok');
      expect((await other.closed).code).toBe(4403);
      await isRefused(tokenOf('bea', { jti: 'two' }), ['GET', '/v1/messages?wait=0&device=tablet']);
      expect(await calls(tokenOf('bea', { jti: 'two' }), ['GET', '/v1/messages?wait=0'])).toBe('ok');
    });
  });
});
