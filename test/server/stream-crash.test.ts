import { afterEach, beforeEach, expect, test } from 'vitest';
import { http } from '../support/http.js';
import { type NodeProcess, startNode } from '../support/process.js';
import { RedisServer } from '../support/redis.js';
import { EventReader, Ledger } from './event-reader.js';

const COUNT = 900;
const SENDERS = 40;

let redis: RedisServer;
const nodes: NodeProcess[] = [];
beforeEach(async () => {
  redis = await RedisServer.start({ appendonly: 'no' });
});
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.isAlive && node.kill('SIGKILL')));
  await redis.stop();
});

test.each(['uws', 'ws'])(
  'on %s, who streams from nodes that are killed one after the other misses nothing',
  async (sockets) => {
    const env = { REDIS_URL: redis.url, SKEIN_SOCKETS: sockets, SKEIN_RATE: '100000' };
    nodes.push(...(await Promise.all([startNode(env), startNode(env), startNode(env), startNode(env)])));
    const urls = nodes.map(({ url }) => url);
    const last = nodes.length - 1;
    const first = await EventReader.open(urls[0]!, 'bob');
    await first.first('synced');
    first.leave();

    const said: string[] = [];
    const talk = (async () => {
      for (let n = 0; n < COUNT; n++) {
        // Names long enough that not all positions fit into one cursor.
        const uid = `sender-${n % SENDERS}-${'x'.repeat(40)}`;
        const answer = await http(`${urls[last]}/v1/messages?uid=${uid}`, { body: { receiver: 'bob', data: `${n}` } });
        expect(answer.status, answer.text).toBe(200);
        said.push(`${n}`);
      }
    })();

    const ledger = new Ledger();
    let lastEventId: string | undefined;
    const saved = new Set<string | undefined>();
    for (const [index, node] of nodes.slice(0, last).entries()) {
      const reader = await EventReader.open(urls[index]!, 'bob', { lastEventId });
      await reader.hearsMany(180);
      await node.kill('SIGKILL');
      await reader.ends();
      ledger.take(reader.events);
      lastEventId = reader.lastId;
      saved.add(lastEventId?.split(';')[0]);
    }
    expect(saved).not.toContain('0');
    await talk;
    while (ledger.heard.length < COUNT) {
      const reader = await EventReader.open(urls[last]!, 'bob', { lastEventId });
      await reader.hearsMany(Math.min(500, COUNT - ledger.heard.length));
      reader.leave();
      ledger.take(reader.events);
      lastEventId = reader.lastId;
    }
    expect(ledger.heard.map(Number).toSorted((a, b) => a - b)).toEqual(said.map(Number));
    expect(ledger.repeated).toBe(0);
  },
  60_000,
);
