import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { freePort } from '../../loadtest/rig/programs.js';
import { Authority, filesOf } from '../support/certificates.js';
import { Connection } from '../support/client.js';
import { type Environment, type NodeProcess, runToExit, startNode } from '../support/process.js';
import { RedisServer } from '../support/redis.js';
import { until } from '../support/until.js';

const authority = new Authority();
const own = authority.issues();
const past = new Date(Date.now() - 86_400_000);
const old = authority.issues({ from: new Date(0), until: past });
const { paths, remove } = filesOf({
  ca: authority.cert,
  cert: own.cert,
  key: own.key,
  oldCert: old.cert,
  oldKey: old.key,
  strangerKey: authority.issues().key,
  strangerCa: new Authority().cert,
  nonsense: 'nonsense',
});
afterAll(remove);

describe.each(['uws', 'ws'])('a node that ends TLS itself, on %s', (sockets) => {
  let node: NodeProcess | undefined;
  afterEach(async () => {
    await node?.kill('SIGKILL');
  });

  const starts = async (env: Environment = {}): Promise<NodeProcess> => {
    node = await startNode({ SKEIN_SOCKETS: sockets, SKEIN_TLS_CERT: paths.cert, SKEIN_TLS_KEY: paths.key, ...env });
    return node;
  };
  const comes = (port: number, uid: string, headers: Record<string, string> = {}): Promise<Connection> =>
    Connection.open(`wss://127.0.0.1:${port}/ws?uid=${uid}`, { ca: authority.cert, headers });
  const get = (port: number, path: string): Promise<string> =>
    new Promise((resolve, reject) => {
      request({ port, host: '127.0.0.1', path, ca: authority.cert }, (answer) => {
        let text = '';
        answer.on('data', (data) => {
          text += String(data);
        });
        answer.on('end', () => resolve(`${answer.statusCode} ${text}`));
      })
        .on('error', reject)
        .end();
    });

  test('serves the page and the messages, to its own page, too, and says so in its banner', async () => {
    const { port, program } = await starts();
    expect(await get(port, '/')).toMatch(/^200 <!doctype html>/i);
    expect(await get(port, '/v1/blocks?uid=ann')).toBe('200 {"blocks":[]}');
    const ann = await comes(port, 'ann', { origin: `https://127.0.0.1:${port}` });
    const bob = await comes(port, 'bob');
    await bob.firstOf('synced');
    expect(await ann.request({ receiver: 'bob', data: 'x'.repeat(60_000) })).toMatchObject({ type: 'sent' });
    expect((await bob.firstOf('message')).data).toHaveLength(60_000);
    expect(program.printed.join('\n')).toContain(`https://127.0.0.1:${port}/`);
    await expect(Connection.open(`ws://127.0.0.1:${port}/ws?uid=eve`)).rejects.toThrow();
    expect(await node?.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    expect([ann, bob].map(({ closing }) => closing?.code)).toEqual([1012, 1012]);
  });

  test('says at its start that its certificate has expired, and serves whoever takes it all the same', async () => {
    const { port, program } = await starts({ SKEIN_TLS_CERT: paths.oldCert, SKEIN_TLS_KEY: paths.oldKey });
    expect(program.logs.some(({ msg = '' }) => /SKEIN_TLS_CERT: expired/.test(msg))).toBe(true);
    await expect(comes(port, 'ann')).rejects.toThrow(/expired/);
    const careless = new WebSocket(`wss://127.0.0.1:${port}/ws?uid=ann`, { rejectUnauthorized: false });
    await until(() => careless.readyState === WebSocket.OPEN, 'a client who does not look');
    careless.terminate();
  });
});

describe('a node with files that are of no use does not start, and says which', () => {
  test.each([
    ['no certificate', { SKEIN_TLS_CERT: paths.nonsense, SKEIN_TLS_KEY: paths.key }, /SKEIN_TLS_CERT: no certificate/],
    ['no key', { SKEIN_TLS_CERT: paths.cert, SKEIN_TLS_KEY: paths.nonsense }, /SKEIN_TLS_KEY: not the key/],
    ['another’s key', { SKEIN_TLS_CERT: paths.cert, SKEIN_TLS_KEY: paths.strangerKey }, /SKEIN_TLS_KEY: not the key/],
    ['no file', { SKEIN_TLS_CERT: '/nowhere', SKEIN_TLS_KEY: paths.key }, /SKEIN_TLS_CERT: the file cannot be read/],
    ['only one of them', { SKEIN_TLS_CERT: paths.cert }, /SKEIN_TLS_CERT and SKEIN_TLS_KEY: give both/],
    [
      'no authority',
      { REDIS_URL: 'rediss://localhost', SKEIN_REDIS_CA: paths.nonsense },
      /SKEIN_REDIS_CA: no certificate/,
    ],
    ['an authority for nothing', { REDIS_URL: 'redis://localhost', SKEIN_REDIS_CA: paths.ca }, /does not begin with/],
  ])('%s', async (_what, env, message) => {
    const { code, printed } = await runToExit(env);
    expect(code).toBe(1);
    expect(printed).toMatch(message);
    expect(printed).toMatch(/^error: SKEIN_/m);
    expect(printed).not.toContain(readFileSync(paths.key, 'utf8').slice(40, 80));
  });
});

describe('Redis over TLS, by user and password', () => {
  let redis: RedisServer | undefined;
  const nodes: NodeProcess[] = [];
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map((node) => node.kill('SIGKILL')));
    await redis?.stop();
  });

  async function rediss(): Promise<(login: string) => string> {
    const port = await freePort();
    const files = { 'tls-cert-file': paths.cert, 'tls-key-file': paths.key, 'tls-ca-cert-file': paths.ca };
    const more = { 'tls-port': `${port}`, 'tls-auth-clients': 'no', ...files };
    redis = await RedisServer.start({ appendonly: 'no', more });
    await redis.ask((client) => client.call('ACL', 'SETUSER', 'skein', 'on', '>p@ss w:rd', '~*', '&*', '+@all'));
    return (login) => `rediss://${login}@127.0.0.1:${port}`;
  }

  test('carries messages between nodes that trust its authority', async () => {
    const urlFor = await rediss();
    const env = { REDIS_URL: urlFor('skein:p%40ss%20w%3Ard'), SKEIN_REDIS_CA: paths.ca };
    nodes.push(await startNode(env), await startNode(env));
    const [ann, bob] = await Promise.all(['ann', 'bob'].map((uid, i) => Connection.open(nodes[i]!.wsUrl({ uid }))));
    await bob!.firstOf('synced');
    expect(await ann!.request({ receiver: 'bob', data: 'in secret' })).toMatchObject({ type: 'sent' });
    expect((await bob!.firstOf('message')).data).toBe('in secret');
  });

  test('is not used where its authority is unknown or the password wrong, and neither is told', async () => {
    const urlFor = await rediss();
    const login = 'skein:p%40ss%20w%3Ard';
    const strange = await runToExit({ REDIS_URL: urlFor(login), SKEIN_REDIS_CA: paths.strangerCa });
    const wrong = await runToExit({ REDIS_URL: urlFor('skein:guessed'), SKEIN_REDIS_CA: paths.ca });
    expect([strange.code, wrong.code]).toEqual([1, 1]);
    expect(strange.printed).toMatch(/unable to verify|self-signed/);
    expect(wrong.printed).toMatch(/WRONGPASS/);
    expect(strange.printed + wrong.printed).not.toMatch(/p%40ss|p@ss|guessed/);
  });
});
