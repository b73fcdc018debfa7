/** Nodes on one Redis as the tests of SocialPorts speak of them, and the keys that they write. */
import { onTestFinished } from 'vitest';
import type { StoreLimits } from '../../src/chat/ports.js';
import type { createRedisBackend } from '../../src/redis/backend.js';
import { type Keys, keysOf, rootOf } from '../../src/redis/keys.js';
import { Place } from '../contract/town.js';
import { Recorder } from '../support/recorder.js';
import type { RedisServer } from '../support/redis.js';
import { LIMITS, RedisNodes } from '../support/redis-node.js';

export class SocialPlace extends Place {
  constructor(
    override readonly node: ReturnType<typeof createRedisBackend>,
    heard: Recorder,
  ) {
    super(node, heard);
  }
}

export type SocialTown = {
  readonly places: readonly SocialPlace[];
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
  const places: SocialPlace[] = [];
  for (let i = 0; i < count; i++) {
    const heard = new Recorder();
    places.push(new SocialPlace(await nodes.node(heard), heard));
  }
  const root = rootOf(nodes.prefix);
  return { places, keys: keysOf(root), root };
}
