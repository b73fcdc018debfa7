import { describe, expect, test } from 'vitest';
import { Connection, UpgradeRefused } from '../support/client.js';
import type { Frame } from '../support/frame.js';
import type { Answer, ErrorBody } from '../support/http.js';
import { type Claims, inAnHour, token } from '../support/jwt.js';
import type { Poll } from '../support/poller.js';
import { townFor } from '../support/town.js';
import { until } from '../support/until.js';

const SECRET = 'a secret that is long enough for anybody, and then some';
const KEY = 'the-key-of-the-server-which-nobody-else-has';

interface Issued {
  readonly token: string;
  readonly expires: number;
}

describe('tokens on two nodes', () => {
  const env = { SKEIN_AUTH: 'jwt', SKEIN_JWT_SECRET: SECRET, SKEIN_SERVER_KEY: KEY };
  const t = townFor({ nodes: 2, redis: true, env });
  let born = 0;
  const newUid = (name: string): string => `${name}.${++born}`;
  const of = (sub: string, claims: Claims = {}): string => token({ sub, exp: inAnHour(), ...claims }, SECRET);

  const opens = async (node: number, jwt: string, query: Record<string, string> = {}): Promise<Connection> => {
    const headers = { authorization: `Bearer ${jwt}` };
    const line = await Connection.open(t.node(node).wsUrl(query), { headers });
    t.opened(line);
    return line;
  };
  const comes = async (node: number, jwt: string, query: Record<string, string> = {}): Promise<Connection> => {
    const line = await opens(node, jwt, query);
    await line.firstOf('synced');
    return line;
  };
  const isRefused = (node: number, jwt: string): Promise<number | undefined> =>
    opens(node, jwt).then(
      () => undefined,
      (error: Error) => (error instanceof UpgradeRefused ? error.status : undefined),
    );
  const asksForToken = (body: object, key = KEY): Promise<Answer<Issued & ErrorBody>> =>
    t.asks<Issued & ErrorBody>(1, '/v1/tokens', { body, token: key });
  const issued = async (uid: string, ttl: number): Promise<string> => {
    const answer = await asksForToken({ uid, ttl });
    expect([200, 201]).toContain(answer.status);
    return answer.body.token;
  };
  const partOf = (jwt: string, index: number): Claims =>
    JSON.parse(Buffer.from(jwt.split('.')[index]!, 'base64url').toString()) as Claims;

  test('the server key gets one for anybody, signed with the key that all nodes share', async () => {
    const ann = newUid('ann');
    const answer = await asksForToken({ uid: ann, ttl: 60 });
    expect(answer.body).toEqual({ token: expect.any(String), expires: expect.any(Number) });
    const { token: jwt, expires } = answer.body;
    expect(partOf(jwt, 0)).toMatchObject({ alg: 'HS256', kid: 'skein' });
    expect(partOf(jwt, 1)).toMatchObject({ sub: ann });
    expect(Math.abs(partOf(jwt, 1).exp! - Date.now() / 1_000 - 60)).toBeLessThan(10);
    // In milliseconds, like every time of the protocol.
    expect(Math.abs(expires - partOf(jwt, 1).exp! * 1_000)).toBeLessThanOrEqual(1_000);
    for (const node of [1, 2]) {
      expect((await comes(node, jwt)).frames[0]).toMatchObject({ type: 'welcome', uid: ann });
      expect(await t.asks(node, '/v1/messages?wait=0', { token: jwt })).toMatchObject({ status: 200 });
    }
  });

  test.each([{}, { uid: 'a b' }, { uid: 7 }, { uid: 'a', ttl: 'x' }, { uid: 'a', ttl: 0 }, { uid: 'a', ttl: -5 }])(
    'a token for %j is a bad request',
    async (body) => {
      expect(await asksForToken(body)).toMatchObject({ status: 400, body: { error: { code: 'bad_request' } } });
    },
  );

  test('nobody else gets one', async () => {
    const body = { uid: 'ann', ttl: 60 };
    expect(await t.asks(1, '/v1/tokens', { body })).toMatchObject({ status: 401 });
    for (const wrong of ['wrong', `${KEY}!`, of('ann'), of('ann', { admin: true })]) {
      const answer = await asksForToken(body, wrong);
      expect([401, 403]).toContain(answer.status);
      expect(answer.text).not.toContain('"token"');
    }
  });

  test('when it runs out the line is closed with 4401, unless a hello renewed it', async () => {
    const [ann, bea] = [newUid('ann'), newUid('bea')];
    const short = await issued(ann, 3);
    const shortOfBea = await issued(bea, 3);
    const ending = await comes(1, short);
    const renewed = await comes(2, shortOfBea);
    const stream = await fetch(`${t.node(2).url}/v1/stream?device=s`, {
      headers: { authorization: `Bearer ${short}` },
    });
    expect(stream.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const streamed = stream.text();
    const welcome = await renewed.request({ type: 'hello', token: of(bea) });
    expect(welcome).toMatchObject({ type: 'welcome', uid: bea });
    expect((await ending.closed).code).toBe(4401);
    expect(Date.now()).toBeGreaterThan(partOf(short, 1).exp! * 1_000 - 1_000);
    expect(Date.now()).toBeLessThan(partOf(short, 1).exp! * 1_000 + 3_000);
    expect(await streamed).toContain('"type":"synced"');
    await until(async () => (await isRefused(1, short)) === 401, 'it to be refused');
    expect(await t.asks(2, '/v1/messages?wait=0', { token: short })).toMatchObject({
      status: 401,
      body: { error: { code: 'unauthorized' } },
    });
    await renewed.settles();
    expect(renewed.isOpen).toBe(true);
  });

  test('a hello may also bring a token that runs out sooner: then the line ends with that', async () => {
    const ann = newUid('ann');
    const line = await comes(1, of(ann));
    const short = await issued(ann, 3);
    expect(await line.request({ type: 'hello', token: short })).toMatchObject({ type: 'welcome', uid: ann });
    expect((await line.closed).code).toBe(4401);
    expect(Date.now()).toBeLessThan(partOf(short, 1).exp! * 1_000 + 3_000);
  });

  test('a hello on a line that is logged in renews with a valid token of the same user only', async () => {
    const ann = newUid('ann');
    const line = await comes(1, of(ann));
    const wrong = [
      { token: of(newUid('bea')) },
      { token: of(ann, { exp: inAnHour() - 7_200 }) },
      { token: token({ sub: ann }, SECRET) },
      { uid: ann },
      {},
    ];
    for (const hello of wrong) {
      expect(await line.request({ type: 'hello', ...hello })).toMatchObject({ type: 'error', code: 'bad_request' });
      await line.settles();
    }
    expect(line.isOpen).toBe(true);
  });

  test('nobody waits in a poll longer than their token lasts', async () => {
    const jwt = await issued(newUid('ann'), 1);
    const began = Date.now();
    expect(await t.asks(1, '/v1/messages?wait=60', { token: jwt })).toMatchObject({
      status: 200,
      body: { messages: [] },
    });
    expect(Date.now() - began).toBeLessThan(10_000);
  });

  test('people talk as in open mode, each only as who their token says', async () => {
    const [ann, bea, eve] = [newUid('ann'), newUid('bea'), newUid('eve')];
    const annLine = await comes(1, of(ann));
    const beaLine = await comes(2, of(bea), { device: 'phone' });
    const sent = await annLine.request({ receiver: bea, sender: eve, data: 'hi bea' });
    const heard = await beaLine.firstOf('message');
    expect(heard).toMatchObject({ sender: ann, receiver: bea, data: 'hi bea', seq: sent.seq });
    const asEve = `uid=${bea}&device=default&wait=0`;
    const poll = await t.asks<Poll>(1, `/v1/messages?${asEve}`, { token: of(eve) });
    expect(poll.body.messages).toEqual([]);
    const path = `/v1/conversations/${encodeURIComponent(sent.conv!)}/messages`;
    expect([403, 404]).toContain((await t.asks(2, `${path}?uid=${bea}`, { token: of(eve) })).status);
    expect((await t.asks<Frame>(2, path, { token: of(bea) })).body.messages).toEqual([heard]);
    const posted = await t.asks<Frame>(2, '/v1/messages', { body: { receiver: ann, data: 'hi ann' }, token: of(bea) });
    expect(posted.body).toMatchObject({ type: 'sent', conv: sent.conv });
    expect(await annLine.firstOf('message')).toMatchObject({ sender: bea, data: 'hi ann' });
    for (const request of [
      { path: '/v1/conversations' },
      { path: '/v1/presence?of=ann' },
      { path: '/v1/blocks' },
      { path: '/v1/stream' },
      { path: '/v1/rooms/den' },
      { path: `/v1/blocks/${ann}`, method: 'PUT' },
      { path: '/v1/rooms', method: 'POST', body: { room: 'den' } },
      { path: '/v1/messages', method: 'POST', body: { receiver: ann, data: 1 } },
    ]) {
      const { path: where, ...rest } = request;
      const answer = await t.asks(1, `${where}${where.includes('?') ? '&' : '?'}uid=${bea}`, rest);
      expect(answer).toMatchObject({ status: 401, body: { error: { code: 'unauthorized' } } });
    }
  });

  test('only who has the right may broadcast', async () => {
    const [ann, bea] = [newUid('ann'), newUid('bea')];
    const plain = await comes(1, of(ann));
    const chosen = await comes(2, of(bea, { broadcast: true }));
    expect(await plain.request({ type: 'send', broadcast: true, data: 'all of you!' })).toMatchObject({
      type: 'error',
      code: 'forbidden',
    });
    const body = { type: 'send', broadcast: true, data: 'all of you!' };
    const posted = await t.asks(2, '/v1/messages', { body, token: of(ann) });
    expect(posted).toMatchObject({ status: 403, body: { error: { code: 'forbidden' } } });
    await chosen.request({ type: 'send', broadcast: true, data: 'hear ye' });
    expect(await plain.firstOf('message')).toMatchObject({ broadcast: true, sender: bea, data: 'hear ye' });
  });

  test('a token that is banned by its id is out on every node within a second; other tokens of the user stay', async () => {
    const ann = newUid('ann');
    const banned = of(ann, { jti: `t-${ann}` });
    const lines = [await comes(1, banned), await comes(2, banned)];
    const other = await comes(2, of(ann, { jti: 'another' }));
    const path = `/v1/server/bans/${ann}`;
    const ban = { method: 'PUT', body: { jti: `t-${ann}` }, token: KEY };
    expect([200, 201]).toContain((await t.asks(1, path, ban)).status);
    const areClosed = (): boolean => lines.every((line) => line.closing?.code === 4403);
    await until(areClosed, () => `4403 on both: ${lines.map((line) => line.closing?.code)}`, 1_000);
    for (const node of [1, 2]) {
      const again = await opens(node, banned);
      await until(() => again.closing?.code === 4403, 'whoever comes again to be kept out', 1_000);
      expect(await t.asks(node, '/v1/messages?wait=0', { token: banned })).toMatchObject({
        status: 403,
        body: { error: { code: 'forbidden' } },
      });
    }
    const line = await Connection.open(t.node(2).wsUrl());
    line.send({ type: 'hello', token: banned });
    expect((await line.closed).code).toBe(4403);
    await other.settles();
    expect(other.isOpen).toBe(true);
    // Nor is it any good for renewing what another token opened.
    const renewing = await comes(1, of(ann, { jti: 'a third' }));
    renewing.send({ type: 'hello', token: banned });
    expect((await renewing.closed).code).toBe(4403);
    expect((await t.asks(2, path, { ...ban, method: 'DELETE' })).status).toBe(200);
    const isIn = async (): Promise<boolean> => {
      const again = await opens(1, banned);
      await until(() => again.closing || again.frames.length > 0, 'a welcome or a close');
      return again.frames.length > 0;
    };
    await until(isIn, 'it to be let in again', 2_000);
  });
});

describe('tokens in open mode', () => {
  const t = townFor({ nodes: 1, redis: false });

  test('anybody gets one, which says who they are wherever a name would', async () => {
    const uid = t.user('ann').uid;
    const answer = await t.asks<Issued>(1, '/v1/tokens', { body: { uid, ttl: 60 } });
    expect([200, 201]).toContain(answer.status);
    const jwt = answer.body.token;
    const line = await Connection.open(t.node(1).wsUrl({ token: jwt, uid: 'somebody-else' }));
    expect(await line.firstOf('welcome')).toMatchObject({ uid });
    await line.close();
    const own = await t.user('bob').says(t.user('carol'), 'not for ann');
    const path = `/v1/conversations/${encodeURIComponent(own.conv!)}/messages`;
    expect([403, 404]).toContain((await t.asks(1, path, { token: jwt })).status);
    expect((await t.asks(1, '/v1/messages?wait=0', { token: `${jwt}x` })).status).toBe(401);
  });
});
