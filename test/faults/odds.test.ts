import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { TcpProxy } from '../../loadtest/chaos/tcp-proxy.js';
import { Connection } from '../support/client.js';
import { dmOf } from '../support/frame.js';
import { http } from '../support/http.js';
import { type Town, town } from '../support/town.js';
import { until } from '../support/until.js';

/** Longer than a lease, which is 9 s. */
const STILL_MS = 11_000;

let t: Town;
beforeEach(async () => {
  t = await town({ nodes: 3, redis: true });
});
afterEach(() => t.closes());

/** Whether somebody is online, as a node says that is not theirs. */
async function isOnline(node: number, uid: string): Promise<boolean | undefined> {
  const { body } = await http<{ presence?: readonly { readonly online: boolean }[] }>(
    `${t.node(node).url}/v1/presence?uid=asker&of=${uid}`,
  );
  return body.presence?.[0]?.online;
}

test('a killed node’s users are offline within 15 s, its traces gone; who is back elsewhere was never away for anybody', async () => {
  const alice = await t.user('alice').comesTo(2);
  const bob = await t.user('bob').comesTo(1);
  const carol = await t.user('carol').comesTo(1);
  await alice.asks({ type: 'watch', uids: [bob.uid, carol.uid] });
  const told = (uid: string) =>
    alice.line.frames.filter((frame) => frame.type === 'presence' && frame.uid === uid).map(({ online }) => online);
  const { node: dead } = await carol.line.firstOf('welcome');
  await t.node(1).kill('SIGKILL');
  const start = performance.now();
  await bob.returnsTo(3);
  await until(
    async () => {
      expect(await isOnline(2, bob.uid)).toBe(true);
      return told(carol.uid).at(-1) === false;
    },
    'carol to be offline',
    16_000,
  );
  expect(performance.now() - start).toBeLessThan(15_000);
  const traces = () => t.redis.ask(async (client) => (await client.keys(`*${String(dead)}*`)).length);
  await until(async () => (await traces()) === 0, 'the dead node’s keys to be gone', 10_000);
  const fields = await t.redis.ask((client) => client.hvals(`sk{p0}:pres:${bob.uid}`));
  expect(fields.filter((value) => value.startsWith(String(dead)))).toEqual([]);
  expect(await isOnline(2, bob.uid)).toBe(true);
  expect(told(bob.uid)).toEqual([true]);
});

test('a node that stood still for longer than its lease closes all it has when it goes on, and takes nothing from who moved', async () => {
  const alice = await t.user('alice').comesTo(2);
  const [bob, carol] = [await t.user('bob').comesTo(1), await t.user('carol').comesTo(1)];
  const stays = carol.line;
  t.node(1).program.signal('SIGSTOP');
  const start = performance.now();
  const moved = await bob.device('phone').comesTo(3);
  await alice.says(bob, 'meanwhile');
  await moved.hears('meanwhile');
  await until(() => performance.now() - start > STILL_MS, 'its lease to run out', STILL_MS + 1_000);
  t.node(1).program.signal('SIGCONT');
  const closings = await Promise.all([stays.closed, bob.line.closed]);
  expect(closings.map(({ code }) => code)).toEqual([1012, 1012]);
  expect(await isOnline(2, bob.uid)).toBe(true);
  await alice.says(bob, 'after');
  await moved.hears('after');
  await carol.returnsTo(1);
  await alice.says(carol, 'welcome back');
  await carol.hears('welcome back');
  expect(t.violations()).toEqual([]);
});

test('a connection that died without a word takes nothing from the one that came after it', async () => {
  const proxy = await TcpProxy.to(t.node(1).port);
  try {
    const alice = await t.user('alice').comesTo(3);
    const uid = t.user('bob').uid;
    const old = await Connection.open(`ws://127.0.0.1:${proxy.port}/ws?uid=${uid}`);
    await old.firstOf('synced');
    proxy.blackholes();
    const line = await Connection.open(t.node(2).wsUrl({ uid }));
    await line.firstOf('synced');
    const say = (data: string) => alice.line.request({ receiver: uid, data });
    await say('one');
    await line.first(({ data }) => data === 'one', 'the message on the new connection');
    // The old node finds out, by whatever way: then it takes back its own presence, and no other.
    proxy.cuts();
    await until(
      () => t.redis.ask(async (client) => (await client.hlen(`sk{p0}:pres:${uid}`)) === 1),
      'the farewell',
      10_000,
    );
    expect(await isOnline(3, uid)).toBe(true);
    await say('two');
    await line.first(({ data }) => data === 'two', 'the next message');
    expect(line.messages(dmOf('alice.1', uid)).map(({ data }) => data)).toEqual(['one', 'two']);
  } finally {
    await proxy.closes();
  }
});

describe('keys that somebody broke', () => {
  test('are answered with internal and harm nobody else; mended, they take the same message once', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const carol = await t.user('carol').comesTo(2);
    await alice.says(bob, 'before');
    const log = `sk{p0}:log:${alice.convWith(bob)}`;
    const whole = await t.redis.ask((client) => client.lrange(log, 0, -1));
    await t.redis.ask((client) => client.multi().del(log).set(log, 'not a list').exec());
    const [broken, well] = await Promise.all([
      alice.tries(bob, 'poisoned', { id: 'p' }),
      alice.tries(carol, 'well', { id: 'w' }),
    ]);
    expect([broken.code, well.type]).toEqual(['internal', 'sent']);
    await t.redis.ask((client) =>
      client
        .multi()
        .del(log)
        .rpush(log, ...whole)
        .exec(),
    );
    const again = await alice.says(bob, 'poisoned', { id: 'p' });
    expect(again.dup).toBeUndefined();
    await bob.hears('poisoned');
    expect(bob.heard()).toEqual(['before', 'poisoned']);
    expect(t.violations()).toEqual([]);
  });

  test('hold up nobody who logs in, however odd what they hold is', async () => {
    const alice = await t.user('alice').comesTo(1);
    const people = Array.from({ length: 20 }, (_, index) => t.user(`p${index}`));
    for (const person of people) await alice.says(person, 'hello');
    await t.redis.ask(async (client) => {
      for (const [index, { uid }] of people.entries()) {
        const log = `sk{p0}:log:${dmOf(alice.uid, uid)}`;
        if (index % 4 === 0) await client.rpush(log, 'neither an item nor JSON');
        if (index % 4 === 1) await client.lset(log, 0, '0{"type":"message"');
        if (index % 4 === 2) await client.rpush(log, `0${'x'.repeat(1_048_576)}`);
      }
    });
    // What is no JSON comes to them as it is: they look at nothing but that they are let in.
    const odd = people.filter((_, index) => index % 4 !== 3).map(({ uid }) => new WebSocket(t.node(2).wsUrl({ uid })));
    await Promise.all(odd.map((socket) => once(socket, 'message')));
    for (const person of people.filter((_, index) => index % 4 === 3)) {
      await person.comesTo(2);
      expect(person.heard()).toEqual(['hello']);
    }
    const bob = await t.user('bob').comesTo(2);
    await alice.says(bob, 'still well');
    await bob.hears('still well');
    expect(t.violations()).toEqual([]);
    for (const socket of odd) socket.terminate();
  });
});

test('five polls of a device at the same moment, round after round: nothing comes to nobody, and one of them waits', async () => {
  const alice = await t.user('alice').comesTo(1);
  const poller = t.poller(t.user('bob').uid);
  const heard = new Set<unknown>();
  let ack = (await poller.polls(1)).cursor;
  for (let round = 0; round < 10; round++) {
    const polls = Array.from({ length: 5 }, (_, index) => poller.polls(1 + (index % 3), { wait: 3, ack }));
    await alice.says({ uid: poller.uid } as never, round);
    const answers = await Promise.all(polls);
    for (const { messages, cursor } of answers) {
      for (const { data } of messages) heard.add(data);
      if (messages.length > 0) ack = cursor;
    }
    const { messages, cursor } = await poller.polls(2, { ack });
    for (const { data } of messages) heard.add(data);
    ack = cursor;
  }
  expect([...heard].sort()).toEqual(Array.from({ length: 10 }, (_, round) => round));
});
