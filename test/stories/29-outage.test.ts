import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EventReader } from '../server/event-reader.js';
import type { Frame } from '../support/frame.js';
import type { Person } from '../support/person.js';
import { type Town, town } from '../support/town.js';
import { until } from '../support/until.js';

describe('while Redis is away', () => {
  let t: Town;
  let alice: Person;
  let bob: Person;
  let sent: Frame;
  beforeAll(async () => {
    t = await town({ nodes: 2, redis: true });
    alice = await t.user('alice').comesTo(1, { ack: 'manual' });
    bob = await t.user('bob').comesTo(2);
    sent = await alice.says(bob, 'before');
    await bob.hears('before');
    await t.redis.kill();
    await until(async () => (await t.asks(1, '/readyz')).status === 503, 'the node to know', 10_000);
  });
  afterAll(() => t.closes());

  test('every frame that needs it is answered unavailable, with a time to come back', async () => {
    const den = t.room('den').name;
    for (const frame of [
      { type: 'send', receiver: bob.uid, data: 'lost?' },
      { type: 'send', room: den, data: 'lost?' },
      { type: 'send', broadcast: true, data: 'lost?' },
      { type: 'history', conv: sent.conv },
      { type: 'conversations' },
      { type: 'join', room: den },
      { type: 'leave', room: den },
      { type: 'members', room: den },
      { type: 'watch', uids: [bob.uid] },
      { type: 'recall', conv: sent.conv, seq: sent.seq },
      { type: 'edit', conv: sent.conv, seq: sent.seq, data: 1 },
      { type: 'react', conv: sent.conv, seq: sent.seq, emoji: '👍', on: true },
    ]) {
      const answer = await alice.asks(frame);
      expect(answer, JSON.stringify(frame)).toMatchObject({
        type: 'error',
        code: 'unavailable',
        retry: expect.any(Number),
      });
      expect(answer.retry).toBeGreaterThan(0);
    }
    await alice.line.settles();
    expect(alice.line.isOpen).toBe(true);
  });

  test('every request over HTTP is 503 with Retry-After in seconds', async () => {
    const conv = encodeURIComponent(sent.conv!);
    const requests: [string, string, object?][] = [
      ['POST', '/messages', { receiver: bob.uid, data: 'lost?' }],
      ['GET', '/messages?wait=0'],
      ['GET', '/messages?wait=5'],
      ['GET', '/stream'],
      ['GET', '/conversations'],
      ['GET', `/conversations/${conv}/messages`],
      ['POST', `/conversations/${conv}/read`, { seq: sent.seq }],
      ['POST', `/conversations/${conv}/ack`, { seq: sent.seq }],
      ['POST', '/rooms', { room: 'den' }],
      ['GET', '/rooms/den'],
      ['PUT', `/blocks/${bob.uid}`],
      ['GET', '/blocks'],
      ['GET', `/presence?of=${bob.uid}`],
    ];
    for (const [method, path, body] of requests) {
      const answer = await alice.calls(2, method, path, body);
      expect(answer, `${method} ${path}`).toMatchObject({ status: 503, body: { error: { code: 'unavailable' } } });
      expect(Number(answer.headers.get('retry-after')), `${method} ${path}`).toBeGreaterThan(0);
    }
    expect((await t.asks(1, '/healthz')).status).toBe(200);
  });

  test('when it is back everything goes on, on the connections that there were', async () => {
    await t.redis.restart();
    const isStored = async (): Promise<boolean> => (await alice.tries(bob, 'after', { id: 'after' })).type === 'sent';
    await until(isStored, 'a send to be stored', 15_000);
    await bob.hears('after', 10_000);
    await until(async () => (await t.asks(2, '/readyz')).status === 200, 'node 2 to be ready', 10_000);
    const stream = await EventReader.open(t.node(2).url, bob.uid, { device: 'late' });
    await stream.first('synced');
    stream.leave();
    expect(bob.heard()).toEqual(['before', 'after']);
    expect(t.violations()).toEqual([]);
  });
});
