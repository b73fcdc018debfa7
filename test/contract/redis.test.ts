import { afterAll, beforeAll } from 'vitest';
import { RedisServer } from '../support/redis.js';
import { RedisNodes } from '../support/redis-node.js';
import { laws } from './laws.js';

let server: RedisServer;
beforeAll(async () => {
  // What is written to disk makes no difference here, and test/redis looks at it.
  server = await RedisServer.start({ appendonly: 'no' });
});
afterAll(() => server.stop());

laws({
  name: 'redis',
  manyNodes: true,
  async make({ limits }) {
    const nodes = new RedisNodes(server, { limits });
    return { node: (listener) => nodes.node(listener), close: () => nodes.close() };
  },
});
