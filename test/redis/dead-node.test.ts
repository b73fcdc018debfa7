import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NodeId } from '../../src/chat/ports.js';
import { type Keys, keysOf, rootOf } from '../../src/redis/keys.js';
import { A, B, Place } from '../contract/town.js';
import { Recorder } from '../support/recorder.js';
import { RedisServer } from '../support/redis.js';
import { RedisNodes } from '../support/redis-node.js';
import { until } from '../support/until.js';

let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start({ appendonly: 'no' });
});
afterAll(() => server.stop());

/** What a node leaves behind that was killed an hour ago. */
async function leftBehind(keys: Keys, dead: NodeId, uids: readonly string[]): Promise<void> {
  await server.ask(async (client) => {
    await client.zadd(keys.nodes(), Date.now() - 3_600_000, dead);
    await client.set(keys.cnt(dead), '7');
    for (const uid of uids) {
      await client.sadd(keys.uids(dead), uid);
      await client.hset(keys.pres(uid), `dead-${uid}`, `${dead} phone`);
      await client.append(keys.at(uid), (await client.exists(keys.at(uid))) ? ` ${dead}` : dead);
    }
  });
}

describe('a node that died', () => {
  test('counts for nobody at once, and is buried by one of the others; who is elsewhere stays online', async () => {
    const nodes = new RedisNodes(server);
    const keys = keysOf(rootOf(nodes.prefix));
    const heard = new Recorder();
    const here = new Place(await nodes.node(heard), heard);
    await nodes.node();
    await here.arrives(A);
    const crowd = Array.from({ length: 450 }, (_, i) => `user${i}`);
    await leftBehind(keys, 'dead', [A, B, ...crowd]);
    const online = async () => (await here.node.presence.online([A, B])).map((one) => one.online);
    expect(await online()).toEqual([true, false]);
    await until(
      () => server.ask((client) => client.exists(keys.uids('dead'))).then((left) => left === 0),
      'the burial',
      20_000,
    );
    const left = await server.ask((client) => client.keys(`${rootOf(nodes.prefix)}:*`));
    expect(left.filter((key) => key.endsWith(':dead'))).toEqual([]);
    const [atA, pres, others] = await server.ask((client) =>
      Promise.all([client.get(keys.at(A)), client.hgetall(keys.pres(A)), client.exists(keys.at(B), keys.pres(B))]),
    );
    expect(atA).toBe('node-1');
    expect(Object.values(pres)).toEqual(['node-1 default']);
    expect(others).toBe(0);
    expect(await online()).toEqual([true, false]);
    await nodes.close();
  });

  test('that closes in order leaves nothing of its own behind', async () => {
    const nodes = new RedisNodes(server);
    const keys = keysOf(rootOf(nodes.prefix));
    const here = new Place(await nodes.node(), new Recorder());
    await here.arrives(A);
    await here.arrives(B);
    await nodes.close();
    const left = await server.ask((client) => client.keys(`${rootOf(nodes.prefix)}:*`));
    expect(left.filter((key) => key.includes('node-1'))).toEqual([]);
    const present = await server.ask((client) => client.exists(keys.at(A), keys.pres(A), keys.at(B), keys.nodes()));
    expect(present).toBe(0);
  });
});
