/** A connection that reads the log while the hints of what it reads are still on their way. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Listener } from '../../src/chat/ports.js';
import { createMemoryBackend } from '../../src/memory/backend.js';
import { createNode, type Node } from '../../src/node.js';
import { loadConfig } from '../../src/ops/config.js';
import { createLog } from '../../src/ops/log.js';
import { createMetrics, type Metrics } from '../../src/ops/metrics.js';
import { Connection } from '../support/client.js';
import { until } from '../support/until.js';

let node: Node;
let metrics: Metrics;
let port: number;
/** Hints that are held back, while they are. */
let held: (() => void)[] | undefined;
/** Reads of the log that wait to be let go, while they have to. */
let reads: (() => void)[] | undefined;
const connections: Connection[] = [];

beforeEach(async () => {
  held = reads = undefined;
  const loaded = loadConfig({ SKEIN_PORT: '0', SKEIN_LOG_LEVEL: 'silent' });
  if ('errors' in loaded) throw new Error(loaded.errors.join('\n'));
  const { config } = loaded;
  metrics = createMetrics();
  const real = createMemoryBackend({ limits: { ...config } });
  const backend: typeof real = {
    ...real,
    start: (id, listener) => real.start(id, late(listener)),
    log: {
      ...real.log,
      async read(...request: Parameters<typeof real.log.read>) {
        const waiting = reads;
        if (waiting) await new Promise<void>((resolve) => waiting.push(resolve));
        return real.log.read(...request);
      },
    },
  };
  node = await createNode({ config, backend, meter: metrics.meter, log: createLog(config), version: '1.2.3' });
  port = await node.listen();
});

afterEach(async () => {
  for (const each of connections.splice(0)) each.socket.terminate();
  await node.close();
  metrics.close();
});

function late<T extends Listener>(listener: T): T {
  const onFeed: Listener['onFeed'] = (...hint) => {
    if (held) held.push(() => listener.onFeed(...hint));
    else listener.onFeed(...hint);
  };
  return { ...listener, onFeed };
}

async function comes(uid: string): Promise<Connection> {
  const line = await Connection.open(`ws://127.0.0.1:${port}/ws?uid=${uid}`);
  connections.push(line);
  return line;
}

const said = (line: Connection): unknown[] =>
  line.frames.filter((frame) => frame.type === 'message' && frame.op === undefined).map((frame) => frame.data);

/** Sends over HTTP: nothing on the node waits for the entry but its readers. */
async function posts(data: number): Promise<void> {
  const body = JSON.stringify({ room: 'tea', data });
  const { status } = await fetch(`http://127.0.0.1:${port}/v1/messages?uid=carol`, { method: 'POST', body });
  expect(status).toBe(200);
}

test('what a connection read ahead of the hints is written once, whoever is faster', async () => {
  for (const uid of ['carol', 'alice', 'bob']) {
    const line = await comes(uid);
    await line.request({ type: 'join', room: 'tea' });
    if (uid !== 'alice') await line.close();
  }
  held = [];
  for (const data of [1, 2, 3]) await posts(data);
  const bob = await comes('bob');
  await until(() => said(bob).length === 3, 'bob to read the three from the log');

  reads = [];
  const [first, ...rest] = held;
  held = undefined;
  first?.();
  await until(() => (reads?.length ?? 0) > 0, 'a read to be under way');
  for (const hint of rest) hint();
  await posts(4);
  await until(() => said(bob).length === 4, 'bob to be pushed the fourth');
  const waiting = reads;
  reads = undefined;
  for (const read of waiting) read();
  await posts(5);
  await until(() => said(bob).includes(5), 'bob to be pushed the fifth');
  expect(said(bob)).toEqual([1, 2, 3, 4, 5]);
});
