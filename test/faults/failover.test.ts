import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Connection } from '../support/client.js';
import { Crowd } from '../support/crowd.js';
import { Failover } from '../support/failover.js';
import { dmOf } from '../support/frame.js';
import { http } from '../support/http.js';
import { ResilientClient } from '../support/resilient.js';
import { type Town, town } from '../support/town.js';
import { pause, until } from '../support/until.js';

/** One round each way; `FAILOVER_ROUNDS=20` for the long run. */
const ROUNDS = Number(process.env.FAILOVER_ROUNDS ?? 3);
/** For how long the replica gets nothing before the primary dies. */
const BEHIND_MS = [0, 300, 1_000];
const RETURN_MS = 20_000;

let pair: Failover;
let t: Town;
beforeEach(async () => {
  pair = await Failover.ready();
});
afterEach(async () => {
  await t.closes();
  await pair.closes();
});

const opens = (ring: string): Promise<Town> =>
  town({
    nodes: 3,
    redis: pair.primary,
    through: async () => pair.store,
    env: { SKEIN_RING_MB: ring },
  });

async function metric(name: string): Promise<number[]> {
  const texts = await Promise.all(t.living.map((node) => http<string>(`${node.metricsUrl}/metrics`)));
  return texts.map(({ text }) => Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1] ?? 0));
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

test(`a primary dies with what its replica had not got, ${ROUNDS} times under traffic: nothing acknowledged is lost, doubled or reordered`, {
  timeout: 60_000 + ROUNDS * 20_000,
}, async () => {
  t = await opens('64');
  const crowd = await Crowd.in(t, { people: 9, rate: 300 });
  // Somebody who is away sees only what is stored.
  const away = new ResilientClient('away', () => t.living, crowd.ledger);
  const line = await Connection.open(t.node(1).wsUrl({ uid: 'away', ack: 'manual' }));
  await line.request({ type: 'join', room: 'square' });
  await line.close();
  crowd.ledger.expects('room:square', 'away');
  for (const { uid } of crowd.clients) crowd.ledger.expects(dmOf(uid, 'away'), 'away');
  let turn = 0;
  const toAway = setInterval(() => crowd.clients[turn++ % 9]!.says({ receiver: 'away' }), 10);
  try {
    crowd.talks();
    for (let round = 0; round < ROUNDS; round++) {
      const goal = crowd.ledger.account.acked + 300;
      await until(() => crowd.ledger.account.acked >= goal, 'traffic to go on', RETURN_MS);
      const behind = BEHIND_MS[round % BEHIND_MS.length]!;
      if (behind > 0) pair.cuts();
      await pause(behind);
      await pair.fails();
      const died = crowd.ledger.account.acked;
      await until(() => crowd.ledger.account.acked > died + 50, 'the new primary to take messages', RETURN_MS);
      await pair.recovers();
    }
    clearInterval(toAway);
    away.starts();
    const account = await crowd.settles(RETURN_MS);
    expect(account).toMatchObject({ lost: 0, doubled: 0, reordered: 0, unexplained: 0, refused: 0 });
    expect([...crowd.violations, ...away.violations]).toEqual([]);
    const restored = sum(await metric('skein_restored_total'));
    // Told, not judged: it is what a busy machine makes of it.
    const slowest = Math.max(...(await metric('skein_restore_seconds_sum'))) / ROUNDS;
    console.info(`${account.acked} acknowledged, ${restored} put back, ${slowest} s a round on the slowest node`);
    expect(restored).toBeGreaterThan(0);
    expect(t.violations()).toEqual([]);
  } finally {
    clearInterval(toAway);
    await away.stops();
    await crowd.leaves();
  }
});

describe.each([
  ['with', '64', 0],
  ['without', '0', 20],
])('%s what the nodes keep', (_word, ring, lost) => {
  test(`${lost} of 20 messages that the replica had not got are lost`, async () => {
    t = await opens(ring);
    const alice = await t.user('alice').comesTo(1);
    const bob = t.user('bob');
    await alice.says(bob, 'before');
    await pair.isLevel();
    pair.cuts();
    const numbers = Array.from({ length: 20 }, (_, n) => n);
    await alice.saysAll(bob, numbers);
    await pair.fails();
    await until(async () => (await alice.tries(bob, 'after', { id: 'a' })).type === 'sent', 'sends', RETURN_MS);
    await bob.comesTo(2);
    await bob.hears('after');
    const heard = bob.heard();
    expect(numbers.filter((n) => !heard.includes(n)).length).toBe(lost);
    expect(heard.filter((data) => typeof data === 'string')).toEqual(['before', 'after']);
    expect(t.violations()).toEqual([]);
  });
});
