import { request } from 'node:http';
import { describe, expect, test } from 'vitest';
import { Connection, UpgradeRefused } from '../support/client.js';
import type { Outgoing } from '../support/frame.js';
import { shapesWith, townFor } from '../support/town.js';
import { until } from '../support/until.js';

describe.each(shapesWith({}))('codes on %s', (_shape, plan) => {
  const t = townFor(plan);

  test('replace=1 closes the other sockets of the device with 4409, on whichever node they are', async () => {
    const phone = await t.user('bob').device('phone').comesTo(1);
    const laptop = await phone.device('laptop').comesTo(1);
    const alice = await t.user('alice').comesTo(1);
    const old = phone.line;
    await phone.comesTo(2, { query: { replace: '1' } });
    await until(
      () => old.closing?.code === 4409,
      () => `4409; it is ${old.closing?.code}`,
      2_000,
    );
    await alice.says(phone, 'to the new one');
    await phone.hears('to the new one');
    await laptop.hears('to the new one');
  });

  test.each<[string, Outgoing]>([
    ['a limit out of bounds', { type: 'history', conv: 'all', limit: 0 }],
    ['before and after at once', { type: 'history', conv: 'all', before: 5, after: 5 }],
    ['an ack beyond the head', { type: 'ack', conv: 'all', seq: Number.MAX_SAFE_INTEGER }],
    ['a hello of somebody else', { type: 'hello', uid: 'somebody-else' }],
    ['too many to watch', { type: 'watch', uids: Array.from({ length: 501 }, (_, index) => `w${index}`) }],
  ])(
    'three times in a row %s closes with 4400, and two times with something good in between do not',
    async (_, bad) => {
      const alice = await t.user('alice').comesTo(1, { ack: 'manual' });
      for (let turn = 0; turn < 4; turn++) {
        expect(await alice.asks(bad)).toMatchObject({ type: 'error', code: 'bad_request' });
        if (turn % 2 === 1) await alice.says(t.user('bob'), 'something good');
      }
      await alice.line.settles();
      for (let turn = 0; turn < 3; turn++) await alice.asks(bad);
      await until(
        () => alice.line.closing?.code === 4400,
        () => `4400; it is ${alice.line.closing?.code}`,
      );
    },
  );

  test('what is forbidden, missing or not a member closes nothing, however often it is asked', async () => {
    const alice = await t.user('alice').comesTo(1);
    const conv = t.user('bob').convWith(t.user('carol'));
    for (let turn = 0; turn < 5; turn++) {
      expect(['forbidden', 'not_found']).toContain((await alice.asks({ type: 'history', conv })).code);
      expect((await alice.tries(t.room('nowhere'), 1)).type).toBe('error');
    }
    await alice.line.settles();
  });

  test("whatever is asked of somebody else's conversation, it is closed", async () => {
    const alice = await t.user('alice').comesTo(1);
    const eve = await t.user('eve').comesTo(2, { ack: 'manual' });
    const sent = await alice.says(t.user('bob'), 'secret');
    const to = { conv: sent.conv, seq: sent.seq };
    for (const asked of [
      { type: 'history', conv: sent.conv },
      { type: 'ack', ...to },
      { type: 'read', ...to },
      { type: 'recall', ...to },
      { type: 'edit', ...to, data: 'changed' },
      { type: 'react', ...to, emoji: '👍', on: true },
    ]) {
      const answer = await eve.asks(asked);
      expect(answer.type).toBe('error');
      expect(['forbidden', 'not_found']).toContain(answer.code);
      expect(JSON.stringify(answer)).not.toContain('secret');
    }
    const path = `/conversations/${encodeURIComponent(sent.conv!)}`;
    expect([403, 404]).toContain((await eve.calls(1, 'GET', `${path}/messages`)).status);
    for (const end of ['ack', 'read']) {
      expect([403, 404]).toContain((await eve.calls(1, 'POST', `${path}/${end}`, { seq: sent.seq })).status);
    }
  });

  test('every error over HTTP has its status, its code and words', async () => {
    const alice = t.user('alice');
    const bob = t.user('bob');
    const den = t.room('den');
    await bob.calls(1, 'POST', '/rooms', { room: den.name });
    const stranger = t.user('stranger');
    await (await t.user('sender').comesTo(1)).says(stranger, 1);
    const sender = await t.user('sender').comesTo(1);
    await sender.saysAll(
      stranger,
      Array.from({ length: 100 }, (_, index) => index),
    );
    const conv = encodeURIComponent(bob.convWith(stranger));
    const answers = {
      bad_request: [400, await alice.calls(2, 'POST', '/messages', { data: 1 })],
      unauthorized: [401, await t.asks(2, '/v1/conversations')],
      forbidden: [403, await alice.calls(2, 'PUT', `/rooms/${den.name}/members/${stranger.uid}`, { role: 'admin' })],
      not_member: [403, await alice.posts(2, den, 1)],
      not_found: [404, await alice.calls(2, 'GET', `/rooms/${t.room('nowhere').name}`)],
      conflict: [409, await alice.calls(2, 'POST', '/rooms', { room: den.name })],
      too_large: [413, await alice.posts(2, bob, 'x'.repeat(70_000))],
      box_full: [507, await sender.posts(2, stranger, 'one too many')],
    } as const;
    for (const [code, [status, answer]] of Object.entries(answers)) {
      const isOneOf = code === 'forbidden' ? expect.stringMatching(/^(forbidden|not_member)$/) : code;
      expect(answer, code).toMatchObject({ status, body: { error: { code: isOneOf, message: expect.any(String) } } });
      expect(answer.headers.get('content-type'), code).toMatch(/^application\/json/);
    }
    expect([403, 404]).toContain((await alice.calls(2, 'GET', `/conversations/${conv}/messages`)).status);
  });

  test('a body of exactly the limit is taken, and one byte more is too large', async () => {
    const alice = t.user('alice');
    const bob = t.user('bob');
    const limit = (await t.user('asker').comesTo(1)).line.frames[0]!.limits!.frame;
    const bodyOf = (bytes: number): string => {
      const empty = JSON.stringify({ receiver: bob.uid, data: '' });
      return JSON.stringify({ receiver: bob.uid, data: 'x'.repeat(bytes - empty.length) });
    };
    const path = `/v1/messages?uid=${alice.uid}`;
    expect(await t.asks(1, path, { body: bodyOf(limit) })).toMatchObject({ status: 200 });
    expect(await t.asks(2, path, { body: bodyOf(limit + 1) })).toMatchObject({ status: 413 });
    const nested = `{"receiver":"${bob.uid}","data":${'['.repeat(33)}${']'.repeat(33)}}`;
    expect(await t.asks(2, path, { body: nested })).toMatchObject({ status: 400 });
  });

  test.each([
    ['GET', '/v1'],
    ['GET', '/v1/'],
    ['GET', '/v1/nothing'],
    ['POST', '/v1/message'],
    ['GET', '/v2/messages'],
    ['GET', '/v1/conversations/all'],
    ['GET', '/v1/conversations/all/messages/1'],
    ['GET', '/v1/rooms/den/members/a/b'],
    ['GET', '/v1/blocks/a/b'],
    ['GET', '/v1/messages/'],
  ])('%s %s is not there: 404 in JSON', async (method, path) => {
    const body = method === 'POST' ? { body: {} } : {};
    const answer = await t.asks(1, `${path}?uid=${t.user('a').uid}`, { method, ...body });
    expect(answer).toMatchObject({ status: 404, body: { error: { code: 'not_found' } } });
  });

  test.each([
    ['DELETE', '/v1/messages'],
    ['PUT', '/v1/messages'],
    ['PATCH', '/v1/messages'],
    ['POST', '/v1/conversations'],
    ['POST', '/v1/conversations/all/messages'],
    ['GET', '/v1/conversations/all/read'],
    ['POST', '/v1/blocks/a'],
    ['POST', '/v1/stream'],
    ['GET', '/v1/tokens'],
    ['POST', '/v1/presence'],
    ['POST', '/healthz'],
  ])('%s %s is not how it is asked', async (method, path) => {
    const body = method === 'GET' || method === 'DELETE' ? {} : { body: {} };
    const answer = await t.asks(1, `${path}?uid=${t.user('a').uid}`, { method, ...body });
    expect([404, 405]).toContain(answer.status);
    expect(answer.body.error.message).toEqual(expect.any(String));
  });

  test('an upgrade anywhere but at /ws is 404, and from a foreign page 403, with or without a name', async () => {
    const statusOf = (path: string, headers: Record<string, string> = {}): Promise<number> =>
      Connection.open(`ws://127.0.0.1:${t.node(1).port}${path}`, { headers }).then(
        () => 101,
        (error: Error) => (error instanceof UpgradeRefused ? error.status : -1),
      );
    expect(await statusOf('/v1/ws?uid=a')).toBe(404);
    expect(await statusOf('/?uid=a')).toBe(404);
    for (const origin of [
      'https://evil.example',
      'null',
      'http://127.0.0.1:1',
      `https://127.0.0.1:${t.node(1).port}.evil`,
    ]) {
      expect(await statusOf('/ws?uid=a', { origin })).toBe(403);
      expect(await statusOf('/ws', { origin })).toBe(403);
    }
  });
});

describe('pages of other origins', () => {
  const t = townFor({ nodes: 1, redis: false, env: { SKEIN_ORIGINS: 'https://chat.example' } });

  const asks = (method: string, path: string, headers: Record<string, string>, body = ''): Promise<Reply> =>
    new Promise((resolve, reject) => {
      const asked = request(`${t.node(1).url}${path}`, { method, headers }, (response) => {
        response.resume().on('end', () => resolve({ status: response.statusCode!, headers: response.headers }));
      });
      asked.on('error', reject).end(body);
    });
  interface Reply {
    readonly status: number;
    readonly headers: Readonly<Record<string, unknown>>;
  }

  test('may use HTTP if they are configured', async () => {
    const origin = 'https://chat.example';
    const preflight = await asks('OPTIONS', '/v1/messages?uid=a', {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization,content-type',
    });
    expect([200, 204]).toContain(preflight.status);
    expect(preflight.headers['access-control-allow-origin']).toBe(origin);
    expect(String(preflight.headers['access-control-allow-methods'])).toContain('POST');
    expect(String(preflight.headers['access-control-allow-headers']).toLowerCase()).toContain('authorization');
    const got = await asks('GET', '/v1/messages?uid=a&wait=0', { origin });
    expect(got).toMatchObject({ status: 200, headers: { 'access-control-allow-origin': origin } });
    const wrong = await asks('GET', '/v1/messages?uid=a&wait=99', { origin });
    expect(wrong).toMatchObject({ status: 400, headers: { 'access-control-allow-origin': origin } });
  });

  test('read nothing otherwise, and send nothing in the name of anybody', async () => {
    const origin = 'https://evil.example';
    const bob = await t.user('bob').comesTo(1);
    const got = await asks('GET', '/v1/messages?uid=a&wait=0', { origin });
    expect(got.headers).not.toHaveProperty('access-control-allow-origin');
    const body = JSON.stringify({ receiver: bob.uid, data: 'forged' });
    const sent = await asks('POST', '/v1/messages?uid=a', { origin, 'content-type': 'text/plain' }, body);
    expect(sent.status).toBe(403);
    await (await t.user('alice').comesTo(1)).says(bob, 'fence');
    await bob.hears('fence');
    expect(bob.heard()).toEqual(['fence']);
  });
});

describe.each(shapesWith({ SKEIN_RATE: '5' }))('too much on %s', (_shape, plan) => {
  const t = townFor(plan);

  test.each<[string, (turn: number) => Outgoing]>([
    ['sends', (turn) => ({ receiver: 'nobody', data: turn })],
    ['queries', () => ({ type: 'conversations' })],
    ['pings', () => ({ type: 'ping' })],
    ['nonsense in between', (turn) => (turn % 2 ? { type: 'nonsense' } : { type: 'conversations' })],
  ])('of %s, far over the rate, closes with 4429', async (_what, frame) => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    let turn = 0;
    const isClosed = (): boolean => {
      for (let burst = 0; burst < 50 && alice.line.isOpen; burst++) alice.line.send(frame(turn++));
      return alice.line.closing !== undefined;
    };
    await until(isClosed, 'the connection to be closed', 10_000);
    expect([4429, 4400]).toContain(alice.line.closing!.code);
    if (_what !== 'nonsense in between') expect(alice.line.closing!.code).toBe(4429);
    await bob.line.settles();
    const isLetIn = async (): Promise<boolean> => {
      const line = await Connection.open(t.node(2).wsUrl({ uid: alice.uid }));
      await until(() => line.closing || line.frames.length > 0, 'a welcome or a close');
      await line.close();
      return line.frames.length > 0;
    };
    await until(isLetIn, 'her to be let in again', 15_000);
  });

  test('queries are limited, with a time to come back, and reads and acks not like them', async () => {
    const alice = await t.user('alice').comesTo(1, { ack: 'manual' });
    const answers = await Promise.all(Array.from({ length: 12 }, () => alice.asks({ type: 'conversations' })));
    const refused = answers.filter((answer) => answer.type === 'error');
    expect(refused.length).toBeGreaterThan(0);
    for (const answer of refused) expect(answer).toMatchObject({ code: 'rate_limited', retry: expect.any(Number) });
    const bob = await t.user('bob').comesTo(2);
    const sent = await bob.says(alice, 'hi');
    await alice.hears('hi');
    for (let turn = 0; turn < 10; turn++) {
      alice.line.send({ type: 'read', conv: sent.conv, seq: sent.seq });
      alice.acks(sent);
    }
    await alice.line.settles();
    expect(alice.line.frames.filter(({ type, id }) => type === 'error' && id === undefined)).toEqual([]);
  });
});
