import { describe, expect, test } from 'vitest';
import { EventReader, type StreamEvent, type StreamOptions } from '../server/event-reader.js';
import { shapesWith, townFor } from '../support/town.js';
import { until } from '../support/until.js';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

describe.each(shapesWith({}))('reading a stream on %s', (_shape, plan) => {
  const t = townFor(plan);
  const opens = (node: number, uid: string, options: StreamOptions = {}): Promise<EventReader> =>
    EventReader.open(t.node(node).url, uid, options);

  test('what a WebSocket is told, a stream is told: messages of every kind, receipts, presence of a reader', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const den = t.room('den');
    await alice.joins(den);
    await bob.joins(den);
    const stream = await opens(1, bob.uid, { device: 'stream' });
    expect(stream.headers['content-type']).toMatch(/^text\/event-stream/);
    await stream.first('synced');
    const said = [bob, den, 'everybody'] as const;
    for (const to of said) await alice.says(to, `to ${alice.convWith(to)} of ${alice.uid}`);
    await stream.hears(...said.map((to) => `to ${alice.convWith(to)} of ${alice.uid}`));
    const sent = await bob.says(alice, 'from my phone');
    await stream.hears('from my phone');
    alice.line.send({ type: 'read', conv: sent.conv, seq: sent.seq });
    const isReceipt = ({ frame }: StreamEvent): boolean =>
      frame.type === 'receipt' && frame.uid === alice.uid && frame.read === sent.seq;
    await until(() => stream.events.some(isReceipt), 'the receipt');
    stream.leave();
  });

  test('Last-Event-ID acknowledges and resumes right after it, on another node; without it everything comes again', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = t.user('bob');
    await alice.saysAll(bob, numbers(20));
    const first = await opens(1, bob.uid, { device: 's' });
    await first.hearsMany(20);
    expect(first.data).toEqual(numbers(20));
    first.leave();
    const again = await opens(2, bob.uid, { device: 's' });
    await again.hearsMany(20);
    again.leave();
    const resumed = await opens(2, bob.uid, { device: 's', lastEventId: first.messages[11]!.id });
    await resumed.hearsMany(8);
    await resumed.first('synced');
    expect(resumed.data).toEqual(numbers(20).slice(12));
    resumed.leave();
    const polled = await t.poller(bob.uid, 's').polls(1);
    expect(polled.messages.map((message) => message.data)).toEqual(numbers(20).slice(12));
  });

  test('a cursor of another device, or none of this server, is refused before the stream', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = t.user('bob');
    await alice.says(bob, 'x');
    const stream = await opens(1, bob.uid, { device: 'a' });
    await stream.hears('x');
    stream.leave();
    for (const lastEventId of ['nonsense', stream.lastId!]) {
      const refusal = opens(2, bob.uid, { device: 'b', lastEventId });
      await expect(refusal).rejects.toMatchObject({ status: 400, body: expect.stringContaining('bad_request') });
    }
  });

  test('it needs somebody, and a device in form', async () => {
    expect(await t.asks(1, '/v1/stream')).toMatchObject({ status: 401, body: { error: { code: 'unauthorized' } } });
    expect(await t.asks(1, '/v1/stream?uid=bob&device=a%20b')).toMatchObject({ status: 400 });
    expect(await t.asks(1, '/v1/stream?uid=a%20b')).toMatchObject({ status: 401 });
  });
});
