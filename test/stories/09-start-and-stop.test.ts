import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../loadtest/rig/programs.js';
import { Connection } from '../support/client.js';
import { Crowd } from '../support/crowd.js';
import { http } from '../support/http.js';
import { Program, runToExit, startNode } from '../support/process.js';
import { type Town, town } from '../support/town.js';
import { until } from '../support/until.js';

describe('stopping', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s tells the clients to come again, and ends with exit code 0',
    async (signal) => {
      const t = await town({ nodes: 1, redis: false });
      try {
        const alice = await t.user('alice').comesTo(1);
        const start = performance.now();
        t.node(1).program.signal(signal);
        const told = await alice.line.firstOf('reconnect');
        expect(told.after).toBeGreaterThanOrEqual(0);
        expect((await alice.line.closed).code).toBe(1012);
        expect(await t.node(1).program.exited).toEqual({ code: 0, signal: null });
        // SKEIN_DRAIN_SECONDS is 2 in a town.
        expect(performance.now() - start).toBeLessThan(4_000);
      } finally {
        await t.closes();
      }
    },
  );

  test('a second signal ends it at once', async () => {
    const t = await town({ nodes: 1, redis: false, env: { SKEIN_DRAIN_SECONDS: '30' } });
    try {
      const alice = await t.user('alice').comesTo(1);
      t.node(1).program.signal('SIGTERM');
      await until(async () => (await t.asks(1, '/readyz').catch(() => ({ status: 503 }))).status === 503, 'not ready');
      expect(alice.uid).toBeTruthy();
      t.node(1).program.signal('SIGTERM');
      await until(() => !t.node(1).isAlive, 'the node to end');
    } finally {
      await t.closes();
    }
  });

  test('a node that stops answers the long poll in hand, and readyz says no', async () => {
    const t = await town({ nodes: 2, redis: true });
    try {
      const poller = t.poller(t.user('bob').uid);
      const { cursor } = await poller.polls(1);
      const waiting = poller.asks(1, { wait: '30', ack: cursor });
      await t.poller(poller.uid, 'probe').polls(1);
      t.node(1).program.signal('SIGTERM');
      const answer = await waiting;
      expect([200, 503]).toContain(answer.status);
      expect((await t.node(1).program.exited).code).toBe(0);
    } finally {
      await t.closes();
    }
  });

  test('while every node is restarted in its turn under traffic nothing is lost, doubled or reordered', async () => {
    const t = await town({ nodes: 3, redis: true, env: { SKEIN_DRAIN_SECONDS: '1' } });
    const crowd = await Crowd.in(t, { people: 6, rate: 300 });
    try {
      crowd.talks();
      for (const number of [1, 2, 3]) {
        await crowd.isTogether();
        const leaving = t.node(number).program;
        leaving.signal('SIGTERM');
        expect(await leaving.exited).toEqual({ code: 0, signal: null });
        await t.starts(number);
      }
      const account = await crowd.settles();
      expect(account).toMatchObject({ lost: 0, doubled: 0, reordered: 0, unexplained: 0, refused: 0 });
      expect(account.acked).toBeGreaterThan(300);
      expect(crowd.reconnects).toBeGreaterThanOrEqual(6);
      expect(crowd.violations).toEqual([]);
    } finally {
      await crowd.leaves();
      await t.closes();
    }
  });
});

describe.concurrent('starting', () => {
  test('a port in use ends it with an error that names the port', async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const { port } = squatter.address() as AddressInfo;
    try {
      const { code, printed } = await runToExit({ SKEIN_PORT: String(port) });
      expect(code).not.toBe(0);
      expect(printed).toContain(String(port));
    } finally {
      squatter.close();
    }
  });

  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'after %s it gets its port back at once, whoever was on it',
    async (end) => {
      const env = { SKEIN_PORT: String(await freePort()), SKEIN_DRAIN_SECONDS: '1' };
      const node = await startNode(env);
      const lines = await Promise.all(['a', 'b', 'c'].map((uid) => Connection.open(node.wsUrl({ uid }))));
      await node.kill(end);
      await Promise.all(lines.map((line) => line.closed));
      const again = await startNode(env);
      expect(again.port).toBe(node.port);
      await again.kill('SIGKILL');
    },
  );

  test('two of them never share a port', async () => {
    const env = { SKEIN_PORT: String(await freePort()) };
    const node = await startNode(env);
    const { code, printed } = await runToExit(env);
    expect([code, printed]).toEqual([1, expect.stringContaining(env.SKEIN_PORT)]);
    await node.kill('SIGKILL');
  });

  test('wrong settings stop it with every error at once', async () => {
    const wrong = {
      SKEIN_PORT: 'high',
      SKEIN_RATE: '-1',
      SKEIN_AUTH: 'maybe',
      SKEIN_DEDUP_SECONDS: '1e99',
      SKEIN_LOG_LEVEL: 'loud',
      REDIS_URL: 'http://nowhere',
    };
    const { code, printed } = await runToExit(wrong);
    expect(code).not.toBe(0);
    for (const name of Object.keys(wrong)) expect(printed).toContain(name);
  });

  test('jwt without a secret is a wrong setting', async () => {
    const { code, printed } = await runToExit({ SKEIN_AUTH: 'jwt' });
    expect(code).not.toBe(0);
    expect(printed).toContain('SKEIN_JWT_SECRET');
  });

  test('open mode on an address that others reach needs a word that it is meant', async () => {
    const { code, printed } = await runToExit({ SKEIN_HOST: '0.0.0.0' });
    expect(code).not.toBe(0);
    expect(printed).toContain('SKEIN_ALLOW_OPEN');
    const meant = await startNode({ SKEIN_HOST: '0.0.0.0', SKEIN_ALLOW_OPEN: '1' });
    await meant.kill('SIGKILL');
  });

  test('an unknown setting is reported and stops nothing', async () => {
    const node = await startNode({ SKEIN_PROT: '9527' });
    expect(node.program.printed.join('\n')).toContain('SKEIN_PROT');
    await node.kill('SIGKILL');
  });

  test('without Redis it says that it is one node and keeps nothing', async () => {
    const node = await startNode();
    const printed = node.program.printed.join('\n');
    expect(printed).toMatch(/one node/i);
    expect(printed).toMatch(/keeps? nothing/i);
    expect(printed).toMatch(/wscat/);
    await node.kill('SIGKILL');
  });

  test('a Redis that nobody reaches does not make it ready', async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const { port } = squatter.address() as AddressInfo;
    squatter.close();
    await once(squatter, 'close');
    const program = new Program({
      SKEIN_PORT: '0',
      SKEIN_METRICS_PORT: '0',
      REDIS_URL: `redis://127.0.0.1:${port}`,
    });
    const isRefused = async (): Promise<boolean> => {
      if (!program.isAlive) return (await program.exited).code !== 0;
      const listening = program.logs.find((line) => line.msg === 'listening');
      return listening !== undefined && (await http(`http://127.0.0.1:${listening.port}/readyz`)).status === 503;
    };
    try {
      await until(isRefused, () => `a refusal; it printed ${program.printed.join('\n')}`, 45_000);
    } finally {
      program.signal('SIGKILL');
    }
  });
});

describe('two towns on one Redis', () => {
  let t: Town;
  let other: Town;
  beforeAll(async () => {
    t = await town({ nodes: 1, redis: true });
    other = await town({ nodes: 1, redis: t.redis, env: { SKEIN_REDIS_PREFIX: 'other' } });
  });
  afterAll(async () => {
    await other.closes();
    await t.closes();
  });

  test('with a prefix each they know nothing of each other', async () => {
    const alice = await t.user('alice').comesTo(1);
    const here = await t.user('twin').comesTo(1);
    const twin = other.user('x');
    expect(here.uid).not.toBe(twin.uid);
    await alice.saysAll(here, ['one', 'two']);
    const same = await other.poller(here.uid).polls(1);
    expect(same.messages).toEqual([]);
    await here.hears('two');
  });
});
