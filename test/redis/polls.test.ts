import { afterAll, beforeAll, expect, test } from 'vitest';
import { keysOf, rootOf } from '../../src/redis/keys.js';
import { A, AB, PHONE } from '../contract/town.js';
import { RedisServer } from '../support/redis.js';
import { RedisNodes } from '../support/redis-node.js';

let server: RedisServer;
let nodes: RedisNodes;
beforeAll(async () => {
  server = await RedisServer.start();
  nodes = new RedisNodes(server);
});
afterAll(async () => {
  await nodes.close();
  await server.stop();
});

test('a store that forgot its newest polls gives none of their numbers to another: a late cursor acknowledges nothing', async () => {
  const { devices } = await nodes.node();
  const phone = { uid: A, device: PHONE };
  const polls = keysOf(rootOf(nodes.prefix)).polls(A, PHONE);
  await devices.savePoll(phone, [[AB, 1]]);
  const before = await server.ask((client) => client.dumpBuffer(polls));
  const handedOut = await devices.savePoll(phone, [[AB, 2]]);
  // What a replica has that takes over before it got the newest poll.
  await server.ask((client) => client.restore(polls, 0, before, 'REPLACE'));
  const lostOnItsWay = await devices.savePoll(phone, [[AB, 3]]);
  expect(lostOnItsWay).toBeGreaterThan(handedOut);
  expect(await devices.openPoll(phone, handedOut)).toBeUndefined();
  expect(await devices.openPoll(phone, lostOnItsWay)).toEqual([[AB, 3]]);
});
