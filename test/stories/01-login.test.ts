import { describe, expect, test } from 'vitest';
import { Connection, UpgradeRefused } from '../support/client.js';
import { type Claims, inAnHour, token, unsigned } from '../support/jwt.js';
import { townFor } from '../support/town.js';

const SECRET = 'a secret that is long enough for anybody, and then some';

async function refusalOf(opening: Promise<Connection>): Promise<{ status: number; body: unknown }> {
  const outcome = await opening.then(
    () => new Error('the upgrade was accepted'),
    (error: Error) => error,
  );
  if (!(outcome instanceof UpgradeRefused)) throw outcome;
  return { status: outcome.status, body: JSON.parse(outcome.body) };
}

const unauthorized = { status: 401, body: { error: { code: 'unauthorized', message: expect.any(String) } } };

describe('logging in in open mode', () => {
  const t = townFor({ nodes: 1, redis: false, env: { SKEIN_ORIGINS: 'https://chat.example' } });
  const open = (query: Record<string, string> = {}, headers: Record<string, string> = {}): Promise<Connection> =>
    Connection.open(t.node(1).wsUrl(query), { headers });

  test('a hello with a uid, a device and an ack logs in', async () => {
    const line = await open();
    line.send({ type: 'hello', uid: 'helen', device: 'tablet', ack: 'manual' });
    expect(await line.firstOf('welcome')).toMatchObject({ uid: 'helen', device: 'tablet' });
    await line.firstOf('synced');
    await line.close();
  });

  test('whoever says nothing for 5 s is closed with 4401', async () => {
    const start = performance.now();
    const { code } = await (await open()).closed;
    expect(code).toBe(4401);
    expect(performance.now() - start).toBeGreaterThan(4_000);
    expect(performance.now() - start).toBeLessThan(7_000);
  });

  test.each([
    ['no name', { type: 'hello' }],
    ['a name out of form', { type: 'hello', uid: 'a:b' }],
    ['a token that is none', { type: 'hello', token: 'x.y.z' }],
    ['an empty name', { type: 'hello', uid: '' }],
    ['a name that is a number', { type: 'hello', uid: 5 }],
  ])('a hello with %s is closed with 4401 at once', async (_what, hello) => {
    const line = await open();
    const start = performance.now();
    line.send(hello);
    expect((await line.closed).code).toBe(4401);
    expect(performance.now() - start).toBeLessThan(2_000);
    expect(line.frames.map((frame) => frame.type)).not.toContain('welcome');
  });

  test('nothing can be sent before the hello', async () => {
    const bob = await t.user('bob').comesTo(1);
    const alice = await t.user('alice').comesTo(1);
    const line = await open();
    line.send({ receiver: bob.uid, data: 'from nobody' });
    await alice.says(bob, 'fence');
    await bob.hears('fence');
    expect(bob.heard()).toEqual(['fence']);
    await line.vanish();
  });

  test('a second hello with only a name is a bad request, and changes nobody', async () => {
    const alice = await t.user('alice').comesTo(1);
    expect(await alice.asks({ type: 'hello', uid: 'mallory' })).toMatchObject({ type: 'error', code: 'bad_request' });
    const bob = await t.user('bob').comesTo(1);
    await alice.says(bob, 'still me');
    expect((await bob.hears('still me')).sender).toBe(alice.uid);
  });

  test.each(['a:b', 'a b', '{p1}', 'x'.repeat(65), '\u0301a', 'a\u0000', 'a/b', '👍'])(
    'the uid %j is not let in',
    async (uid) => {
      expect((await refusalOf(open({ uid }))).status).toBe(401);
    },
  );

  test.each(['Ünal', '名前', 'a.b_c@d+e-f', '_', '9', '\ud801\udc00', 'x'.repeat(64)])(
    'the uid %j is let in',
    async (uid) => {
      const line = await open({ uid });
      expect((await line.firstOf('welcome')).uid).toBe(uid);
      await line.close();
    },
  );

  test('a name is normalised to NFC, and both spellings are one user', async () => {
    const line = await open({ uid: 'Zoe\u0308' });
    expect((await line.firstOf('welcome')).uid).toBe('Zo\u00eb');
    const alice = await t.user('alice').comesTo(1);
    alice.line.send({ receiver: 'Zoe\u0308', data: 'hello Zoë' });
    expect(await line.firstOf('message')).toMatchObject({ receiver: 'Zo\u00eb', data: 'hello Zoë' });
    await line.close();
  });

  test('an origin that is neither the own host nor configured is 403', async () => {
    const foreign = await refusalOf(open({ uid: 'eve' }, { origin: 'https://evil.example' }));
    expect(foreign).toMatchObject({ status: 403, body: { error: { code: 'forbidden' } } });
    for (const origin of [t.node(1).url, 'https://chat.example']) {
      const line = await open({ uid: 'eve' }, { origin });
      await line.firstOf('synced');
      await line.close();
    }
  });

  test('a second socket of a device stands beside the first, unless it replaces it', async () => {
    const alice = await t.user('alice').comesTo(1);
    const first = alice.line;
    await alice.comesTo(1);
    const second = alice.line;
    await first.settles();
    await alice.comesTo(1, { query: { replace: '1' } });
    expect((await first.closed).code).toBe(4409);
    expect((await second.closed).code).toBe(4409);
    await alice.line.settles();
  });
});

describe('logging in with a token', () => {
  const t = townFor({ nodes: 1, redis: false, env: { SKEIN_AUTH: 'jwt', SKEIN_JWT_SECRET: SECRET } });
  const of = (sub: unknown, claims: Claims = {}): string => token({ sub, exp: inAnHour(), ...claims }, SECRET);
  const bearer = (jwt: string, query: Record<string, string> = {}): Promise<Connection> =>
    Connection.open(t.node(1).wsUrl(query), { headers: { authorization: `Bearer ${jwt}` } });
  const query = (jwt: string): Promise<Connection> => Connection.open(t.node(1).wsUrl({ token: jwt }));

  test('a token opens the door in the header, in the query and in a hello', async () => {
    expect((await (await bearer(of('ann'))).firstOf('welcome')).uid).toBe('ann');
    expect((await (await query(of('ann'))).firstOf('welcome')).uid).toBe('ann');
    const line = await Connection.open(t.node(1).wsUrl());
    line.send({ type: 'hello', token: of('ann'), device: 'tv' });
    expect(await line.firstOf('welcome')).toMatchObject({ uid: 'ann', device: 'tv' });
  });

  test('a token wins over a uid, and a uid alone is nobody', async () => {
    expect((await (await bearer(of('ann'), { uid: 'bea' })).firstOf('welcome')).uid).toBe('ann');
    expect(await refusalOf(Connection.open(t.node(1).wsUrl({ uid: 'bea' })))).toMatchObject(unauthorized);
    expect(await refusalOf(bearer('nonsense', { uid: 'bea' }))).toMatchObject(unauthorized);
  });

  test.each<[string, () => string]>([
    ['without exp', () => token({ sub: 'ann' }, SECRET)],
    ['that ran out', () => of('ann', { exp: inAnHour() - 7_200 })],
    ['not valid yet', () => of('ann', { nbf: inAnHour() })],
    ['signed with another secret', () => token({ sub: 'ann', exp: inAnHour() }, `${SECRET}!`)],
    ['with no algorithm', () => unsigned({ sub: 'ann', exp: inAnHour() })],
    ['with an algorithm that was not agreed', () => token({ sub: 'ann', exp: inAnHour() }, SECRET, { alg: 'HS512' })],
    ['without a subject', () => token({ exp: inAnHour() }, SECRET)],
    ['whose subject is out of form', () => of('a:b')],
    ['whose subject is no string', () => of(7)],
    ['cut short', () => of('ann').slice(0, -3)],
    [
      'with a changed payload',
      () => of('ann').replace(/\.[^.]+\./, `.${Buffer.from('{"sub":"bea"}').toString('base64url')}.`),
    ],
  ])('a token %s is refused with 401 and JSON, in both places', async (_what, jwt) => {
    expect(await refusalOf(bearer(jwt()))).toEqual(unauthorized);
    expect(await refusalOf(query(jwt()))).toEqual(unauthorized);
    const line = await Connection.open(t.node(1).wsUrl());
    line.send({ type: 'hello', token: jwt() });
    expect((await line.closed).code).toBe(4401);
  });

  test('a hello with a token of the same user renews, and one of another is a bad request', async () => {
    const line = await bearer(of('ann'));
    await line.firstOf('synced');
    expect(await line.request({ type: 'hello', token: of('ann', { jti: 'second' }) })).toMatchObject({
      type: 'welcome',
      uid: 'ann',
    });
    expect(await line.request({ type: 'hello', token: of('bea') })).toMatchObject({
      type: 'error',
      code: 'bad_request',
    });
    await line.settles();
  });

  test('over HTTP only a token is somebody', async () => {
    const path = '/v1/messages?wait=0';
    expect(await t.asks(1, path, { token: of('ann') })).toMatchObject({ status: 200 });
    for (const request of [{}, { token: 'nonsense' }, { token: token({ sub: 'ann' }, SECRET) }]) {
      expect(await t.asks(1, `${path}&uid=ann`, request)).toMatchObject({ status: 401, body: unauthorized.body });
    }
  });
});
