/** Nodes on one Redis as the tests of the social ports speak of them, and the keys that they write. */
import type { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import type { StoreLimits } from '../../src/chat/store-limits.js';
import { type Keys, keysOf, rootOf } from '../../src/redis/keys.js';
import { Place } from '../contract/town.js';
import { Recorder } from '../support/recorder.js';
import type { RedisServer } from '../support/redis.js';
import { LIMITS, RedisNodes } from '../support/redis-node.js';

export type SocialTown = {
  readonly places: readonly Place[];
  readonly keys: Keys;
  /** What every key of the town begins with. */
  readonly root: string;
};

/** Some nodes that are gone when the test is. */
export async function socialTown(
  server: RedisServer,
  count: number,
  limits: Partial<StoreLimits> = {},
): Promise<SocialTown> {
  const nodes = new RedisNodes(server, { limits: { ...LIMITS, ...limits } });
  onTestFinished(() => nodes.close());
  const places: Place[] = [];
  for (let i = 0; i < count; i++) {
    const heard = new Recorder();
    places.push(new Place(await nodes.node(heard), heard));
  }
  const root = rootOf(nodes.prefix);
  return { places, keys: keysOf(root), root };
}

/** Every key of a town with all that it holds, a line each. */
export async function everything(server: RedisServer, root: string): Promise<readonly string[]> {
  return server.ask(async (client) => {
    const keys = await client.keys(`${root}:*`);
    return Promise.all(keys.sort().map(async (key) => `${key} ${await contentOf(client, key)}`));
  });
}

async function contentOf(client: Redis, key: string): Promise<string> {
  const type = await client.type(key);
  switch (type) {
    case 'string':
      return (await client.get(key)) ?? '';
    case 'list':
      return JSON.stringify(await client.lrange(key, 0, -1));
    case 'hash':
      return JSON.stringify(await client.hgetall(key));
    case 'set':
      return JSON.stringify(await client.smembers(key));
    case 'zset':
      return JSON.stringify(await client.call('ZRANGE', key, '0', '-1', 'WITHSCORES'));
    default:
      throw new Error(`a key of type ${type}: ${key}`);
  }
}
