import { afterEach, beforeEach, expect, test } from 'vitest';
import { TcpProxy } from '../../loadtest/chaos/tcp-proxy.js';
import { Failover } from '../support/failover.js';
import type { Frame } from '../support/frame.js';
import { http } from '../support/http.js';
import type { Person } from '../support/person.js';
import { type Town, town } from '../support/town.js';
import { pause, until } from '../support/until.js';

/** Longer than nodes keep what they stored while all is well. */
const APART_MS = 13_000;
const BETWEEN_MS = 40;
const RETURN_MS = 20_000;

let pair: Failover;
let t: Town;
/** The ways to Redis of node 1, which is cut off with the primary, and of nodes 2 and 3. */
let ways: TcpProxy[];
beforeEach(async () => {
  pair = await Failover.ready();
});
afterEach(async () => {
  await t.closes();
  await Promise.all(ways.map((way) => way.closes()));
  await pair.closes();
});

async function opens(env: Readonly<Record<string, string>> = {}): Promise<void> {
  ways = [await TcpProxy.to(pair.primary.port), await TcpProxy.to(pair.primary.port)];
  t = await town({
    nodes: 3,
    redis: pair.primary,
    through: async (_redis, number) => ways[number === 1 ? 0 : 1]!,
    env,
  });
}

/** Node 1 stays with the primary; the others go on with the replica. */
async function parts(): Promise<void> {
  pair.cuts();
  await pair.replica.ask((client) => client.call('REPLICAOF', 'NO', 'ONE'));
  ways[1]!.turnsTo(pair.replica.port);
}

/** The old primary is gone, and node 1 finds the others. */
async function meets(): Promise<void> {
  await pair.primary.kill();
  ways[0]!.turnsTo(pair.replica.port);
}

/** Says 1, 2, 3 … until the end of the partition, and returns what was answered `sent`. */
async function talks(from: Person, to: Person, until: () => boolean): Promise<Frame[]> {
  const confirmed: Frame[] = [];
  for (let n = 1; !until(); n++) {
    const id = `${from.uid} to ${to.uid} ${n}`;
    const answer = await from.tries(to, id, { id });
    if (answer.type === 'sent') confirmed.push(answer);
    await pause(BETWEEN_MS);
  }
  return confirmed;
}

async function logOf(person: Person, conv: string): Promise<Frame[]> {
  const all: Frame[] = [];
  for (let more = true, before: number | undefined; more; before = all[0]?.seq as number) {
    const page = await person.asks({ type: 'history', conv, limit: 200, ...(before !== undefined && { before }) });
    all.unshift(...(page.messages as Frame[]));
    more = page.more === true;
  }
  return all;
}

async function sum(metric: string): Promise<number> {
  const texts = await Promise.all(t.living.map((node) => http<string>(`${node.metricsUrl}/metrics`)));
  return texts.reduce((total, { text }) => total + Number(new RegExp(`^${metric} (\\d+)`, 'm').exec(text)?.[1]), 0);
}

test('a node is cut off with its primary, and both sides go on: all that either confirmed is in the logs under its number, and comes to whoever had nothing later', {
  timeout: 90_000,
}, async () => {
  await opens();
  const [alice, bob, carol] = [t.user('alice'), t.user('bob'), t.user('carol')];
  const [dora, emil] = [t.user('dora'), t.user('emil')];
  for (const each of [alice, bob]) await each.comesTo(1);
  for (const each of [dora, emil]) await each.comesTo(2);
  await alice.says(dora, 'before');
  await pair.isLevel();
  await parts();
  const began = performance.now();
  const isOver = (): boolean => performance.now() - began > APART_MS;
  const talking = [
    talks(alice, bob, isOver),
    talks(alice, carol, isOver),
    talks(alice, dora, isOver),
    talks(dora, emil, isOver),
    talks(dora, alice, isOver),
  ];
  const [toBob, toCarol, toDora, toEmil, toAlice] = await Promise.all(talking);
  for (const confirmed of [toBob, toCarol, toDora, toEmil, toAlice]) expect(confirmed!.length).toBeGreaterThan(20);
  await meets();
  await until(async () => (await alice.tries(bob, 'after', { id: 'after' })).type === 'sent', 'sends', RETURN_MS);
  await alice.says(dora, 'after');
  await bob.hears('after');
  await dora.hears('after');

  // Both sides of a conversation were on one side: nobody notices.
  expect(bob.heard(bob.convWith(alice))).toEqual([...toBob!.map(({ id }) => id), 'after']);
  await emil.says(dora, 'done');
  expect(emil.heard(emil.convWith(dora))).toEqual(toEmil!.map(({ id }) => id));
  // Whoever was away gets it all.
  await carol.comesTo(3);
  expect(carol.heard(carol.convWith(alice))).toEqual(toCarol!.map(({ id }) => id));
  // Across: each saw their own side's, without repetitions, and the log has both, each under the number it was given.
  const log = await logOf(dora, dora.convWith(alice));
  const places = new Map(log.map(({ id, seq }) => [id, seq]));
  for (const { id, seq } of [...toDora!, ...toAlice!]) expect([id, places.get(id)]).toEqual([id, seq]);
  expect(new Set(places.values()).size).toBe(log.length);
  expect(log.map(({ seq }) => seq)).toEqual(log.map(({ seq }) => seq as number).sort((a, b) => a - b));
  expect(await sum('skein_restored_late_total')).toBeGreaterThanOrEqual(toDora!.length);
  expect(t.violations()).toEqual([]);
});

test('the same in strict: the side that is cut off confirms nothing, and everybody hears all that was confirmed', {
  timeout: 90_000,
}, async () => {
  await opens({ SKEIN_DURABILITY: 'strict' });
  const [alice, dora, emil] = [t.user('alice'), t.user('dora'), t.user('emil')];
  await alice.comesTo(1);
  for (const each of [dora, emil]) await each.comesTo(2);
  await alice.says(dora, 'before');
  await parts();
  await pair.enlists(pair.replica);
  let isOver = false;
  const cutOff = talks(alice, dora, () => isOver);
  const others = talks(dora, alice, () => isOver);
  const confirmed = await until(async () => (await dora.tries(emil, 'there')).type === 'sent', 'the others', RETURN_MS);
  expect(confirmed).toBe(true);
  const at = performance.now();
  await until(() => performance.now() - at > 3_000, 'some traffic', RETURN_MS);
  isOver = true;
  expect(await cutOff).toEqual([]);
  expect((await others).length).toBeGreaterThan(0);
  await meets();
  await until(async () => (await alice.tries(dora, 'after', { id: 'after' })).type === 'sent', 'sends', RETURN_MS);
  await dora.hears('after');
  await alice.hears((await others).at(-1)!.id, RETURN_MS);
  const heard = alice.heard(alice.convWith(dora));
  for (const { id } of await others) expect(heard).toContain(id);
  expect(new Set(heard).size).toBe(heard.length);
  expect(t.violations()).toEqual([]);
});
