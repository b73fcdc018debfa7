import { describe, expect, test } from 'vitest';
import { SHAPES, townFor } from '../support/town.js';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const dataOf = (poll: { readonly messages: readonly { readonly data?: unknown }[] }): unknown[] =>
  poll.messages.map((message) => message.data);

describe.each(SHAPES)('polling on %s', (_shape, plan) => {
  const t = townFor(plan);

  test('a short poll with nothing pending is answered at once, empty and with a cursor', async () => {
    const bob = t.poller(t.user('bob').uid);
    const start = performance.now();
    const poll = await bob.polls(1);
    expect(poll.messages).toEqual([]);
    expect(poll.cursor).toEqual(expect.any(String));
    expect(performance.now() - start).toBeLessThan(1_000);
  });

  test('poll, acknowledge and poll again may each go to another node', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = t.user('bob');
    const poller = t.poller(bob.uid, 'feed');
    await alice.saysAll(bob, numbers(5));
    const first = await poller.polls(1);
    expect(dataOf(first)).toEqual(numbers(5));
    expect(first.messages[0]).toMatchObject({ type: 'message', sender: alice.uid, receiver: bob.uid });
    expect(first.cursor.length).toBeLessThanOrEqual(1_024);
    expect(dataOf(await poller.polls(2))).toEqual(numbers(5));
    await alice.says(bob, 'new');
    expect(dataOf(await poller.polls(3, { ack: first.cursor }))).toEqual(['new']);
    expect(dataOf(await poller.polls(2, { ack: first.cursor }))).toEqual(['new']);
    const last = await poller.polls(1);
    expect(dataOf(await poller.polls(2, { ack: last.cursor }))).toEqual([]);
    expect(dataOf(await poller.polls(3))).toEqual([]);
  });

  test('a long poll on node 2 wakes within a second of a send on node 1', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = t.user('bob');
    const poller = t.poller(bob.uid);
    let ack = (await poller.polls(2)).cursor;
    for (let round = 0; round < 5; round++) {
      const waiting = poller.polls(2, { wait: 15, ack });
      // The poll must be waiting before the send: an answered short poll of another device on that node says so.
      await t.poller(bob.uid, `probe${round}`).polls(2);
      const start = performance.now();
      await alice.says(bob, round);
      const woken = await waiting;
      expect(performance.now() - start).toBeLessThan(1_000);
      expect(dataOf(woken)).toEqual([round]);
      ack = woken.cursor;
    }
  });

  test('a long poll wakes for a room and for a broadcast, too', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const den = t.room('den');
    await alice.joins(den);
    await bob.joins(den);
    await bob.leaves();
    const poller = t.poller(bob.uid);
    let ack: string | undefined = (await poller.polls(3)).cursor;
    for (const to of [den, 'everybody'] as const) {
      const waiting = poller.polls(3, { wait: 15, ack });
      await t.poller(bob.uid, 'probe').polls(3);
      const start = performance.now();
      await alice.says(to, `wake up, ${alice.convWith(to)}`);
      const woken = await waiting;
      expect(performance.now() - start).toBeLessThan(1_000);
      expect(dataOf(woken)).toContain(`wake up, ${alice.convWith(to)}`);
      ack = woken.cursor;
    }
  });

  test('with nothing to say a long poll ends when its time is over', async () => {
    const poller = t.poller(t.user('bob').uid);
    const start = performance.now();
    expect((await poller.polls(2, { wait: 1 })).messages).toEqual([]);
    expect(performance.now() - start).toBeGreaterThan(900);
    expect(performance.now() - start).toBeLessThan(3_000);
  });

  test('500 messages come by polling, in order, each once', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = t.user('bob');
    // A friend may have more than a stranger's hundred pending.
    await bob.comesTo(2);
    await bob.leaves();
    await alice.saysAll(bob, numbers(500));
    expect((await t.poller(bob.uid).collects(500)).map((message) => message.data)).toEqual(numbers(500));
  });

  test('a device that polls keeps its place when it comes by WebSocket, and the other way round', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = t.user('bob').device('both');
    await alice.saysAll(bob, ['a', 'b']);
    const poller = t.poller(bob.uid, 'both');
    await poller.polls(2, { ack: (await poller.polls(1)).cursor });
    await alice.says(bob, 'c');
    await bob.comesTo(3);
    expect(bob.heard()).toEqual(['c']);
    await bob.leaves();
    await alice.says(bob, 'd');
    expect(dataOf(await poller.polls(2))).toEqual(['d']);
  });

  test('a message may be posted on any node, and what a device posts comes back to it, known by its id', async () => {
    const alice = t.user('alice');
    const bob = await t.user('bob').comesTo(2);
    const posted = await alice.posts(1, bob, { text: 'by post' }, { id: 'p1', sender: 'forged' });
    expect(posted.status).toBe(200);
    expect(posted.body).toMatchObject({ type: 'sent', id: 'p1', conv: alice.convWith(bob) });
    expect(await bob.hears({ text: 'by post' })).toMatchObject({ sender: alice.uid, seq: posted.body.seq, id: 'p1' });
    const own = await t.poller(alice.uid).polls(3);
    expect(own.messages).toMatchObject([{ id: 'p1', sender: alice.uid }]);
  });

  test('a cursor that was forged or given to another is refused', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = t.user('bob');
    const poller = t.poller(bob.uid);
    await alice.says(bob, 'x');
    const { cursor } = await poller.polls(1);
    const other = (char: string): string => (char === 'A' ? 'B' : 'A');
    const middle = Math.floor(cursor.length / 2);
    const forgeries = [
      'x',
      '0',
      'x'.repeat(2_000),
      cursor.slice(0, -2),
      `${cursor}A`,
      cursor.slice(0, middle) + other(cursor[middle]!) + cursor.slice(middle + 1),
      (await t.poller(alice.uid).polls(1)).cursor,
      (await t.poller(bob.uid, 'other').polls(1)).cursor,
    ];
    for (const ack of forgeries) {
      expect(await poller.asks(2, { wait: '0', ack })).toMatchObject({
        status: 400,
        body: { error: { code: 'bad_request', message: expect.any(String) } },
      });
    }
    expect(dataOf(await poller.polls(3))).toEqual(['x']);
  });

  test.each(['61', '-1', '1.5', 'abc', '', '1e1', ' 5'])('to wait %j seconds is a bad request', async (wait) => {
    const answer = await t.poller(t.user('bob').uid).asks(1, { wait });
    expect(answer).toMatchObject({ status: 400, body: { error: { code: 'bad_request' } } });
  });

  test.each([
    ['the same node', 2],
    ['another node', 3],
  ])('a second poll of a device on %s ends the first with an empty answer', async (_where, second) => {
    const alice = await t.user('alice').comesTo(1);
    const bob = t.user('bob');
    const poller = t.poller(bob.uid);
    const { cursor } = await poller.polls(2);
    const first = poller.polls(2, { wait: 20, ack: cursor });
    await t.poller(bob.uid, 'probe').polls(2);
    const start = performance.now();
    const latest = poller.polls(second, { wait: 20, ack: cursor });
    expect((await first).messages).toEqual([]);
    expect(performance.now() - start).toBeLessThan(3_000);
    await alice.says(bob, 'to the latest');
    expect(dataOf(await latest)).toEqual(['to the latest']);
  });

  test('a poll whose client went away takes nothing with it', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = t.user('bob');
    const poller = t.poller(bob.uid);
    const away = new AbortController();
    const waiting = poller.asks(2, { wait: '20' }, away.signal);
    await t.poller(bob.uid, 'probe').polls(2);
    away.abort();
    await expect(waiting).rejects.toThrow();
    await alice.says(bob, 'are you there?');
    expect(dataOf(await poller.polls(3))).toEqual(['are you there?']);
  });

  test('requests are answered with the status of their error', async () => {
    const alice = t.user('alice');
    const bob = t.user('bob');
    const url = `/v1/messages?uid=${alice.uid}`;
    expect((await t.asks(1, '/v1/messages')).status).toBe(401);
    expect((await t.asks(1, '/v1/messages', { body: { receiver: bob.uid, data: 1 } })).status).toBe(401);
    for (const body of ['nonsense', '[]', 'null', '{}', { receiver: bob.uid }, { receiver: 'a b', data: 1 }]) {
      expect((await t.asks(1, url, { body })).status).toBe(400);
    }
    expect((await t.asks(1, url, { body: { receiver: bob.uid, data: 'x'.repeat(70_000) } })).status).toBe(413);
    const den = t.room('den');
    await (await bob.comesTo(2)).joins(den);
    expect((await alice.posts(1, den, 1)).status).toBe(403);
    expect((await t.asks(1, `/v1/nothing?uid=${alice.uid}`)).status).toBe(404);
    expect((await t.asks(1, `${url}&device=a%20b`)).status).toBe(400);
  });
});
