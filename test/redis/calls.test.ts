import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { Unavailable } from '../../src/chat/ports.js';
import { Link } from '../../src/redis/connect.js';
import { RedisServer } from '../support/redis.js';
import { Notes } from '../support/redis-node.js';

const AT_ONCE = 256;

let server: RedisServer;
let link: Link;
let notes: Notes;
beforeAll(async () => {
  server = await RedisServer.start({ appendonly: 'no' });
});
afterAll(() => server.stop());

beforeEach(async () => {
  notes = new Notes();
  const redis = { host: '127.0.0.1', port: server.port };
  link = new Link({ name: 'commands', redis, meter: notes, log: notes.log, prepare: () => Promise.resolve() });
  await link.open(5_000);
  onTestFinished(() => link.close());
});

let running = 0;
let most = 0;
const begun: number[] = [];

/** So many pings at the same moment: how many were answered, and how many refused. */
async function storm(calls: number): Promise<{ readonly done: number; readonly refused: number }> {
  running = most = begun.length = 0;
  const all = Array.from({ length: calls }, (_, index) =>
    link.call('storm', async (client) => {
      begun.push(index);
      most = Math.max(most, ++running);
      return client.ping().finally(() => running--);
    }),
  );
  const outcomes = await Promise.allSettled(all);
  const refused = outcomes.filter(
    (outcome) => outcome.status === 'rejected' && outcome.reason instanceof Unavailable,
  ).length;
  return { done: outcomes.filter(({ status }) => status === 'fulfilled').length, refused };
}

test('a storm of calls reaches Redis a bounded number at a time, in order, and all are answered', async () => {
  expect(await storm(5_000)).toEqual({ done: 5_000, refused: 0 });
  expect(most).toBe(AT_ONCE);
  expect(begun).toEqual(Array.from({ length: 5_000 }, (_, index) => index));
  expect(notes.cell('skein_redis_calls', 'commands').value).toBe(0);
});

test('more than may wait are refused at once', async () => {
  expect(await storm(11_000)).toEqual({ done: 10_000 + AT_ONCE, refused: 11_000 - 10_000 - AT_ONCE });
});

test('when Redis hangs, whoever waits is told so in a bounded time, too', async () => {
  server.freeze();
  const start = performance.now();
  expect(await storm(5_000)).toEqual({ done: 0, refused: 5_000 });
  expect(performance.now() - start).toBeLessThan(4_000);
  expect(most).toBe(AT_ONCE);
  server.thaw();
});

test('the heartbeat waits for nobody', async () => {
  const crowd = storm(8_000);
  const beat = link.call('beat', (client) => client.ping());
  await beat;
  expect(begun.length).toBeLessThan(8_000);
  await crowd;
});
