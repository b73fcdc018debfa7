import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TcpProxy } from '../../loadtest/chaos/tcp-proxy.js';
import { Crowd } from '../support/crowd.js';
import { type Town, town } from '../support/town.js';
import { until } from '../support/until.js';

const isReady = (t: Town, node = 1): Promise<boolean> =>
  until(async () => (await t.asks(node, '/readyz')).status === 200, `node ${node} to be ready again`, 15_000);

describe('a Redis that writes everything down', () => {
  let t: Town;
  beforeEach(async () => {
    t = await town({ nodes: 2, redis: true });
  });
  afterEach(() => t.closes());

  test('is killed and restarted under traffic, again and again: nothing acknowledged is lost', async () => {
    const crowd = await Crowd.in(t, { people: 8, rate: 200 });
    try {
      crowd.talks();
      for (let round = 0; round < 4; round++) {
        const goal = crowd.ledger.account.acked + 200;
        await until(() => crowd.ledger.account.acked >= goal, 'traffic to go on', 15_000);
        await t.redis.kill();
        await t.redis.restart();
      }
      const account = await crowd.settles(20_000);
      expect(account).toMatchObject({ lost: 0, doubled: 0, reordered: 0, unexplained: 0, refused: 0 });
      expect(crowd.violations).toEqual([]);
    } finally {
      await crowd.leaves();
    }
  }, 90_000);

  test('is away: a send is answered unavailable with retry within 2 s, and goes through when it is back', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    await alice.says(bob, 'before');
    await t.redis.kill();
    const start = performance.now();
    const answer = await alice.tries(bob, 'meanwhile', { id: 'm' });
    expect(performance.now() - start).toBeLessThan(2_000);
    expect(answer).toMatchObject({ type: 'error', code: 'unavailable', retry: expect.any(Number) });
    expect(answer.retry).toBeGreaterThan(0);
    const posted = await alice.posts(1, bob, 'meanwhile', { id: 'm' });
    expect(posted.status).toBe(503);
    expect(Number(posted.headers.get('retry-after'))).toBeGreaterThan(0);
    await until(async () => (await t.asks(1, '/readyz')).status === 503, 'readyz to say no');
    expect((await t.asks(1, '/healthz')).status).toBe(200);
    expect(alice.line.isOpen && bob.line.isOpen).toBe(true);
    await t.redis.restart();
    await Promise.all([isReady(t, 1), isReady(t, 2)]);
    await until(async () => (await alice.tries(bob, 'meanwhile', { id: 'm' })).type === 'sent', 'the send', 10_000);
    await alice.says(bob, 'after');
    await bob.hears('after');
    expect(bob.heard()).toEqual(['before', 'meanwhile', 'after']);
    expect(t.violations()).toEqual([]);
  });
});

describe('between a node and its Redis', () => {
  let t: Town;
  let proxy: TcpProxy;
  beforeEach(async () => {
    t = await town({
      nodes: 2,
      redis: true,
      through: async (redis, node) => {
        if (node !== 1) return redis;
        proxy = await TcpProxy.to(redis.port);
        return proxy;
      },
    });
  });
  afterEach(async () => {
    await t.closes();
    await proxy.closes();
  });

  test('nothing passes any more: a send is answered unavailable with retry', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    await alice.says(bob, 'before');
    proxy.blackholes();
    const start = performance.now();
    const answer = await alice.tries(bob, 'into the void', { id: 'v' });
    expect(performance.now() - start).toBeLessThan(2_500);
    expect(answer).toMatchObject({ type: 'error', code: 'unavailable', retry: expect.any(Number) });
    proxy.heals();
    await isReady(t);
    await until(async () => (await alice.tries(bob, 'into the void', { id: 'v' })).type === 'sent', 'the send');
    await bob.hears('into the void');
    expect(bob.heard()).toEqual(['before', 'into the void']);
  });

  test('the answer is lost after the message was stored: the repetition gets its first place', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    await alice.says(bob, 'before');
    proxy.swallowsReplies('commands');
    expect(await alice.tries(bob, 'stored', { id: 's' })).toMatchObject({ code: 'unavailable' });
    const { seq } = await bob.hears('stored');
    proxy.heals();
    await isReady(t);
    const repeated = await until(async () => {
      const answer = await alice.tries(bob, 'stored', { id: 's' });
      return answer.type === 'sent' && answer;
    }, 'the repetition to be answered');
    expect(repeated).toMatchObject({ dup: true, seq });
    await alice.says(bob, 'after');
    await bob.hears('after');
    expect(bob.heard()).toEqual(['before', 'stored', 'after']);
  });

  test('after a failure a send with the same try waits its turn, and with a higher one goes through', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const carol = await t.user('carol').comesTo(2);
    await alice.says(bob, 0, { id: 'm0', try: 1 });
    proxy.blackholes();
    expect(await alice.tries(bob, 1, { id: 'm1', try: 1 })).toMatchObject({ code: 'unavailable' });
    proxy.heals();
    await isReady(t);
    // Another conversation shows when sends work again; it was not refused and has no try to raise.
    await until(async () => (await alice.tries(carol, 'hi', { id: 'c', try: 1 })).type === 'sent', 'sends to work');
    const early = await alice.tries(bob, 2, { id: 'm2', try: 1 });
    expect(early).toMatchObject({ type: 'error', code: 'unavailable', retry: expect.any(Number) });
    expect(await alice.tries(bob, 1, { id: 'm1', try: 2 })).toMatchObject({ type: 'sent' });
    expect(await alice.tries(bob, 2, { id: 'm2', try: 2 })).toMatchObject({ type: 'sent' });
    await alice.says(bob, 'no try at all');
    await bob.hears('no try at all');
    expect(bob.heard()).toEqual([0, 1, 2, 'no try at all']);
  });

  test.each([
    ['one', 1],
    ['ten', 10],
  ])('%s lost hints are noticed and mended within 5 s, with no more traffic', async (_word, count) => {
    const alice = await t.user('alice').comesTo(2);
    const bob = await t.user('bob').comesTo(1);
    await alice.says(bob, 'before');
    await bob.hears('before');
    proxy.dropsPushesOf('unheard-of');
    for (let n = 0; n < count; n++) await alice.says(bob, `unheard-of ${n}`);
    await until(() => proxy.drops > 0, 'a hint to be dropped');
    const start = performance.now();
    await bob.hears(`unheard-of ${count - 1}`, 6_000);
    expect(performance.now() - start).toBeLessThan(5_000);
    expect(t.violations()).toEqual([]);
  });

  test('the subscriber goes deaf without a word: mended within 5 s', async () => {
    const alice = await t.user('alice').comesTo(2);
    const bob = await t.user('bob').comesTo(1);
    await alice.says(bob, 'before');
    await bob.hears('before');
    proxy.deafens('subscribers');
    const start = performance.now();
    await alice.says(bob, 'anybody there?');
    await bob.hears('anybody there?', 8_000);
    expect(performance.now() - start).toBeLessThan(5_000);
    await alice.says(bob, 'good');
    await bob.hears('good');
    expect(t.violations()).toEqual([]);
  });

  test('every connection goes deaf at once: what is sent meanwhile is there soon after', async () => {
    const alice = await t.user('alice').comesTo(2);
    const bob = await t.user('bob').comesTo(1);
    await alice.says(bob, 'before');
    await bob.hears('before');
    proxy.deafens('all');
    await alice.says(bob, 'anybody there?');
    await bob.hears('anybody there?', 10_000);
    await until(async () => (await bob.tries(alice, 'here', { id: 'h' })).type === 'sent', 'sends to work again');
    expect(t.violations()).toEqual([]);
  });

  test('everything takes 100 ms longer: slower, and no less right', async () => {
    const alice = await t.user('alice').comesTo(2);
    const bob = await t.user('bob').comesTo(1);
    proxy.delays(100);
    const numbers = Array.from({ length: 100 }, (_, index) => index);
    await Promise.all([alice.saysAll(bob, numbers), bob.saysAll(alice, numbers)]);
    await Promise.all([bob.hears(99), alice.hears(99)]);
    expect(bob.heard()).toEqual(numbers);
    expect(alice.heard()).toEqual(numbers);
    expect(t.violations()).toEqual([]);
  });
});
