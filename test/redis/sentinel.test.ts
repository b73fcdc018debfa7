import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, expect, test } from 'vitest';
import { freePort } from '../../loadtest/rig/programs.js';
import { seqOf } from '../../src/chat/item.js';
import { Unavailable } from '../../src/chat/ports.js';
import { keysOf, rootOf } from '../../src/redis/keys.js';
import { A, AB, B, Place, stored, textOf, to } from '../contract/town.js';
import { Recorder } from '../support/recorder.js';
import { RedisServer } from '../support/redis.js';
import { Notes, RedisNodes } from '../support/redis-node.js';
import { until } from '../support/until.js';

const FAILOVER_MS = 25_000;
const afterwards: (() => unknown)[] = [];
afterEach(async () => {
  for (const work of afterwards.splice(0).reverse()) await work();
});

/** A sentinel that alone decides, and fast. Returns its port. */
async function sentinelFor(primary: RedisServer): Promise<number> {
  const dir = mkdtempSync(join(tmpdir(), 'skein-sentinel-'));
  const port = await freePort();
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${dir}`,
    `sentinel monitor mymaster 127.0.0.1 ${primary.port} 1`,
    'sentinel down-after-milliseconds mymaster 800',
    'sentinel failover-timeout mymaster 3000',
  ];
  writeFileSync(join(dir, 'sentinel.conf'), lines.join('\n'));
  const child: ChildProcess = spawn('redis-server', [join(dir, 'sentinel.conf'), '--sentinel'], { stdio: 'ignore' });
  afterwards.push(() => {
    child.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  });
  const client = new Redis(port, '127.0.0.1', { retryStrategy: () => 50 });
  client.on('error', () => undefined);
  afterwards.push(() => client.disconnect());
  const knowsReplica = async () => ((await client.call('SENTINEL', 'REPLICAS', 'mymaster')) as unknown[]).length > 0;
  await until(() => knowsReplica().catch(() => false), 'the sentinel to know the replica', FAILOVER_MS);
  return port;
}

test('after a failover a node goes on with the new primary, which gets what it lacks, in a new run', {
  timeout: 60_000,
}, async () => {
  const primary = await RedisServer.start({ more: { 'repl-diskless-sync-delay': '0' } });
  afterwards.push(() => primary.stop());
  const replica = await RedisServer.start({ more: { replicaof: `127.0.0.1 ${primary.port}` } });
  afterwards.push(() => replica.stop());
  const sentinel = await sentinelFor(primary);
  const nodes = new RedisNodes(primary, { url: `redis+sentinel://127.0.0.1:${sentinel}/mymaster` });
  const heard = new Recorder();
  const here = new Place(await nodes.node(heard, new Notes()), heard);
  afterwards.push(() => nodes.close());
  const before = await here.says(A, to(B), 'before', '1');
  const log = keysOf(rootOf(nodes.prefix)).log(AB);
  const isReplicated = () => replica.ask((client) => client.llen(log)).catch(() => 0);
  await until(async () => (await isReplicated()) === 1, 'the replica to have it', FAILOVER_MS);
  // From now on the replica gets nothing more, whatever it asks for.
  await primary.ask(async (client) => {
    await client.call('ACL', 'SETUSER', 'default', '-psync', '-sync');
    await client.call('CLIENT', 'KILL', 'TYPE', 'replica');
  });
  const lost = await here.says(B, to(A), 'lost', '1');
  await primary.kill();
  const again = () =>
    here.tries(A, to(B), 'after', '2').catch((error: unknown) => {
      if (!(error instanceof Unavailable)) throw error;
      return undefined;
    });
  const after = stored(await until(again, 'a send to the new primary', FAILOVER_MS));
  expect(after.seq).toBeGreaterThan(before.seq + 1);
  const items = await until(() => here.items(AB).catch(() => undefined), 'the log', FAILOVER_MS);
  expect(items.map(textOf)).toEqual(['before', 'lost', 'after']);
  expect(items.map(seqOf)).toEqual([before.seq, lost.seq, after.seq]);
  await heard.until(({ lost, returns }) => lost.length > 0 && returns > 0, 'loss and return');
  await until(() => here.node.health().ready, 'the node to be ready', FAILOVER_MS);
});
