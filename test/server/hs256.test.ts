import { createSecretKey, generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { verifiedAtOnce } from '../../src/server/hs256.js';
import { createIdentify } from '../../src/server/tokens.js';
import { inAnHour, token, unsigned } from '../support/jwt.js';

const SECRET = 'a secret that is long enough for anybody, and then some';
const key = createSecretKey(SECRET, 'utf8');
const good = { sub: 'ann', exp: inAnHour() };
const verified = (jwt: string) => verifiedAtOnce(jwt, () => key);

const identify = createIdentify({
  mode: 'jwt',
  findKey: (alg) => (alg === 'HS256' ? key : undefined),
  issuer: undefined,
  audience: undefined,
  ownKey: () => 'another secret, which only the nodes share',
});

test('a token of the plain form is proved in the turn in which it comes', () => {
  expect(identify({ token: token(good, SECRET) })).toMatchObject({ uid: 'ann' });
  expect(identify({ token: token(good, SECRET, { alg: 'HS256', kid: 'any' }) })).toMatchObject({ uid: 'ann' });
});

test('what has another header is proved later, and by the same rules', async () => {
  const odd = identify({ token: token(good, SECRET, { alg: 'HS256', cty: 'text' }) });
  expect(odd).toBeInstanceOf(Promise);
  expect(await odd).toMatchObject({ uid: 'ann' });
  for (const header of [
    { alg: 'HS256', crit: ['b64'], b64: false },
    { alg: 'HS256', jwk: { kty: 'oct', k: 'eA' } },
  ])
    expect(await identify({ token: token(good, SECRET, header) })).toBeUndefined();
});

const [head, body, signature] = token(good, SECRET).split('.') as [string, string, string];
const forged = Buffer.from(JSON.stringify({ ...good, sub: 'bob' })).toString('base64url');
test.each([
  ['another secret', token(good, `${SECRET}!`)],
  ['the secret of the nodes under another kid', token(good, 'another secret, which only the nodes share')],
  ['the kid of the nodes and the secret of the issuer', token(good, SECRET, { alg: 'HS256', kid: 'skein' })],
  ['no signature', unsigned(good)],
  ['an empty signature', `${head}.${body}.`],
  ['other claims under the same signature', `${head}.${forged}.${signature}`],
  ['a signature cut short', `${head}.${body}.${signature.slice(0, -1)}`],
  ['a part too many', `${head}.${body}.${signature}.${signature}`],
  ['no end', token({ sub: 'ann' }, SECRET)],
  ['an end in words', token({ sub: 'ann', exp: 'never' as unknown as number }, SECRET)],
  ['an end that is past', token({ ...good, exp: inAnHour() - 7_200 }, SECRET)],
  ['a beginning that is ahead', token({ ...good, nbf: inAnHour() }, SECRET)],
  ['nobody', token({ exp: inAnHour() }, SECRET)],
  ['claims that are a list', token([] as unknown as typeof good, SECRET)],
  ['another algorithm in the header', token(good, SECRET, { alg: 'HS512' })],
])('a token with %s proves nothing', async (_, jwt) => {
  expect(await identify({ token: jwt })).toBeUndefined();
});

test('a public key is no secret', () => {
  const { publicKey } = generateKeyPairSync('ed25519');
  expect(verifiedAtOnce(token(good, 'anything'), () => publicKey)).toBeUndefined();
  expect(verified(token(good, SECRET))?.payload).toEqual(good);
});
