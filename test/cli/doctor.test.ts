import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../loadtest/rig/programs.js';
import { clockCheck } from '../../src/cli/doctor/check.js';
import { descriptorsCheck, nodeCheck } from '../../src/cli/doctor/machine.js';
import { judge } from '../../src/cli/doctor/redis.js';
import type { Examined } from '../../src/redis/examine.js';
import { type NodeProcess, startNode } from '../support/process.js';
import { RedisServer } from '../support/redis.js';
import { run } from './command.js';

type Report = {
  readonly ok: boolean;
  readonly checks: readonly {
    readonly name: string;
    readonly status: string;
    readonly found: string;
    readonly advice?: string;
  }[];
};

async function doctor(env: Readonly<Record<string, string>>) {
  const { code, out, err } = await run(['doctor', '--json'], env);
  expect(err).toBe('');
  const report = JSON.parse(out) as Report;
  const statuses = Object.fromEntries(report.checks.map(({ name, status }) => [name, status]));
  return { code, report, statuses, out };
}

describe('with a node on a Redis as it should be', () => {
  let redis: RedisServer;
  let node: NodeProcess;
  beforeAll(async () => {
    redis = await RedisServer.start({ more: { maxmemory: '100mb' } });
    node = await startNode({ REDIS_URL: redis.url });
  });
  afterAll(async () => {
    await node.kill();
    await redis.stop();
  });

  test('all is well, and it says so of everything it looked at', async () => {
    const { code, report, statuses } = await doctor({ SKEIN_URL: node.url, REDIS_URL: redis.url });
    const { node: _, descriptors: __, ...elsewhere } = statuses;
    expect(elsewhere).toEqual(
      Object.fromEntries(
        [
          ...['server', 'ready', 'version', 'server clock', 'log-in', 'websocket'],
          ...['redis', 'redis version', 'redis role', 'redis clock', 'redis memory', 'redis disk'],
          ...['redis eviction', 'redis persistence', 'redis pubsub buffer', 'redis clients', 'redis timeout'],
        ].map((name) => [name, 'ok']),
      ),
    );
    expect(report.ok).toBe(true);
    expect(code).toBe(0);
  });

  test('it changes nothing', async () => {
    const keys = () => redis.ask((client) => client.keys('other*'));
    await doctor({ SKEIN_URL: node.url, REDIS_URL: redis.url, SKEIN_REDIS_PREFIX: 'other' });
    expect(await keys()).toEqual([]);
  });

  test('a person gets a line for each, and the count', async () => {
    const { code, out } = await run(['doctor', '--url', node.url, '--redis', redis.url]);
    expect(code).toBe(0);
    expect(out).toMatch(/^ok {4}server {2}/m);
    expect(out).toMatch(/\n\d+ ok, \d+ to look at, 0 to mend\n$/);
  });
});

test('a Redis that may lose messages fails, with what to do', async () => {
  const redis = await RedisServer.start({
    appendonly: 'no',
    more: { 'maxmemory-policy': 'allkeys-lru', timeout: '60' },
  });
  const { code, report, statuses } = await doctor({
    REDIS_URL: redis.url,
    SKEIN_URL: `http://127.0.0.1:${await freePort()}`,
  });
  await redis.stop();
  expect(code).toBe(1);
  expect(statuses).toMatchObject({
    server: 'fail',
    'redis eviction': 'fail',
    'redis persistence': 'warn',
    'redis memory': 'warn',
    'redis timeout': 'warn',
  });
  expect(report.checks.every(({ status, advice }) => (status === 'ok') === (advice === undefined))).toBe(true);
});

test.each([
  ['is away', () => freePort()],
  [
    'wants another password',
    async () => {
      const redis = await RedisServer.start();
      onTestFinished(() => redis.stop());
      await redis.ask((client) => client.config('SET', 'requirepass', 'open sesame'));
      return redis.port;
    },
  ],
])('a Redis that %s fails without telling any', async (_, portOf) => {
  const url = `redis://:secret-word@127.0.0.1:${await portOf()}`;
  const { code, statuses, out } = await doctor({ REDIS_URL: url, SKEIN_URL: `http://127.0.0.1:${await freePort()}` });
  expect(code).toBe(1);
  expect(statuses.redis).toBe('fail');
  expect(out).not.toMatch(/secret-word|sesame/);
});

describe('what is found', () => {
  const HEALTHY: Examined = {
    shown: 'redis:6379',
    ping: 1,
    skew: 0,
    strangeSchema: undefined,
    info: new Map([
      ['redis_version', '7.2.4'],
      ['role', 'master'],
      ['used_memory', '1000000'],
      ['maxmemory', '100000000'],
      ['connected_clients', '5'],
    ]),
    config: new Map([
      ['maxmemory-policy', 'noeviction'],
      ['appendonly', 'yes'],
      ['appendfsync', 'always'],
      ['client-output-buffer-limit', 'normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60'],
      ['maxclients', '10000'],
      ['timeout', '0'],
    ]),
  };
  const info = (name: string, value: string): Examined => ({
    ...HEALTHY,
    info: new Map([...HEALTHY.info, [name, value]]),
  });
  const config = (name: string, value: string): Examined => ({
    ...HEALTHY,
    config: new Map([...(HEALTHY.config ?? []), [name, value]]),
  });

  test('of a healthy Redis is good', () => {
    expect(judge(HEALTHY).filter(({ status }) => status !== 'ok')).toEqual([]);
  });

  test.each([
    ['too old', info('redis_version', '6.2.1'), 'redis version', 'fail'],
    ['a replica', info('role', 'slave'), 'redis role', 'fail'],
    ['a cluster', info('cluster_enabled', '1'), 'redis role', 'fail'],
    ['nearly full', info('used_memory', '90000000'), 'redis memory', 'warn'],
    ['full', info('used_memory', '100000000'), 'redis memory', 'fail'],
    ['not able to write', info('aof_last_write_status', 'err'), 'redis disk', 'fail'],
    ['loading', info('loading', '1'), 'redis disk', 'fail'],
    ['short of clients', config('maxclients', '100'), 'redis clients', 'warn'],
    ['evicting', config('maxmemory-policy', 'volatile-ttl'), 'redis eviction', 'fail'],
    ['at everysec', config('appendfsync', 'everysec'), 'redis persistence', 'warn'],
    [
      'tight with subscribers',
      config('client-output-buffer-limit', 'normal 0 0 0 pubsub 1048576 0 0'),
      'redis pubsub buffer',
      'warn',
    ],
    ['far away', { ...HEALTHY, ping: 200 }, 'redis', 'warn'],
    ['of another time', { ...HEALTHY, skew: -90_000 }, 'redis clock', 'fail'],
    ['silent about its settings', { ...HEALTHY, config: undefined }, 'redis settings', 'warn'],
    ['of another version of the data', { ...HEALTHY, strangeSchema: '9' }, 'redis data', 'fail'],
  ] as const)('of a Redis that is %s is told, and nothing else', (_, found, name, status) => {
    expect(judge(found).filter((check) => check.status !== 'ok')).toEqual([
      { name, status, found: expect.any(String), advice: expect.any(String) },
    ]);
  });

  test('of this machine is judged', () => {
    expect(['v20.18.0', 'v18.0.0', 'v20.19.0', 'v24.1.0', 'v26.0.0'].map((v) => nodeCheck(v).status)).toEqual([
      'fail',
      'fail',
      'ok',
      'ok',
      'warn',
    ]);
    expect([1_024, 65_536, undefined].map((limit) => descriptorsCheck(limit).status)).toEqual(['warn', 'ok', 'warn']);
  });

  test('of clocks leaves out what can’t be known', () => {
    expect([900, -1_400, 5_000, -90_000].map((skew) => clockCheck('clock', skew, 1_000).status)).toEqual([
      'ok',
      'ok',
      'warn',
      'fail',
    ]);
  });
});
