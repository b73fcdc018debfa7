import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type JWTHeaderParameters, SignJWT } from 'jose';
import { afterAll, describe, expect, test } from 'vitest';
import { inAnHour, token, unsigned } from '../support/jwt.js';
import { House, house, SERVER_KEY } from './support.js';

const directory = mkdtempSync(join(tmpdir(), 'skein-tokens-'));
afterAll(() => rmSync(directory, { recursive: true }));

const SECRET = 'a secret that is long enough for anybody, and then some';
const PAIRS = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  EdDSA: generateKeyPairSync('ed25519'),
} as const;
type Algorithm = keyof typeof PAIRS;

const pemOf = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();

function fileOf(name: string, pem: string): string {
  const path = join(directory, name);
  writeFileSync(path, pem);
  return path;
}

function signed(key: KeyObject, header: JWTHeaderParameters, claims: Record<string, unknown> = {}): Promise<string> {
  return new SignJWT({ sub: 'ann', exp: inAnHour(), ...claims }).setProtectedHeader(header).sign(key);
}

describe.each(Object.keys(PAIRS) as Algorithm[])('with a %s key in a file', (alg) => {
  const { publicKey, privateKey } = PAIRS[alg];
  const h = house(() => ({ SKEIN_AUTH: 'jwt', SKEIN_JWT_KEY_FILE: fileOf(alg, pemOf(publicKey)) }));

  test('a token signed with it opens the door, on a WebSocket, too', async () => {
    const jwt = await signed(privateKey, { alg });
    expect(await h.status(jwt)).toBe(200);
    expect((await (await h.connects({ token: jwt })).firstOf('welcome')).uid).toBe('ann');
    expect(await h.status(await signed(privateKey, { alg, kid: 'whatever the issuer calls it' }))).toBe(200);
  });

  test('no other key and no other algorithm does', async () => {
    for (const [other, pair] of Object.entries(PAIRS)) {
      if (other !== alg) expect(await h.status(await signed(pair.privateKey, { alg: other }))).toBe(401);
    }
    const stranger =
      alg === 'RS256'
        ? generateKeyPairSync('rsa', { modulusLength: 2048 })
        : alg === 'ES256'
          ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
          : generateKeyPairSync('ed25519');
    expect(await h.status(await signed(stranger.privateKey, { alg }))).toBe(401);
    expect(await h.status(unsigned({ sub: 'ann', exp: inAnHour() }))).toBe(401);
  });

  test('the public key is no secret to sign with', async () => {
    const claims = { sub: 'ann', exp: inAnHour() };
    const pem = pemOf(publicKey);
    for (const secret of [pem, pem.trimEnd(), '']) {
      expect(await h.status(token(claims, secret))).toBe(401);
      expect(await h.status(token(claims, secret, { alg: 'HS256', kid: 'skein' }))).toBe(401);
      expect(await h.status(token(claims, secret, { alg, typ: 'JWT' }))).toBe(401);
    }
  });

  test('a token that brings a key, or says where one is, is refused', async () => {
    const { publicKey: theirs, privateKey: own } = generateKeyPairSync('ed25519');
    const jwk = theirs.export({ format: 'jwk' });
    expect(await h.status(await signed(own, { alg: 'EdDSA', jwk: { kty: 'OKP', ...jwk } }))).toBe(401);
    for (const header of [{ jwk: { kty: 'OKP', ...jwk } }, { jku: 'https://keys.example' }, { x5u: 'https://x' }]) {
      expect(await h.status(await signed(privateKey, { alg, ...header }))).toBe(401);
    }
    expect(await h.status(await signed(privateKey, { alg, x5c: ['MA=='] }))).toBe(401);
    expect(await h.status(await signed(privateKey, { alg, kid: 'skein' }))).toBe(401);
  });
});

describe('a key file', () => {
  const starts = (path: string) =>
    new House(() => ({ SKEIN_AUTH: 'jwt', SKEIN_JWT_KEY_FILE: path })).opens().then(
      (open) => open.closes().then(() => 'started'),
      (error: Error) => error.message,
    );

  test('that is missing, or holds no key, stops the start with words for the operator', async () => {
    expect(await starts(join(directory, 'nowhere'))).toMatch(/^SKEIN_JWT_KEY_FILE: .*ENOENT/);
    expect(await starts(fileOf('empty', ''))).toMatch(/^SKEIN_JWT_KEY_FILE: no public key/);
  });

  test('that holds a private key is refused, and not quoted', async () => {
    const pem = PAIRS.ES256.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const message = await starts(fileOf('private', pem));
    expect(message).toBe('SKEIN_JWT_KEY_FILE: a private key; give the public one');
    expect(createPrivateKey(pem).type).toBe('private');
  });

  test.each([
    ['short RSA', generateKeyPairSync('rsa', { modulusLength: 1024 })],
    ['another curve', generateKeyPairSync('ec', { namedCurve: 'P-384' })],
    ['X25519', generateKeyPairSync('x25519')],
  ])('of %s is refused', async (name, { publicKey }) => {
    expect(await starts(fileOf(name.replace(' ', '-'), pemOf(publicKey)))).toMatch(/must be RSA of 2048 bits/);
  });
});

describe('with a secret', () => {
  const issuer = 'https://issuer.example';
  const h = house(() => ({
    SKEIN_AUTH: 'jwt',
    SKEIN_JWT_SECRET: SECRET,
    SKEIN_JWT_ISSUER: issuer,
    SKEIN_JWT_AUDIENCE: 'chat',
  }));
  const of = (claims: Record<string, unknown> = {}, header?: object): string =>
    token({ sub: 'ann', exp: inAnHour(), iss: issuer, aud: 'chat', ...claims }, SECRET, header);
  const soon = () => inAnHour() - 3_000;

  test.each<[string, Record<string, unknown>]>([
    ['of another issuer', { iss: 'https://other.example' }],
    ['without an issuer', { iss: undefined }],
    ['for another audience', { aud: 'mail' }],
    ['for several others', { aud: ['mail', 'chats'] }],
    ['without an audience', { aud: undefined }],
    ['without exp', { exp: undefined }],
    ['whose exp is text', { exp: `${inAnHour()}` }],
    ['that ran out', { exp: inAnHour() - 7_200 }],
    ['not valid yet', { nbf: inAnHour() }],
    ['made in the future', { iat: soon() }],
    ['made at no time', { iat: 'now' }],
    ['whose id is a number', { jti: 7 }],
    ['of nobody', { sub: undefined }],
    ['of an empty name', { sub: '' }],
    ['whose subject is a list', { sub: ['ann'] }],
    ['whose subject is out of form', { sub: 'ann smith' }],
  ])('a token %s is refused', async (_what, claims) => {
    expect(await h.status(of())).toBe(200);
    expect(await h.status(of(claims))).toBe(401);
  });

  test('one of several audiences will do, and so will any kid', async () => {
    expect(await h.status(of({ aud: ['mail', 'chat'] }))).toBe(200);
    expect(await h.status(of({}, { alg: 'HS256', kid: 'k1' }))).toBe(200);
  });

  test.each([
    ['a critical extension', { alg: 'HS256', crit: ['b64'], b64: false }],
    ['an unknown one', { alg: 'HS256', crit: ['x'], x: 1 }],
    ['a kid that is a number', { alg: 'HS256', kid: 5 }],
    ['no algorithm', { typ: 'JWT' }],
    ['a longer hash', { alg: 'HS512' }],
    ['its own kid', { alg: 'HS256', kid: 'skein' }],
  ])('a header with %s is refused', async (_what, header) => {
    expect(await h.status(of({}, header))).toBe(401);
  });

  test.each(['', '.', '..', 'a.b', 'a.b.c', 'e30.e30.e30', `${'x'.repeat(2_000)}.y.z`])(
    'what is no token is refused: %.20s',
    async (text) => {
      expect(await h.outcome(`/v1/messages?wait=0&token=${text}`)).toEqual([401, 'unauthorized']);
    },
  );

  test('only who has the right may broadcast', async () => {
    const says = (jwt: string) => h.outcome('/v1/messages', { token: jwt, body: { broadcast: true, data: 'all' } });
    expect(await says(of())).toEqual([403, 'forbidden']);
    expect(await says(of({ broadcast: 'true', admin: 1 }))).toEqual([403, 'forbidden']);
    expect(await says(of({ broadcast: true }))).toEqual([200]);
    expect(await says(of({ admin: true }))).toEqual([200]);
  });

  test('a token is issued to the server key only, and is bound to no issuer', async () => {
    const body = { uid: 'ben' };
    expect(await h.outcome('/v1/tokens', { body })).toEqual([401, 'unauthorized']);
    expect(await h.outcome('/v1/tokens', { body, token: 'nonsense' })).toEqual([401, 'unauthorized']);
    expect(await h.outcome('/v1/tokens', { body, token: of() })).toEqual([403, 'forbidden']);
    expect(await h.outcome('/v1/tokens?uid=ben', { body })).toEqual([401, 'unauthorized']);
    const { status, body: issued } = await h.asks<Issued>('/v1/tokens', { body, token: SERVER_KEY });
    expect(status).toBe(201);
    expect((await (await h.connects({ token: issued.token })).firstOf('welcome')).uid).toBe('ben');
    const broadcast = { token: issued.token, body: { broadcast: true, data: 1 } };
    expect(await h.outcome('/v1/messages', broadcast)).toEqual([403, 'forbidden']);
  });
});

type Issued = { readonly token: string; readonly expires: number };

const claimsOf = (jwt: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString());

describe('POST /v1/tokens in open mode', () => {
  const h = house();

  test('gives anybody a token that says who they are, for an hour', async () => {
    const { status, body } = await h.asks<Issued>('/v1/tokens', { body: { uid: 'Zoe\u0308', also: 'ignored' } });
    expect(status).toBe(201);
    expect(Object.keys(body).sort()).toEqual(['expires', 'token']);
    const claims = claimsOf(body.token);
    expect(claims).toMatchObject({ sub: 'Zo\u00eb', exp: body.expires / 1000, jti: expect.any(String) });
    expect(JSON.parse(Buffer.from(body.token.split('.')[0] ?? '', 'base64url').toString())).toMatchObject({
      alg: 'HS256',
      kid: 'skein',
    });
    expect(Math.abs(body.expires - Date.now() - 3_600_000)).toBeLessThan(2_000);
    expect((await (await h.connects({ token: body.token })).firstOf('welcome')).uid).toBe('Zo\u00eb');
  });

  test('gives each token an id of its own, and the time that is asked for', async () => {
    const ask = async (ttl: number) =>
      (await h.asks<Issued>('/v1/tokens', { body: { uid: 'ann', ttl }, token: SERVER_KEY })).body;
    const [one, other] = [await ask(1), await ask(2_592_000)];
    expect(claimsOf(one.token).jti).not.toBe(claimsOf(other.token).jti);
    expect(other.expires - Date.now()).toBeGreaterThan(2_591_000_000);
    expect(await h.status(one.token)).toBe(200);
    await expect.poll(() => h.status(one.token), { timeout: 5_000 }).toBe(401);
  });

  test.each<[string, unknown]>([
    ['no body', ''],
    ['no JSON', '{'],
    ['a list', []],
    ['no name', {}],
    ['a name out of form', { uid: 'a:b' }],
    ['a name that is a number', { uid: 5 }],
    ['no time at all', { uid: 'ann', ttl: 0 }],
    ['half a second', { uid: 'ann', ttl: 0.5 }],
    ['too long a time', { uid: 'ann', ttl: 2_592_001 }],
    ['a time that is text', { uid: 'ann', ttl: '60' }],
    ['null', { uid: 'ann', ttl: null }],
  ])('refuses %s', async (_what, body) => {
    expect(await h.outcome('/v1/tokens', { body })).toEqual([400, 'bad_request']);
  });

  test('refuses whoever shows a token that is none', async () => {
    expect(await h.outcome('/v1/tokens', { body: { uid: 'ann' }, token: 'nonsense' })).toEqual([401, 'unauthorized']);
  });
});
