import { describe, expect, onTestFinished, test } from 'vitest';
import { TcpProxy } from '../../loadtest/chaos/tcp-proxy.js';
import type { Frame } from '../support/frame.js';
import type { Person } from '../support/person.js';
import type { RedisServer } from '../support/redis.js';
import { type Town, town } from '../support/town.js';
import { until } from '../support/until.js';

const RED_MS = 5_000;
const ANSWERED_MS = 2_000;
/** Longer than a lease, which is 9 s; `TEST_OUTAGE=30` for half a minute. */
const OUTAGE_MS = Number(process.env.TEST_OUTAGE ?? 11) * 1_000;

type Scene = { readonly t: Town; readonly proxy: TcpProxy; readonly alice: Person; readonly bob: Person };

/** Alice on node 1, whose Redis is behind a proxy, and bob on node 2. */
async function scene(atEnd: (work: () => Promise<void>) => void = onTestFinished): Promise<Scene> {
  const proxies: TcpProxy[] = [];
  const t = await town({
    nodes: 2,
    redis: true,
    through: async (redis, node) => {
      if (node !== 1) return redis;
      proxies.push(await TcpProxy.to(redis.port));
      return proxies[0]!;
    },
  });
  atEnd(async () => {
    await t.closes();
    await proxies[0]?.closes();
  });
  const alice = await t.user('alice').comesTo(1);
  const bob = await t.user('bob').comesTo(2);
  await alice.says(bob, 'before');
  await bob.hears('before');
  return { t, proxy: proxies[0]!, alice, bob };
}

const status = async ({ t }: Scene, path: string): Promise<number> => (await t.asks(1, path)).status;
const config = (redis: RedisServer, name: string, value: string) =>
  redis.ask((client) => client.config('SET', name, value));

type Trouble = readonly [
  what: string,
  begins: (redis: RedisServer, proxy: TcpProxy) => unknown,
  ends: (redis: RedisServer, proxy: TcpProxy) => unknown,
  /** Whether sends are refused meanwhile. */
  refuses: boolean,
];

const TROUBLES: readonly Trouble[] = [
  ['is killed', (redis) => redis.kill(), (redis) => redis.restart(), true],
  ['hangs', (redis) => redis.freeze(), (redis) => redis.thaw(), true],
  ['is full', (redis) => config(redis, 'maxmemory', '1'), (redis) => config(redis, 'maxmemory', '0'), true],
  [
    'is a replica (READONLY)',
    (redis) => redis.ask((client) => client.replicaof('127.0.0.1', 1)),
    (redis) => redis.ask((client) => client.replicaof('NO', 'ONE')),
    true,
  ],
  [
    'cannot write its snapshot (MISCONF)',
    async (redis) => {
      await config(redis, 'save', '3600 1000000');
      redis.losesDirectory();
      await redis.ask((client) => client.bgsave());
    },
    (redis) => config(redis, 'stop-writes-on-bgsave-error', 'no'),
    true,
  ],
  [
    'has too few replicas (NOREPLICAS)',
    (redis) => config(redis, 'min-replicas-to-write', '1'),
    (redis) => config(redis, 'min-replicas-to-write', '0'),
    true,
  ],
  [
    'echoes nothing by pub/sub any more',
    (_, proxy) => proxy.blackholes('subscribers'),
    (_, proxy) => proxy.heals(),
    false,
  ],
];

describe('readyz is red within 5 s, and green again by itself, when Redis', () => {
  test.each(TROUBLES)('%s; meanwhile healthz is green and nobody is closed', async (_what, begins, ends, refuses) => {
    const here = await scene();
    const { t, proxy, alice, bob } = here;
    await begins(t.redis, proxy);
    const start = performance.now();
    await until(async () => (await status(here, '/readyz')) === 503, 'node 1 to be red', 8_000);
    expect(performance.now() - start).toBeLessThan(RED_MS);
    if (refuses) {
      const asked = performance.now();
      const answer = await alice.tries(bob, 'meanwhile', { id: 'm' });
      expect(performance.now() - asked).toBeLessThan(ANSWERED_MS);
      expect(answer).toMatchObject({ type: 'error', code: 'unavailable', retry: expect.any(Number) });
    }
    expect(await status(here, '/healthz')).toBe(200);
    await ends(t.redis, proxy);
    await until(async () => (await status(here, '/readyz')) === 200, 'node 1 to be green again', 15_000);
    const isSent = async () => (await alice.tries(bob, 'meanwhile', { id: 'm' })).type === 'sent';
    await until(isSent, 'a send to be stored', 10_000);
    await bob.hears('meanwhile', 10_000);
    await bob.says(alice, 'and back');
    await alice.hears('and back', 10_000);
    expect(bob.heard()).toEqual(['before', 'meanwhile']);
    expect([alice.line.isOpen, bob.line.isOpen]).toEqual([true, true]);
    expect(t.violations()).toEqual([]);
  });
});

test.concurrent.for(['hangs', 'is killed'])(
  'while Redis %s for longer than a lease nobody is closed, and nobody is told that others went',
  { timeout: 120_000 },
  async (what, { onTestFinished }) => {
    const { t, alice, bob } = await scene(onTestFinished);
    await alice.asks({ type: 'watch', uids: [bob.uid] });
    const told = (): Frame[] => alice.line.frames.filter(({ type }) => type === 'presence');
    const start = performance.now();
    if (what === 'hangs') t.redis.freeze();
    else await t.redis.kill();
    await until(() => performance.now() - start > OUTAGE_MS, 'the outage to be over', OUTAGE_MS + 1_000);
    if (what === 'hangs') t.redis.thaw();
    else await t.redis.restart();
    const isOnline = async (): Promise<boolean> => {
      const { status, body } = await alice.calls<{ presence?: readonly { readonly online: boolean }[] }>(
        1,
        'GET',
        `/presence?of=${bob.uid}`,
      );
      return status === 200 && body.presence?.[0]?.online === true;
    };
    await until(isOnline, 'bob to be there', 15_000);
    const isSent = async () => (await alice.tries(bob, 'after', { id: 'a' })).type === 'sent';
    await until(isSent, 'a send to be stored', 10_000);
    await bob.hears('after', 10_000);
    // More than two leases long nobody buries a node that lives.
    const back = performance.now();
    await until(
      async () => {
        expect(await isOnline()).toBe(true);
        return performance.now() - back > 12_000;
      },
      'the time in which a dead node would be buried',
      20_000,
    );
    expect(told().map(({ online }) => online)).toEqual([true]);
    expect([alice.line.isOpen, bob.line.isOpen]).toEqual([true, true]);
    expect(t.violations()).toEqual([]);
  },
);

test('who leaves while Redis is away is offline when it is back, though their node lives on', async () => {
  const { t, alice, bob } = await scene();
  await t.redis.kill();
  await bob.vanishes();
  await until(async () => (await t.asks(2, '/readyz')).status === 503, 'node 2 to be red', 8_000);
  await t.redis.restart();
  const present = () => t.redis.ask((client) => client.keys('sk{p0}:pres:*'));
  await until(async () => (await present()).join() === `sk{p0}:pres:${alice.uid}`, 'bob to be offline', 10_000);
  expect(alice.line.isOpen).toBe(true);
});
