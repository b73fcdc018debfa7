import { afterAll, beforeAll, expect, test } from 'vitest';
import { A, B, C, user } from '../contract/town.js';
import { RedisServer } from '../support/redis.js';
import { socialTown } from './social-town.js';

let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start({ appendonly: 'no' });
});
afterAll(() => server.stop());

test('whom a user blocks is known on every node and at every arrival, until it ends', async () => {
  const { places } = await socialTown(server, 2);
  const [here, there] = [places[0]!, places[1]!];
  for (const other of [B, C, B]) expect(await here.node.blocks.block(A, other, true)).toBe(true);
  expect([...(await there.node.blocks.blocked(A))].sort()).toEqual([B, C]);
  expect([...(await there.arrives(A)).blocks].sort()).toEqual([B, C]);
  expect(await there.node.blocks.block(A, B, false)).toBe(true);
  expect(await there.node.blocks.block(A, B, false)).toBe(true);
  expect(await here.node.blocks.blocked(A)).toEqual([C]);
  expect(await here.node.blocks.blocked(B)).toEqual([]);
});

test('of many users, those who block somebody are told', async () => {
  const { node } = (await socialTown(server, 1)).places[0]!;
  const crowd = Array.from({ length: 1_200 }, (_, i) => user(`user${i}`));
  for (const uid of [crowd[3]!, crowd[700]!, crowd[1_199]!]) await node.blocks.block(uid, A, true);
  await node.blocks.block(crowd[4]!, B, true);
  await node.blocks.block(A, crowd[5]!, true);
  expect(await node.blocks.blockers(A, crowd)).toEqual([crowd[3], crowd[700], crowd[1_199]]);
  expect(await node.blocks.blockers(A, [])).toEqual([]);
});

test('one more than 10,000 is refused; one that is there already is not', async () => {
  const { places, keys } = await socialTown(server, 1);
  const { blocks } = places[0]!.node;
  const crowd = Array.from({ length: 9_999 }, (_, i) => `user${i}`);
  await server.ask((client) => client.sadd(keys.blocks(A), ...crowd));
  expect(await blocks.block(A, B, true)).toBe(true);
  expect(await blocks.block(A, C, true)).toBe(false);
  expect(await blocks.block(A, B, true)).toBe(true);
  expect(await blocks.block(A, B, false)).toBe(true);
  expect(await blocks.block(A, C, true)).toBe(true);
  expect(await blocks.blocked(A)).toHaveLength(10_000);
});
