/** What a node does about words that were lost: the tests write to the store what another node did without saying so. */
import { afterAll, afterEach, beforeAll, test } from 'vitest';
import { keysOf, rootOf } from '../../src/redis/keys.js';
import { user } from '../contract/town.js';
import { Connection } from '../support/client.js';
import { type NodeProcess, startNode } from '../support/process.js';
import { RedisServer } from '../support/redis.js';
import { until } from '../support/until.js';

const keys = keysOf(rootOf('sk'));

let server: RedisServer;
let node: NodeProcess;
const lines: Connection[] = [];

beforeAll(async () => {
  server = await RedisServer.start({ appendonly: 'no' });
  node = await startNode({ REDIS_URL: server.url });
});
afterEach(() => {
  for (const line of lines.splice(0)) line.socket.terminate();
});
afterAll(async () => {
  await node?.kill('SIGKILL');
  await server?.stop();
});

async function comes(uid: string): Promise<Connection> {
  const line = await Connection.open(node.wsUrl({ uid }));
  lines.push(line);
  await line.firstOf('synced');
  return line;
}

test('a ban that nobody told of ends a connection within a second all the same', async () => {
  const ben = await comes('ben');
  await server.ask((client) => client.hset(keys.bans(), JSON.stringify(['ben', null, null]), '1', 'revision', '7'));
  await until(() => ben.closing?.code === 4403, 'ben to be closed', 1_000);
});

test('a block that nobody told of counts once the subscription is back', async () => {
  const [ann, bob] = [await comes('ann'), await comes('bob')];
  await server.ask((client) => client.sadd(keys.blocks(user('ann')), 'bob'));
  await server.ask((client) => client.call('CLIENT', 'KILL', 'TYPE', 'pubsub'));
  const isHidden = async (): Promise<boolean> => {
    const { seq } = await bob.request({ receiver: 'ann', data: 'are you there?' });
    const got = await ann.first((frame) => frame.type === 'message' && frame.seq === seq, 'what bob says');
    return got.blocked === true;
  };
  await until(isHidden, 'what bob says to be hidden', 5_000);
});
