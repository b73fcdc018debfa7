import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RedisServer } from '../support/redis.js';
import { Ledger, StreamRefused } from './event-reader.js';
import { Service, SHAPES } from './stream-support.js';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

let redis: RedisServer;
beforeAll(async () => {
  redis = await RedisServer.start({ appendonly: 'no' });
});
afterAll(() => redis.stop());

describe.each(SHAPES)('the next stream of a device on $adapter, nodes: $nodes', (shape) => {
  let s: Service;
  beforeAll(async () => {
    s = await Service.open(shape, shape.nodes > 1 ? redis : undefined);
  });
  afterAll(() => s.close());

  test('writing acknowledges nothing: without a cursor everything comes again', async () => {
    const bob = await s.known('bob');
    const alice = s.uid('alice');
    for (const data of ['a', 'b']) await s.say(1, alice, { receiver: bob }, data);
    for (const node of [1, 2]) {
      const reader = await s.stream(node, bob);
      await reader.hears('a', 'b');
      reader.leave();
    }
  });

  test('a cursor acknowledges up to its event in all conversations, and the next stream resumes right after', async () => {
    const bob = await s.known('bob');
    const [alice, carol, room] = [s.uid('alice'), s.uid('carol'), s.uid('room')];
    await (await s.joined(1, bob, room)).close();
    const line = await s.joined(1, alice, room);
    await line.close();
    for (const data of ['a1', 'a2', 'a3']) await s.say(1, alice, { receiver: bob }, data);
    for (const data of ['c1', 'c2']) await s.say(2, carol, { receiver: bob }, data);
    for (const data of ['r1', 'r2']) await s.say(1, alice, { room }, data);
    for (const data of ['all1', 'all2']) await s.say(2, carol, { broadcast: true }, `${data} ${bob}`);
    const first = await s.stream(1, bob);
    await first.hears('a3', 'c2', 'r2', `all2 ${bob}`);
    const before = first.data;
    for (const [index, { id }] of first.messages.entries()) {
      const reader = await s.stream(index, bob, { lastEventId: id });
      await reader.first('synced');
      // Conversations may come in another order among themselves; what had come before the cursor does not come again.
      expect(reader.data.toSorted()).toEqual(before.slice(index + 1).toSorted());
      reader.leave();
    }
    // An old cursor takes nothing back.
    const again = await s.stream(2, bob, { lastEventId: first.messages[0]?.id });
    await again.first('synced');
    expect(again.data).toEqual([]);
  });

  test('a cursor may come as a query, too; and a poll takes it as well, like a stream the cursor of a poll', async () => {
    const bob = await s.known('bob');
    const alice = s.uid('alice');
    for (const data of ['a', 'b', 'c']) await s.say(1, alice, { receiver: bob }, data);
    const reader = await s.stream(1, bob);
    await reader.hears('c');
    const [a, b] = reader.messages;
    const byQuery = await s.stream(2, bob, { query: { lastEventId: a!.id } });
    await byQuery.first('synced');
    expect(byQuery.data).toEqual(['b', 'c']);
    const query = new URLSearchParams({ uid: bob, wait: '0', ack: b!.id });
    type Poll = { messages: { data: unknown }[]; cursor: string };
    const poll = await s.ask<Poll>(1, `/v1/messages?${query}`);
    expect(poll.body.messages.map(({ data }) => data)).toEqual(['c']);
    const last = await s.stream(2, bob, { lastEventId: poll.body.cursor });
    await last.first('synced');
    expect(last.data).toEqual([]);
  });

  test('ends after 500 messages; stream after stream everything comes, in order and once', async () => {
    const bob = await s.known('bob');
    const senders = numbers(12).map((n) => s.uid(`sender${n}`));
    for (const n of numbers(100)) {
      await Promise.all(senders.map((sender) => s.say(n, sender, { receiver: bob }, `${sender} ${n}`)));
    }
    const ledger = new Ledger();
    const sizes: number[] = [];
    let lastEventId: string | undefined;
    for (let node = 1; ledger.heard.length < 1_200; node++) {
      const reader = await s.stream(node, bob, { lastEventId });
      if (sizes.length < 2) await reader.ends();
      else await reader.first('synced');
      sizes.push(reader.messages.length);
      ledger.take(reader.events);
      lastEventId = reader.lastId;
    }
    expect(sizes).toEqual([500, 500, 200]);
    expect(ledger.repeated).toBe(0);
    for (const sender of senders) {
      const own = ledger.heard.filter((data) => String(data).startsWith(`${sender} `));
      expect(own).toEqual(numbers(100).map((n) => `${sender} ${n}`));
    }
  });

  test('with long names in many conversations, too, each cursor is short and says exactly where it stands', async () => {
    const bob = await s.known('боб'.padEnd(50, 'ж'));
    const senders = numbers(70).map((n) => s.uid(`${n % 2 ? '龍' : 'ü'}`.repeat(56)));
    for (const round of [0, 1]) {
      await Promise.all(senders.map((sender) => s.say(round, sender, { receiver: bob }, `${sender} ${round}`)));
    }
    const ledger = await s.collect(bob, 140, 23);
    expect(new Set(ledger.heard).size).toBe(140);
    expect(ledger.repeated).toBe(0);
    const after = await s.stream(1, bob, { query: { device: 'other' } });
    await after.first('synced');
    expect(after.data.length).toBeLessThanOrEqual(23);
  });

  test('a cursor that was forged, changed, or given to another user or device is refused before the stream', async () => {
    const bob = await s.known('bob');
    const alice = await s.known('alice');
    await s.say(1, alice, { receiver: bob }, 'x');
    const reader = await s.stream(1, bob);
    await reader.hears('x');
    const cursor = reader.messages[0]!.id;
    const others = await Promise.all([
      s.stream(1, alice).then((other) => other.first('welcome')),
      s.stream(1, bob, { device: 'other' }).then((other) => other.first('welcome')),
    ]);
    const swap = (at: number): string => cursor.slice(0, at) + (cursor[at] === '1' ? '2' : '1') + cursor.slice(at + 1);
    const forgeries = [
      ...['x', '0', '1.', 'x'.repeat(2_000), `${cursor}A`, cursor.slice(0, -1), `1${cursor}`, cursor.replace('@', '#')],
      ...numbers(cursor.length).map(swap),
      ...[...'ABCDEFGHIJ-_'].map((last) => cursor.slice(0, -1) + last).filter((text) => text !== cursor),
      ...others.map(({ id }) => id),
    ];
    for (const lastEventId of forgeries) {
      const refused = await s.stream(2, bob, { lastEventId }).catch((error: unknown) => error);
      expect(refused, lastEventId).toBeInstanceOf(StreamRefused);
      const { status, body } = refused as StreamRefused;
      expect([status, JSON.parse(body).error.code]).toEqual([400, 'bad_request']);
    }
    const after = await s.stream(2, bob);
    await after.hears('x');
  });

  test('a cursor of which the store has forgotten what it held acknowledges only what it says itself', async () => {
    const bob = await s.known('bob');
    const senders = numbers(60).map((n) => s.uid(`sender-with-a-rather-long-name-${n}`));
    for (const sender of senders) await s.say(1, sender, { receiver: bob }, sender);
    const reader = await s.stream(1, bob);
    await reader.hearsMany(60);
    const { id } = reader.messages.at(-1)!;
    expect(id).not.toMatch(/^0/);
    const itself = id.split(',').length;
    // Each answered poll is remembered, the newest 32 of a device.
    for (const _ of numbers(33)) await s.ask(2, `/v1/messages?uid=${bob}&wait=0`);
    const again = await s.stream(2, bob, { lastEventId: id });
    await again.first('synced');
    expect(again.messages).toHaveLength(60 - itself);
  });

  test('whoever breaks off anywhere, again and again, under traffic, on whichever node, misses nothing', async () => {
    const bob = await s.known('bob');
    const senders = numbers(30).map((n) => s.uid(`a-sender-with-a-name-of-some-length-${n}`));
    const all: string[] = [];
    const talk = (async () => {
      for (const n of numbers(600)) {
        const data = `${n}`;
        all.push(data);
        await s.say(n, senders[(n * 7) % 30]!, { receiver: bob }, data);
      }
    })();
    const ledger = await s.collect(bob, 600, 41);
    await talk;
    expect(ledger.heard.map(Number).toSorted((x, y) => x - y)).toEqual(all.map(Number));
    expect(ledger.repeated).toBe(0);
  });
});
