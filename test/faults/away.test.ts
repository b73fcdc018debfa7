import { afterEach, expect, test } from 'vitest';
import { type Town, town } from '../support/town.js';
import { until } from '../support/until.js';

const PENDING = 10_000;
const AT_ONCE = 2_000;
const PATIENCE_MS = 60_000;

let t: Town;
afterEach(() => t.closes());

test('of 12,000 messages to somebody absent 10,000 are taken and the others refused; restarts later they come in order, on another node', {
  timeout: 180_000,
}, async () => {
  t = await town({ nodes: 2, redis: true, env: { SKEIN_PENDING_BYTES: '100000000' } });
  const bob = await t.user('bob').comesTo(1);
  await bob.leaves();
  const alice = await t.user('alice').comesTo(1);
  const codes: unknown[] = [];
  for (let from = 0; from < PENDING + AT_ONCE; from += AT_ONCE) {
    const numbers = Array.from({ length: AT_ONCE }, (_, index) => from + index);
    const send = (n: number) => alice.line.request({ receiver: bob.uid, data: n }, PATIENCE_MS);
    codes.push(...(await Promise.all(numbers.map(send))).map(({ type, code }) => code ?? type));
  }
  expect(codes.slice(0, PENDING).every((code) => code === 'sent')).toBe(true);
  expect(codes.slice(PENDING).every((code) => code === 'box_full')).toBe(true);
  await t.node(1).kill('SIGKILL');
  await t.redis.kill();
  await t.redis.restart();
  await until(async () => (await t.asks(2, '/readyz')).status === 200, 'node 2 to be ready', PATIENCE_MS);
  const start = performance.now();
  await bob.returnsTo(2);
  const heard = await bob.hearsMany(PENDING, bob.convWith(alice), PATIENCE_MS);
  expect(heard.map(({ data }) => data)).toEqual(Array.from({ length: PENDING }, (_, index) => index));
  // Told, not judged: it is what a busy machine makes of it.
  console.info(`10,000 pending messages came within ${Math.round(performance.now() - start)} ms of the log-in`);
  await alice.comesTo(2);
  // He has them when he has answered a ping that came after them.
  const isSent = async () => (await alice.tries(bob, 'room again')).type === 'sent';
  await until(isSent, 'room for another', PATIENCE_MS);
  await bob.hears('room again');
  expect(t.violations()).toEqual([]);
});
