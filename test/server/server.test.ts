import { describe, expect, test } from 'vitest';
import { house, SERVER_KEY } from './support.js';

const h = house();
const says = (body: unknown, path = '/v1/server/messages') => h.asks<Sent>(path, { token: SERVER_KEY, body });

type Sent = {
  readonly type: string;
  readonly id?: string;
  readonly conv: string;
  readonly seq: number;
  readonly dup?: true;
  readonly error?: { readonly code: string };
};

describe('a message with the server key', () => {
  test('is sent in the name of whoever it names', async () => {
    const bob = await h.connects({ uid: 'bob' });
    const { status, body } = await says({ type: 'send', id: 'm1', sender: 'ann', receiver: 'bob', data: { n: 1 } });
    expect(status).toBe(200);
    expect(body).toMatchObject({ type: 'sent', id: 'm1', conv: 'dm:ann:bob' });
    const heard = await bob.first((frame) => frame.id === 'm1', 'the message');
    expect(heard).toMatchObject({ sender: 'ann', receiver: 'bob', data: { n: 1 }, seq: body.seq });
    expect((await says({ id: 'm1', sender: 'ann', receiver: 'bob', data: 2 })).body).toMatchObject({
      seq: body.seq,
      dup: true,
    });
  });

  test('keeps numbers as they are written', async () => {
    const bob = await h.connects({ uid: 'bob' });
    expect((await says('{"sender":"ann","receiver":"bob","id":"big","data":12345678901234567890.10}')).status).toBe(
      200,
    );
    await bob.first((frame) => frame.id === 'big', 'the message');
    expect(bob.texts.find((text) => text.includes('"big"'))).toContain('"data":12345678901234567890.10}');
  });

  test('goes to a room that is there, in the name of a member or of anybody else', async () => {
    expect(await h.outcome('/v1/rooms', { as: 'ann', body: { room: 'den' } })).toEqual([201]);
    expect((await says({ sender: 'ann', room: 'den', data: 1 })).body).toMatchObject({ conv: 'room:den' });
    expect((await says({ sender: 'eve', room: 'den', data: 1 })).body).toMatchObject({ conv: 'room:den' });
    expect(await h.outcome('/v1/messages', { as: 'eve', body: { room: 'den', data: 1 } })).toEqual([403, 'not_member']);
    expect((await says({ sender: 'ann', room: 'nowhere', data: 1 })).body.error?.code).toBe('not_found');
    expect((await says({ sender: 'ann', broadcast: true, data: 1 })).body).toMatchObject({ conv: 'all' });
  });

  test.each<[string, unknown]>([
    ['no JSON', '{'],
    ['a list', []],
    ['no sender', { receiver: 'bob', data: 1 }],
    ['a sender out of form', { sender: 'a:b', receiver: 'bob', data: 1 }],
    ['a sender that is a number', { sender: 1, receiver: 'bob', data: 1 }],
    ['no data', { sender: 'ann', receiver: 'bob' }],
    ['nobody to send to', { sender: 'ann', data: 1 }],
    ['two to send to', { sender: 'ann', receiver: 'bob', room: 'den', data: 1 }],
    ['an id out of form', { sender: 'ann', receiver: 'bob', data: 1, id: '' }],
    ['data too deep', `{"sender":"ann","receiver":"bob","data":${'['.repeat(40)}${']'.repeat(40)}}`],
  ])('with %s is a bad request', async (_what, body) => {
    expect(await h.outcome('/v1/server/messages', { method: 'POST', token: SERVER_KEY, body })).toEqual([
      400,
      'bad_request',
    ]);
  });

  test('is bounded like a frame', async () => {
    const body = { sender: 'ann', receiver: 'bob', data: 'x'.repeat(70_000) };
    expect(await h.outcome('/v1/server/messages', { token: SERVER_KEY, body })).toEqual([413, 'too_large']);
  });
});

describe('a broadcast with the server key', () => {
  const broadcast = (body: unknown) => says(body, '/v1/server/broadcast');

  test('comes from the system, or from whoever it names', async () => {
    const bob = await h.connects({ uid: 'bob' });
    expect((await broadcast({ data: 'maintenance', id: 'b1' })).body).toMatchObject({ type: 'sent', conv: 'all' });
    expect(await bob.first((frame) => frame.id === 'b1', 'the first')).toMatchObject({
      sender: 'system',
      broadcast: true,
      data: 'maintenance',
    });
    expect((await broadcast({ sender: 'ann', data: null, id: 'b2', broadcast: true })).status).toBe(200);
    expect(await bob.first((frame) => frame.id === 'b2', 'the second')).toMatchObject({ sender: 'ann', data: null });
  });

  test.each<[string, unknown]>([
    ['no JSON', '{'],
    ['more after it', '{"data":1}}'],
    ['a list', [{ data: 1 }]],
    ['nothing', {}],
    ['no data', { id: 'x' }],
    ['a sender out of form', { data: 1, sender: 'a b' }],
    ['a sender that is null', { data: 1, sender: null }],
    ['a receiver', { data: 1, receiver: 'bob' }],
  ])('with %s is a bad request', async (_what, body) => {
    expect(await h.outcome('/v1/server/broadcast', { method: 'POST', token: SERVER_KEY, body })).toEqual([
      400,
      'bad_request',
    ]);
  });
});

describe('the stats of a node', () => {
  test('say what it is, whether it is ready, and what it holds', async () => {
    const fresh = await h.asks<Record<string, number>>('/v1/server/stats', { token: SERVER_KEY });
    expect(fresh.status).toBe(200);
    expect(fresh.body).toMatchObject({
      version: '1.2.3',
      backend: 'memory',
      sockets: expect.stringMatching(/^(uws|ws)$/),
      ready: true,
      draining: false,
      node: expect.any(String),
      reasons: expect.any(Array),
      uptime: expect.any(Number),
    });
    const before = fresh.body;
    await h.connects({ uid: 'new.one' });
    await h.connects({ uid: 'new.one', device: 'phone' });
    await says({ sender: 'ann', receiver: 'new.one', data: 1 });
    const { body: after } = await h.asks<Record<string, number>>('/v1/server/stats', { token: SERVER_KEY });
    expect(after.users! - before.users!).toBe(1);
    expect(after.connections! - before.connections!).toBe(2);
    expect(after.stored! - before.stored!).toBe(1);
  });
});

describe('without the server key', () => {
  const closed = house(() => ({ SKEIN_SERVER_KEY: '' }));

  test.each([
    ['POST', 'messages'],
    ['POST', 'broadcast'],
    ['GET', 'stats'],
  ])('%s /v1/server/%s is 401', async (method, name) => {
    const path = `/v1/server/${name}`;
    const body = method === 'POST' ? { body: { sender: 'ann', receiver: 'bob', data: 1 } } : {};
    expect(await h.outcome(path, { method, ...body })).toEqual([401, 'unauthorized']);
    expect(await h.outcome(path, { method, as: 'ann', ...body })).toEqual([401, 'unauthorized']);
    expect(await h.outcome(path, { method, token: `${SERVER_KEY}x`, ...body })).toEqual([401, 'unauthorized']);
    expect(await closed.outcome(path, { method, token: SERVER_KEY, ...body })).toEqual([401, 'unauthorized']);
  });

  test('another method is not for these paths, and another path is none', async () => {
    expect((await h.asks('/v1/server/stats', { method: 'POST', token: SERVER_KEY })).status).toBe(405);
    expect(await h.outcome('/v1/server/nothing', { token: SERVER_KEY })).toEqual([404, 'not_found']);
  });
});
