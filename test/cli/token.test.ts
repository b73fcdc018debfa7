import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { startNode } from '../support/process.js';
import { townFor } from '../support/town.js';
import { run } from './command.js';

const SECRET = 'a secret that is long enough for anybody, and then some';
const KEY = 'the-key-of-the-server-which-nobody-else-has';
const folder = mkdtempSync(join(tmpdir(), 'skein-token-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const file = (name: string, text: string | Buffer): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const partOf = (jwt: string, index: number): Record<string, unknown> =>
  JSON.parse(Buffer.from(jwt.split('.')[index] ?? '', 'base64url').toString()) as Record<string, unknown>;

describe('where tokens are asked for', () => {
  const t = townFor({
    nodes: 1,
    redis: false,
    env: { SKEIN_AUTH: 'jwt', SKEIN_JWT_SECRET: SECRET, SKEIN_SERVER_KEY: KEY },
  });
  const url = (): string => t.node(1).url;
  const sends = (token: string, ...words: readonly string[]) =>
    run(['send', '--url', url(), '--to', 'b', ...words, 'hi'], { SKEIN_TOKEN: token });

  test('one that was signed here with the secret is good, from a variable or a file', async () => {
    const here = await run(['token', 'ann'], { SKEIN_JWT_SECRET: SECRET });
    expect(here).toMatchObject({ code: 0, err: '' });
    expect((await sends(here.out.trim())).code).toBe(0);
    const path = file('secret', `${SECRET}\n`);
    const filed = await run(['token', '--uid', 'ann', '--secret-file', path, '--ttl', '15m', '--json']);
    const { token, expires, uid } = JSON.parse(filed.out) as { token: string; expires: number; uid: string };
    expect(uid).toBe('ann');
    expect(Math.abs(expires - Date.now() - 900_000)).toBeLessThan(10_000);
    expect((await sends(token)).code).toBe(0);
    const tokenFile = file('token', `${token}\n`);
    expect((await run(['send', '--url', url(), '--token-file', tokenFile, '--to', 'b', 'hi'])).code).toBe(0);
  });

  test('only one with the right may write to everybody', async () => {
    const tokenWith = async (...words: readonly string[]) =>
      (await run(['token', 'ann', ...words], { SKEIN_JWT_SECRET: SECRET })).out.trim();
    const all = async (token: string) => run(['send', '--url', url(), '--all', 'hi'], { SKEIN_TOKEN: token });
    expect(await all(await tokenWith())).toMatchObject({ code: 1, err: expect.stringContaining('error: forbidden') });
    expect((await all(await tokenWith('--broadcast'))).code).toBe(0);
  });

  test('the server gives one to who has its key, and to nobody else', async () => {
    const given = await run(['token', 'ann'], { SKEIN_URL: url(), SKEIN_SERVER_KEY: KEY });
    expect((await sends(given.out.trim())).code).toBe(0);
    const refused = await run(['token', 'ann'], { SKEIN_URL: url() });
    expect(refused).toMatchObject({ code: 1, out: '', err: expect.stringContaining('SKEIN_SERVER_KEY') });
  });

  test('a wrong one is refused at every door, with the code’s name', async () => {
    const { out } = await run(['token', 'ann'], { SKEIN_JWT_SECRET: SECRET.toUpperCase() });
    const env = { SKEIN_TOKEN: out.trim(), SKEIN_URL: url() };
    for (const words of [['send', '--to', 'b', 'hi'], ['tail'], ['chat', '--to', 'b']]) {
      expect(await run(words, env)).toMatchObject({ code: 1, err: expect.stringContaining('error: unauthorized: ') });
    }
    const told = await run(['doctor', '--json'], env);
    expect(told.code).toBe(1);
    expect(JSON.parse(told.out)).toMatchObject({
      ok: false,
      checks: expect.arrayContaining([expect.objectContaining({ name: 'log-in', status: 'fail' })]),
    });
  });

  test('one of somebody else is noticed before it is used', async () => {
    const { out } = await run(['token', 'ann'], { SKEIN_JWT_SECRET: SECRET });
    expect(await sends(out.trim(), '--uid', 'bob')).toMatchObject({ code: 2, err: expect.stringContaining("ann's") });
  });
});

test.each([
  ['RS256', () => generateKeyPairSync('rsa', { modulusLength: 2_048 })],
  ['ES256', () => generateKeyPairSync('ec', { namedCurve: 'P-256' })],
  ['EdDSA', () => generateKeyPairSync('ed25519')],
] as const)('a private key signs %s tokens that a node with the public one takes', async (alg, make) => {
  const { privateKey, publicKey } = make() as { readonly privateKey: KeyObject; readonly publicKey: KeyObject };
  const secret = file(`${alg}.pem`, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const known = file(`${alg}.pub`, publicKey.export({ type: 'spki', format: 'pem' }));
  const { out } = await run([
    ...['token', 'ann', '--key-file', secret, '--kid', 'k1'],
    ...['--issuer', 'https://issuer.example', '--audience', 'skein'],
  ]);
  expect(partOf(out, 0)).toEqual({ alg, typ: 'JWT', kid: 'k1' });
  expect(partOf(out, 1)).toMatchObject({ sub: 'ann', iss: 'https://issuer.example', aud: 'skein' });
  const node = await startNode({
    SKEIN_AUTH: 'jwt',
    SKEIN_JWT_KEY_FILE: known,
    SKEIN_JWT_ISSUER: 'https://issuer.example',
    SKEIN_JWT_AUDIENCE: 'skein',
  });
  const sent = await run(['send', '--to', 'b', 'hi'], { SKEIN_URL: node.url, SKEIN_TOKEN: out.trim() });
  await node.kill();
  expect(sent).toMatchObject({ code: 0, err: '' });
});

test('in open mode anybody gets one', async () => {
  const node = await startNode();
  const { code, out } = await run(['token', 'ann', '--url', node.url]);
  await node.kill();
  expect(code).toBe(0);
  expect(partOf(out, 1)).toMatchObject({ sub: 'ann' });
});

describe('is asked wrongly', () => {
  test.each([
    ['without a user', ['token'], {}],
    ['for a name out of form', ['token', 'a b'], { SKEIN_JWT_SECRET: SECRET }],
    ['with a ttl of another form', ['token', 'ann', '--ttl', 'soon'], { SKEIN_JWT_SECRET: SECRET }],
    ['with a secret that no node would take', ['token', 'ann'], { SKEIN_JWT_SECRET: 'short' }],
    ['with a file that is not there', ['token', 'ann', '--key-file', '/nonexistent'], {}],
    ['with a file that holds no key', ['token', 'ann', '--key-file', new URL(import.meta.url).pathname], {}],
    ['with claims that the server would not sign', ['token', 'ann', '--broadcast'], {}],
  ])('%s', async (_, words, env) => {
    expect(await run(words, env)).toMatchObject({ code: 2, out: '', err: expect.stringMatching(/^error: /) });
  });
});
