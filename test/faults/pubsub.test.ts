import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TcpProxy } from '../../loadtest/chaos/tcp-proxy.js';
import { http } from '../support/http.js';
import type { Person, Room } from '../support/person.js';
import { type Town, town } from '../support/town.js';
import { until } from '../support/until.js';

/** What the protocol promises of a lost hint, counted from when the subscriber is back. */
const MENDED_MS = 5_000;

let t: Town;
let proxy: TcpProxy;
let alice: Person;
let bob: Person;
let den: Room;

/** Alice is on node 2, who speaks with Redis directly; bob on node 1, whose Redis is behind the proxy. */
beforeEach(async () => {
  t = await town({
    nodes: 2,
    redis: true,
    env: { SKEIN_PENDING_BYTES: '100000000' },
    through: async (redis, node) => {
      if (node !== 1) return redis;
      proxy = await TcpProxy.to(redis.port);
      return proxy;
    },
  });
  alice = await t.user('alice').comesTo(2);
  bob = await t.user('bob').comesTo(1);
  den = t.room('den');
  await alice.joins(den);
  await bob.joins(den);
  for (const to of [bob, den, 'everybody'] as const) {
    await alice.says(to, `before ${bob.convWith(to)}`);
    await bob.hears(`before ${bob.convWith(to)}`);
  }
});
afterEach(async () => {
  // Everything came on the connection that there was from the beginning.
  const [stayed, violations] = [bob.line.isOpen, t.violations()];
  await t.closes();
  await proxy.closes();
  expect({ stayed, violations }).toEqual({ stayed: true, violations: [] });
});

/** Milliseconds until everything is done. */
async function took(all: readonly Promise<unknown>[]): Promise<number> {
  const start = performance.now();
  await Promise.all(all);
  return performance.now() - start;
}

/** What a metric of a node says; 0 where there is none of that name and label yet. */
async function count(node: number, metric: string): Promise<number> {
  const { text } = await http(`${t.node(node).metricsUrl}/metrics`);
  const line = text.split('\n').find((each) => each.startsWith(`${metric} `));
  return Number(line?.slice(metric.length) ?? 0);
}

describe('a message that was published into the void comes within 5 s of the subscriber’s return', () => {
  test('when the subscription was cut, and refused for three seconds of traffic', async () => {
    proxy.refuses();
    proxy.cuts('subscribers');
    const start = performance.now();
    let said = 0;
    while (performance.now() - start < 3_000) {
      for (const to of [bob, den, 'everybody'] as const) await alice.says(to, said);
      said++;
    }
    expect(bob.heard()).not.toContain(said - 1);
    proxy.heals();
    const came = took(
      [bob, den, 'everybody' as const].map((to) => bob.hearsMany(said + 1, bob.convWith(to === bob ? alice : to))),
    );
    expect(await came).toBeLessThan(MENDED_MS);
    for (const conv of [bob.convWith(alice), den.conv, 'all']) {
      expect(bob.heard(conv).slice(1)).toEqual(Array.from({ length: said }, (_, index) => index));
    }
  });

  test('when Redis cut off a subscriber that read too slowly', async () => {
    const carol = await t.user('carol').comesTo(2);
    await t.redis.ask((client) => client.config('SET', 'client-output-buffer-limit', 'pubsub 65536 32768 1'));
    const list = () => t.redis.ask((client) => client.call('CLIENT', 'LIST', 'TYPE', 'PUBSUB') as Promise<string>);
    const subscribers = async () => (await list()).trim().split('\n').length;
    const before = await subscribers();
    const words: string[] = [];
    t.node(2).program.signal('SIGSTOP');
    while ((await subscribers()) === before) {
      const some = Array.from({ length: 100 }, (_, index) => `${words.length + index} ${'x'.repeat(10_000)}`);
      await bob.saysAll(carol, some);
      words.push(...some);
    }
    t.node(2).program.signal('SIGCONT');
    expect(await took([carol.hears(words.at(-1), 10_000)])).toBeLessThan(MENDED_MS);
    expect(carol.heard(carol.convWith(bob))).toEqual(words);
    expect(carol.line.isOpen).toBe(true);
    expect(await count(2, 'skein_redis_reconnects_total{connection="subscriptions"}')).toBeGreaterThan(0);
  });

  test.each(['a user', 'a room', 'everybody'] as const)(
    'when it was the only one that was lost, for %s',
    async (to) => {
      proxy.dropsPushesOf('unheard-of');
      await alice.says(to === 'a user' ? bob : to === 'a room' ? den : to, 'unheard-of');
      await until(() => proxy.drops > 0, 'the hint to be dropped');
      expect(await took([bob.hears('unheard-of', 8_000)])).toBeLessThan(MENDED_MS);
    },
  );

  test('when it was for a poll that waits', async () => {
    const carol = t.poller('carol');
    const first = await carol.polls(1);
    const waiting = carol.polls(1, { wait: 20, ack: first.cursor });
    // Having found nothing, it says so to the device's polls on other nodes: then it waits.
    await until(async () => (await count(1, 'skein_redis_command_seconds_count{op="whisper"}')) > 0, 'it to wait');
    proxy.dropsPushesOf('unheard-of');
    const mended = took([waiting]);
    await alice.says({ uid: 'carol' } as Person, 'unheard-of');
    expect(await mended).toBeLessThan(MENDED_MS);
    expect((await waiting).messages.map(({ data }) => data)).toEqual(['unheard-of']);
  });

  test('when it said that somebody is in a room now, or is no more', async () => {
    const attic = t.room('attic');
    await alice.calls(2, 'POST', '/rooms', { room: attic.name, private: true });
    // The hint that bob gained or lost it; what the subscription itself is answered must pass.
    proxy.dropsPushesOf(`${bob.uid}\t${attic.conv}`);
    await alice.calls(2, 'PUT', `/rooms/${attic.name}/members/${bob.uid}`);
    await alice.says(attic, 'welcome');
    await until(() => proxy.drops > 0, 'the hint to be dropped');
    expect(await took([bob.hears('welcome', 8_000)])).toBeLessThan(MENDED_MS);
    const before = proxy.drops;
    await alice.calls(2, 'DELETE', `/rooms/${attic.name}/members/${bob.uid}`);
    await until(() => proxy.drops > before, 'the hint to be dropped');
    const isTold = () => bob.line.messages(attic.conv).some(({ op, data }) => op === 'system' && isRemoval(data));
    expect(await took([until(isTold, 'bob to be told that he was removed', 8_000)])).toBeLessThan(MENDED_MS);
    await alice.says(attic, 'he is gone');
    await bob.line.settles();
    expect(bob.heard(attic.conv)).toEqual(['welcome']);
  });
});

const isRemoval = (data: unknown): boolean => (data as { event?: string }).event === 'removed';
