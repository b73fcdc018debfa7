import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { Unavailable } from '../../src/chat/ports.js';
import { Link } from '../../src/redis/connect.js';
import { RedisServer } from '../support/redis.js';
import { Notes } from '../support/redis-node.js';
import { until } from '../support/until.js';

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

type Outcome = { readonly done: number; readonly refused: number };

/** So many pings at the same moment: how many were answered, and how many refused. */
async function storm(calls: number): Promise<Outcome> {
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

const isCalm = (outcome: Outcome): Outcome | false => outcome.refused === 0 && outcome;

test('a storm of calls reaches Redis a bounded number at a time, in order, and all are answered', async () => {
  // A call may be refused that has waited for 1.5 s; so long takes no storm but on a machine that has better to do.
  const outcome = await until(async () => isCalm(await storm(5_000)), 'a storm that is over in time', 20_000);
  expect(outcome).toEqual({ done: 5_000, refused: 0 });
  expect(most).toBe(AT_ONCE);
  expect(begun).toEqual(Array.from({ length: 5_000 }, (_, index) => index));
  expect(notes.cell('skein_redis_calls', 'commands').value).toBe(0);
});

test('more than may wait are refused at once', async () => {
  const crowd = storm(11_000);
  // Nothing was answered yet: the same turn of the event loop.
  await Promise.resolve();
  expect(notes.cell('skein_redis_errors_total', 'storm').value).toBe(11_000 - 10_000 - AT_ONCE);
  await crowd;
});

test('when Redis hangs, whoever waits is told so in a bounded time, too', async () => {
  const warnings: Error[] = [];
  const note = (warning: Error): unknown => warnings.push(warning);
  process.on('warning', note);
  onTestFinished(() => void process.off('warning', note));
  server.freeze();
  const start = performance.now();
  expect(await storm(5_000)).toEqual({ done: 0, refused: 5_000 });
  expect(performance.now() - start).toBeLessThan(4_000);
  expect(most).toBe(AT_ONCE);
  expect(warnings).toEqual([]);
  server.thaw();
});

test('the heartbeat waits for nobody', async () => {
  const crowd = storm(8_000);
  const beat = link.call('beat', (client) => client.ping());
  await beat;
  expect(begun.length).toBeLessThan(8_000);
  await crowd;
});

test('a node that was held up itself takes the answers that came meanwhile', async () => {
  const answer = link.call('held up', (client) => client.ping());
  await link.call('beat', (client) => client.ping());
  const late = link.call('held up', (client) => client.ping());
  for (const start = performance.now(); performance.now() - start < 1_700; );
  expect([await answer, await late]).toEqual(['PONG', 'PONG']);
});
