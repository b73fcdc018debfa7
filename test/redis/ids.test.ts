import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { seqOf } from '../../src/chat/item.js';
import { keysOf, rootOf } from '../../src/redis/keys.js';
import { A, AB, B, EVERYBODY, letter, Place, stored, to } from '../contract/town.js';
import { Recorder } from '../support/recorder.js';
import { RedisServer } from '../support/redis.js';
import { LIMITS, RedisNodes } from '../support/redis-node.js';

const WINDOW = LIMITS.dedupMs;

let server: RedisServer;
let nodes: RedisNodes;
let here: Place;
let there: Place;
beforeAll(async () => {
  server = await RedisServer.start({ appendonly: 'no' });
});
beforeEach(async () => {
  nodes = new RedisNodes(server);
  here = new Place(await nodes.node(), new Recorder());
  there = new Place(await nodes.node(), new Recorder());
  return () => nodes.close();
});
afterAll(() => server.stop());

const keys = () => keysOf(rootOf(nodes.prefix));
const generations = async () => (await server.ask((client) => client.get(keys().generations())))?.split(' ') ?? [];
const hashes = () => server.ask((client) => client.keys(keys().ids('*')));

/** Everything that is known of ids becomes older: what the store's clock does by and by. */
async function pass(ms: number): Promise<void> {
  const old = await generations();
  await server.ask(async (client) => {
    for (const name of old) {
      if (await client.exists(keys().ids(name)))
        await client.rename(keys().ids(name), keys().ids(`${Number(name) - ms}`));
    }
    await client.set(keys().generations(), old.map((name) => Math.max(0, Number(name) - ms)).join(' '));
  });
}

test('an id is known for the whole window, however soon after it a new generation begins', async () => {
  await here.says(A, to(B), 'begins the generation', 'first');
  await pass(WINDOW - 1_000);
  const { seq, ts } = await here.says(A, to(B), 'late in it', 'late');
  await pass(1_000);
  expect(await there.says(B, to(A), 'begins the next', 'b')).toMatchObject({ dup: false });
  await pass(WINDOW - 2_000);
  expect(await there.says(A, to(B), 'late in it', 'late')).toMatchObject({ dup: true, seq, ts });
  expect(await here.says(A, to(B), 'late in it', 'late')).toMatchObject({ dup: true, seq, ts });
});

test('ids are forgotten after two windows at most, and what they took is free', async () => {
  const { seq } = await here.says(A, to(B), 'once', 'id');
  await pass(WINDOW);
  await here.says(A, to(B), 'next', 'next');
  expect(await hashes()).toHaveLength(2);
  await pass(WINDOW);
  expect(await here.says(A, to(B), 'once', 'id')).toMatchObject({ dup: false, seq: seq + 2 });
  expect(await hashes()).toHaveLength(2);
});

test('ids that nobody follows end by themselves', async () => {
  await here.says(A, EVERYBODY, 'the last for a long time', 'id');
  const [present = ''] = await generations();
  const life = await server.ask((client) => client.pttl(keys().ids(present)));
  expect(life).toBeGreaterThan(2 * WINDOW);
  expect(life).toBeLessThanOrEqual(3 * WINDOW);
});

test('a clock that is set back, by little or by much, makes no id forgotten', async () => {
  const { seq } = await here.says(A, to(B), 'once', 'id');
  await pass(-WINDOW / 2);
  expect(await there.says(A, to(B), 'once', 'id')).toMatchObject({ dup: true, seq });
  await pass(-100 * WINDOW);
  await there.says(A, to(B), 'another', 'another');
  expect(await here.says(A, to(B), 'once', 'id')).toMatchObject({ dup: true, seq });
  // Not for as long as the clock was ahead.
  await pass(WINDOW);
  await there.says(A, to(B), 'yet another', 'yet another');
  await pass(WINDOW);
  expect(await here.says(A, to(B), 'once', 'id')).toMatchObject({ dup: false });
});

test('an id is one of its sender and conversation, also where one batch has it many times', async () => {
  const batch = [
    letter(A, to(B), 'one', 'a b'),
    letter(B, to(A), 'two', 'a b'),
    letter(A, EVERYBODY, 'three', 'a b'),
    letter(A, to(B), 'one', 'a b'),
    letter(A, EVERYBODY, 'three', 'a b'),
    letter(A, to(B), 'four', 'a'),
  ];
  const outcomes = (await here.node.log.append(batch)).map(stored);
  expect(outcomes.map(({ dup }) => dup)).toEqual([false, false, false, true, true, false]);
  expect(outcomes[3]?.seq).toBe(outcomes[0]?.seq);
  expect(outcomes[4]?.seq).toBe(outcomes[2]?.seq);
  expect((await here.items(AB)).map(seqOf)).toHaveLength(3);
});
