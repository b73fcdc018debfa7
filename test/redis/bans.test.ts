import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Ban } from '../../src/chat/social-ports.js';
import { A, B, PHONE } from '../contract/town.js';
import { RedisServer } from '../support/redis.js';
import { socialTown } from './social-town.js';

let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start({ appendonly: 'no' });
});
afterAll(() => server.stop());

const sorted = (bans: readonly Ban[]): string[] => bans.map((ban) => JSON.stringify(ban)).sort();

test('a ban of a user, of a device and of a token are three, and every node knows them until they end', async () => {
  const { places } = await socialTown(server, 2);
  const [here, there] = [places[0]!.node.bans, places[1]!.node.bans];
  expect(await here.all()).toEqual([]);
  const bans: Ban[] = [{ uid: A }, { uid: A, device: PHONE }, { uid: A, tokenId: 'it’s "a" token: {p0}' }, { uid: B }];
  for (const ban of [...bans, ...bans]) expect(await here.set(ban, true)).toBe(true);
  expect(sorted(await there.all())).toEqual(sorted(bans));
  expect(await there.set({ uid: A }, false)).toBe(true);
  expect(sorted(await here.all())).toEqual(sorted(bans.slice(1)));
  for (const ban of bans) expect(await there.set(ban, false)).toBe(true);
  expect(await here.all()).toEqual([]);
  expect(await here.set({ uid: B }, true)).toBe(true);
  expect(await there.all()).toEqual([{ uid: B }]);
});

test('are read whole only after a change', async () => {
  const { places } = await socialTown(server, 1);
  const { bans } = places[0]!.node;
  await bans.set({ uid: A }, true);
  const first = await bans.all();
  expect(await bans.all()).toBe(first);
  await bans.set({ uid: B }, true);
  expect(await bans.all()).toHaveLength(2);
});
