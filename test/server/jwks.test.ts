import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Unavailable } from '../../src/chat/ports.js';
import { Jwks } from '../../src/server/jwks.js';
import { inAnHour, token } from '../support/jwt.js';
import { type Answer, Issuer, newKey, tokenBy } from './issuer.js';
import { House } from './support.js';

const MINUTE = 60_000;

let issuer: Issuer;
let house: House | undefined;
beforeEach(async () => {
  issuer = await new Issuer().opens();
});
afterEach(async () => {
  await house?.closes();
  house = undefined;
  await issuer.closes();
});

async function node(): Promise<House> {
  house = await new House(() => ({ SKEIN_AUTH: 'jwt', SKEIN_JWT_JWKS_URL: issuer.url })).opens();
  return house;
}

describe('a node whose issuer publishes its keys', () => {
  test('lets in who has a token of one of them, and nobody else', async () => {
    const [one, other] = [newKey('one'), newKey('other')];
    issuer.publishes(one, other);
    const h = await node();
    expect(await h.status(await tokenBy(one))).toBe(200);
    expect(await h.status(await tokenBy(other))).toBe(200);
    expect(await h.status(await tokenBy(newKey('one')))).toBe(401);
    expect(await h.status(await tokenBy(one, { kid: 'other' }))).toBe(401);
    expect(await h.status(await tokenBy(one, {}))).toBe(401);
    expect(await h.status(token({ sub: 'ann', exp: inAnHour() }, JSON.stringify(one.jwk)))).toBe(401);
    expect(await h.status('nonsense')).toBe(401);
  });

  test('needs no kid where there is one key', async () => {
    const only = newKey('only');
    issuer.publishes(only);
    expect(await (await node()).status(await tokenBy(only, {}))).toBe(200);
  });

  test('takes no key from what a token says', async () => {
    const [theirs, own] = [newKey('theirs'), newKey('own')];
    issuer.publishes(theirs);
    const h = await node();
    const elsewhere = await new Issuer().opens();
    elsewhere.publishes(own);
    expect(await h.status(await tokenBy(own, { kid: 'own', jku: elsewhere.url }))).toBe(401);
    expect(await h.status(await tokenBy(theirs, { kid: 'theirs', jku: elsewhere.url }))).toBe(401);
    expect(elsewhere.fetches).toBe(0);
    await elsewhere.closes();
  });

  test('follows a rotation without a restart, and lets go of what is withdrawn', async () => {
    const [old, young] = [newKey('old'), newKey('young')];
    issuer.publishes(old);
    const h = await node();
    expect(await h.status(await tokenBy(old))).toBe(200);
    issuer.publishes(young);
    expect(await h.status(await tokenBy(young))).toBe(200);
    expect(await h.status(await tokenBy(old))).toBe(401);
  });

  test('asks the issuer seldom, however many tokens name keys that are not there', async () => {
    const known = newKey('known');
    issuer.publishes(known);
    const h = await node();
    const strangers = await Promise.all(Array.from({ length: 200 }, (_, i) => tokenBy(newKey(`k${i}`))));
    expect(new Set(await Promise.all(strangers.map((jwt) => h.status(jwt))))).toEqual(new Set([401]));
    for (const jwt of strangers.slice(0, 20)) expect(await h.status(jwt)).toBe(401);
    expect(issuer.fetches).toBeLessThanOrEqual(6);
    expect(await h.status(await tokenBy(known))).toBe(200);
  });

  test('answers within three seconds while the issuer does not answer, without a crowd at its door', async () => {
    issuer.answer = 'nothing';
    const h = await node();
    const jwt = await tokenBy(newKey('any'));
    const start = performance.now();
    const answers = await Promise.all(Array.from({ length: 50 }, () => h.status(jwt)));
    expect(performance.now() - start).toBeLessThan(3_000);
    expect(new Set(answers)).toEqual(new Set([503]));
    expect(issuer.fetches).toBe(1);
    expect(h.logged.filter((line) => line.includes('no keys from'))).toHaveLength(1);
  });

  test('lets people in as soon as the issuer is there', async () => {
    const key = newKey('key');
    issuer.answer = { status: 503, body: '' };
    const h = await node();
    expect(await h.outcome('/v1/blocks', { token: await tokenBy(key) })).toEqual([503, 'unavailable']);
    issuer.publishes(key);
    await expect.poll(async () => h.status(await tokenBy(key)), { timeout: 10_000 }).toBe(200);
  });

  test('tells who comes meanwhile to come back, by an upgrade and by a hello', async () => {
    issuer.answer = { status: 503, body: '' };
    const h = await node();
    const jwt = await tokenBy(newKey('key'));
    await expect(h.opensLine({ token: jwt })).rejects.toMatchObject({ status: 503 });
    const line = await h.opensLine({});
    line.send({ type: 'hello', token: jwt });
    expect((await line.closed).code).toBe(1013);
    expect(await h.status('nonsense')).toBe(401);
  });

  test.each<[string, Answer]>([
    ['is not JSON', { status: 200, body: '<html>' }],
    ['holds no set', { status: 200, body: '{"keys":{}}' }],
    ['has no end', { status: 200, body: `{"keys":["${'x'.repeat(1_000_000)}"]}` }],
    ['is an error', { status: 500, body: JSON.stringify({ keys: [newKey('key').jwk] }) }],
    ['sends elsewhere', { status: 302, body: '', location: '/jwks' }],
  ])('lets nobody in, and goes on, where what is published %s', async (_what, answer) => {
    issuer.answer = answer;
    const h = await node();
    expect(await h.status(await tokenBy(newKey('key')))).toBe(503);
    expect(h.logged.filter((line) => line.includes('no keys from'))).toHaveLength(1);
  });

  test('passes over keys that are not for this', async () => {
    const good = newKey('good');
    const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });
    const wrapped = newKey('wrapped');
    issuer.publishes(
      'not a key',
      { kty: 'oct', k: Buffer.from('x'.repeat(32)).toString('base64url'), kid: 'good' },
      { ...rsa, kid: 'good' },
      { kty: 'EC', kid: 'good' },
      { ...wrapped.jwk, use: 'enc' },
      good,
    );
    const h = await node();
    expect(await h.status(await tokenBy(good))).toBe(200);
    expect(await h.status(await tokenBy(wrapped))).toBe(401);
    expect(await h.status(token({ sub: 'ann', exp: inAnHour() }, 'x'.repeat(32), { alg: 'HS256', kid: 'good' }))).toBe(
      401,
    );
  });
});

describe('a published set of keys', () => {
  const key = newKey('key');
  let now = 0;
  const faults: unknown[] = [];
  beforeEach(() => {
    now = 0;
    faults.length = 0;
    issuer.publishes(key);
  });
  const jwks = () => new Jwks({ url: new URL(issuer.url), fault: (error) => faults.push(error), now: () => now });
  const isKey = (found: KeyObject | undefined): boolean => found?.type === 'public';

  test('is fetched once, and again after a while, while the known keys go on working', async () => {
    const set = jwks();
    for (let i = 0; i < 10; i++) expect(isKey(await set.find('ES256', 'key'))).toBe(true);
    expect(issuer.fetches).toBe(1);
    now += 6 * MINUTE;
    issuer.answer = 'nothing';
    expect(isKey(await set.find('ES256', 'key'))).toBe(true);
    await expect.poll(() => issuer.fetches).toBe(2);
  });

  test('outlives an outage of its issuer, but not a long one', async () => {
    const set = jwks();
    await set.find('ES256', 'key');
    issuer.answer = { status: 500, body: '' };
    now += 30 * MINUTE;
    expect(isKey(await set.find('ES256', 'key'))).toBe(true);
    await expect.poll(() => faults.length).toBe(1);
    now += 31 * MINUTE;
    await expect(set.find('ES256', 'key')).rejects.toBeInstanceOf(Unavailable);
    issuer.publishes(key);
    expect(isKey(await set.find('ES256', 'key'))).toBe(true);
  });

  test('gives a key for its own algorithm only', async () => {
    const set = jwks();
    for (const alg of ['HS256', 'RS256', 'EdDSA', 'none', '']) expect(await set.find(alg, 'key')).toBeUndefined();
  });
});
