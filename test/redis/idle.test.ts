import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { StoreLimits } from '../../src/chat/store-limits.js';
import { ALL, DEFAULT_DEVICE, dmOf } from '../../src/protocol/index.js';
import { type Keys, keysOf, rootOf } from '../../src/redis/keys.js';
import { A, B, EVERYBODY, inRoom, Place, ROOM, to, user } from '../contract/town.js';
import { Recorder } from '../support/recorder.js';
import { RedisServer } from '../support/redis.js';
import { LIMITS, RedisNodes } from '../support/redis-node.js';
import { until } from '../support/until.js';

/** A month, in milliseconds of a test. */
const MONTH = 400;

let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start({ appendonly: 'no' });
});
afterAll(() => server.stop());

async function place(
  limits: Partial<StoreLimits> = {},
): Promise<{ here: Place; keys: Keys; left: () => Promise<string[]> }> {
  const short = { retentionMs: MONTH, deviceMs: MONTH, dedupMs: MONTH, ...limits };
  const nodes = new RedisNodes(server, { limits: { ...LIMITS, ...short } });
  onTestFinished(() => nodes.close());
  const heard = new Recorder();
  const here = new Place(await nodes.node(heard), heard);
  const keys = keysOf(rootOf(nodes.prefix));
  const left = () => server.ask((client) => client.keys(`${rootOf(nodes.prefix)}:*`));
  return { here, keys, left };
}

test('nothing is kept of people who were not there for long, nor of what they said', async () => {
  const { here, keys, left } = await place();
  const before = new Set([...(await left()), keys.probe(), keys.generations()]);
  const people = Array.from({ length: 20 }, (_, index) => user(`u${index}`));
  for (const [index, uid] of people.entries()) {
    const peer = people[(index + 1) % people.length]!;
    await here.arrives(uid, DEFAULT_DEVICE, `c${index}`);
    const { seq } = await here.says(uid, to(peer), 'hello', 'id');
    await here.says(uid, EVERYBODY, 'hello all', 'id');
    await here.acks(peer, dmOf(uid, peer), seq);
    await here.hasRead(uid, ALL, (await here.node.log.heads([ALL]))[0]!);
  }
  // Somebody who only ever sends, and one whom others wrote to and who never came.
  await here.says(user('bot'), EVERYBODY, 'news');
  await here.says(A, to(user('nobody')), 'are you there?');
  for (const [index, uid] of people.entries()) await here.leaves(uid, `c${index}`);
  let remains: string[] = [];
  const isEmpty = async () => {
    remains = (await left()).filter((key) => !before.has(key));
    return remains.length === 0;
  };
  await until(isEmpty, () => `everything to be gone; left are ${remains.join(' ')}`, 10_000);
});

test('who is in a room keeps their place in it, however long they are away; who left the last one does not', async () => {
  const { here, keys } = await place({ retentionMs: 3_600_000 });
  await here.arrives(B, DEFAULT_DEVICE, 'b');
  await here.founds(ROOM, A, [B]);
  const { seq } = await here.says(A, inRoom(ROOM), 'one');
  await here.acks(B, `room:${ROOM}` as never, seq);
  await here.leaves(B, 'b');
  await here.arrives(B, DEFAULT_DEVICE, 'b');
  await here.leaves(B, 'b');
  const device = () => server.ask((client) => client.exists(keys.devs(B)));
  await until(async () => (await device()) === 0, 'the device to be forgotten');
  await here.says(A, inRoom(ROOM), 'two');
  const { feeds } = await here.arrives(B, DEFAULT_DEVICE, 'b');
  expect(feeds.find(({ conv }) => conv === `room:${ROOM}`)).toMatchObject({ cursor: seq });
  await here.leaves(B, 'b');
  await here.quits(B, ROOM);
  const positions = () => server.ask((client) => client.exists(keys.read(B), keys.floor(B)));
  await until(async () => (await positions()) === 0, 'its positions to be forgotten, too');
});

test('somebody who talks with ever new people for years remembers those of whom something is left', async () => {
  const { here, keys } = await place({ retentionMs: 40, deviceMs: 3_600_000 });
  await here.arrives(A);
  let most = 0;
  for (let index = 0; index < 600; index++) {
    const peer = user(`p${index}`);
    const { seq } = await here.says(peer, to(A), 'hello');
    await here.acks(A, dmOf(peer, A), seq);
    const sizes = await server.ask((client) =>
      Promise.all([client.hlen(keys.cur(A, DEFAULT_DEVICE)), client.zcard(keys.box(A))]),
    );
    most = Math.max(most, ...sizes);
  }
  expect(most).toBeLessThan(300);
});

test('a user begins a conversation again when nothing is left of another', async () => {
  const { here } = await place({ conversations: 2 });
  await here.says(A, to(user('x')), 'hello');
  await here.says(A, to(user('y')), 'hello');
  expect(await here.tries(A, to(B), 'hello')).toEqual({ refused: 'box_full' });
  const fits = async () => !('refused' in (await here.tries(A, to(B), 'hello')));
  await until(fits, 'a place for one more conversation', 10_000);
});
