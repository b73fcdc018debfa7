import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Connection } from '../support/client.js';
import { RedisServer } from '../support/redis.js';
import { until } from '../support/until.js';
import { Ledger } from './event-reader.js';
import { Service, SHAPES } from './stream-support.js';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

let redis: RedisServer;
beforeAll(async () => {
  redis = await RedisServer.start({ appendonly: 'no' });
});
afterAll(() => redis.stop());

describe.each(SHAPES)('a stream of server-sent events on $adapter, nodes: $nodes', (shape) => {
  let s: Service;
  beforeAll(async () => {
    s = await Service.open(shape, shape.nodes > 1 ? redis : undefined);
  });
  afterAll(() => s.close());

  test('begins as a WebSocket does: welcome, what is pending, synced; then whatever comes', async () => {
    const bob = await s.known('bob');
    await s.say(1, s.uid('alice'), { receiver: bob }, 'before');
    const reader = await s.stream(2, bob);
    expect(reader.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    await reader.first('synced');
    const types = reader.events.map(({ frame }) => frame.type);
    expect(types.filter((type) => type !== 'receipt')).toEqual(['welcome', 'message', 'synced']);
    expect(reader.events[0]?.frame).toMatchObject({ uid: bob, device: 'default', protocol: 1 });
    expect(reader.retries).toEqual([expect.any(Number)]);
    expect(reader.retries[0]).toBeLessThan(1_000);
    await s.say(1, s.uid('carol'), { receiver: bob }, 'one\nline');
    await reader.hears('before', 'one\nline');
    await s.say(1, bob, { receiver: s.uid('dave') }, 'my own');
    await reader.hears('my own');
  });

  test('tells receipts and that somebody types, each event with a cursor', async () => {
    const bob = await s.known('bob');
    const alice = await s.known('alice');
    const reader = await s.stream(1, bob);
    await reader.first('synced');
    await s.say(1, bob, { receiver: alice }, 'hello');
    await reader.hears('hello');
    const line = await Connection.open(`${s.url(2).replace('http', 'ws')}/ws?uid=${alice}&ack=manual`);
    await line.firstOf('synced');
    const got = await line.firstOf('message');
    line.send({ type: 'ack', conv: got.conv, seq: got.seq });
    line.send({ type: 'typing', receiver: bob });
    await reader.first('typing');
    await until(
      () => reader.events.find(({ frame }) => frame.type === 'receipt' && frame.uid === alice),
      'a receipt of the reader',
    );
    await line.close();
  });

  test('what cannot begin is answered with JSON: a device out of form, no credentials', async () => {
    const bob = s.uid('bob');
    expect(await s.ask(1, `/v1/stream?uid=${bob}&device=a%20b`)).toMatchObject({ status: 400 });
    expect(await s.ask(1, '/v1/stream')).toMatchObject({ status: 401, body: { error: { code: 'unauthorized' } } });
    expect(await s.ask(1, `/v1/stream?uid=${bob}`, {}, 'POST')).toMatchObject({ status: 405 });
  });

  test('live messages of a room come to streams and WebSockets alike, in order', async () => {
    const room = s.uid('room');
    const [alice, bob, carol] = [s.uid('alice'), s.uid('bob'), s.uid('carol')];
    const lines = [await s.joined(1, alice, room), await s.joined(2, bob, room), await s.joined(1, carol, room)];
    const readers = [await s.stream(1, bob), await s.stream(2, carol), await s.stream(1, carol, { device: 'other' })];
    for (const reader of readers) await reader.first('synced');
    for (const n of numbers(100)) {
      await Promise.all([s.say(1, alice, { room }, `a${n}`), s.say(2, bob, { room }, `b${n}`)]);
    }
    const conv = `room:${room}`;
    await until(
      () => (lines[0]?.messages(conv).filter((frame) => !frame.op).length ?? 0) >= 200,
      'the WebSocket to hear',
    );
    for (const reader of readers) {
      await reader.hears('a99', 'b99');
      const ledger = new Ledger();
      ledger.take(reader.events);
      expect(ledger.heard.length).toBe(200);
      expect(ledger.repeated).toBe(0);
    }
    for (const line of lines) await line.close();
  });

  test('the user is online while a stream is open, and streams of one device stand side by side', async () => {
    const bob = s.uid('bob');
    const isOnline = async (): Promise<unknown> => {
      const answer = await s.ask<{ presence: { online: boolean }[] }>(2, `/v1/presence?uid=${s.uid('any')}&of=${bob}`);
      return answer.body.presence[0]?.online;
    };
    const one = await s.stream(1, bob);
    const two = await s.stream(2, bob);
    await Promise.all([one.first('synced'), two.first('synced')]);
    expect(await isOnline()).toBe(true);
    one.leave();
    await s.say(1, s.uid('alice'), { receiver: bob }, 'still there?');
    await two.hears('still there?');
    expect(await isOnline()).toBe(true);
    two.leave();
    await until(async () => (await isOnline()) === false, 'the user to be offline', 10_000);
  });

  test('a slow reader is buffered for up to a bound, disturbs nobody, and misses nothing', async () => {
    const bob = await s.known('bob');
    const [alice, room] = [s.uid('alice'), s.uid('room')];
    await (await s.joined(1, bob, room)).close();
    await (await s.joined(1, alice, room)).close();
    const [slow, quick] = [await s.stream(1, bob, { paused: true }), await s.stream(1, bob, { device: 'quick' })];
    await quick.first('synced');
    const before = process.memoryUsage().rss;
    const padding = 'p'.repeat(30_000);
    for (const n of numbers(240)) {
      await s.say(1, alice, n % 2 ? { room } : { receiver: bob }, `${n} ${padding}`);
    }
    await quick.hearsMany(240);
    expect(s.place(1).notes.cell('skein_lagging_connections').value).toBe(1);
    expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000);
    slow.resume();
    await slow.hearsMany(240);
    const ledger = new Ledger();
    ledger.take(slow.events);
    expect(ledger.heard.length).toBe(240);
    expect(ledger.repeated).toBe(0);
    expect(s.place(1).notes.cell('skein_lagging_connections').value).toBe(0);
  });
});

describe.each(['uws', 'ws'] as const)('a node on %s that stops', (adapter) => {
  test('sends its streams elsewhere, takes no new ones, and leaves what was not acknowledged pending', async () => {
    const s = await Service.open({ adapter, nodes: 2 }, redis);
    const bob = s.uid(`bob-${adapter}`);
    const reader = await s.stream(1, bob);
    await reader.first('synced');
    await s.say(1, s.uid('alice'), { receiver: bob }, 'x');
    await reader.hears('x');
    const { lastId } = reader;
    await s.place(1).node.sendAway(200);
    await reader.ends();
    const { frame } = await reader.first('reconnect');
    expect(frame.after).toEqual(expect.any(Number));
    expect(reader.retries.at(-1)).toBe(frame.after);
    expect(reader.comments.at(-1)).toMatch(/^1012 /);
    expect(s.place(1).notes.cell('skein_connections', 'sse').value).toBe(0);
    // If at all, by a connection that was open before.
    const late = await s.ask(1, `/v1/stream?uid=${bob}`).catch(() => 'nobody there');
    expect(late === 'nobody there' || (typeof late === 'object' && late.status === 503)).toBe(true);
    const next = await s.stream(2, bob);
    await next.hears('x');
    const resumed = await s.stream(2, bob, { lastEventId: lastId });
    await resumed.first('synced');
    expect(resumed.data).toEqual([]);
    await s.close();
  });
});
