/** A poll that came while the store was away must not spoil those after it. */
import { expect, test } from 'vitest';
import { type Backend, Unavailable } from '../../src/chat/ports.js';
import { createMemoryBackend } from '../../src/memory/backend.js';
import { createNode } from '../../src/node.js';
import { loadConfig } from '../../src/ops/config.js';
import { createLog } from '../../src/ops/log.js';
import { createMetrics } from '../../src/ops/metrics.js';

/** Runs against a node on a store that is changed as `alter` says. */
async function withStore(alter: (real: Backend) => Backend, run: (url: string) => Promise<void>): Promise<void> {
  const loaded = loadConfig({ SKEIN_PORT: '0', SKEIN_LOG_LEVEL: 'silent' });
  if ('errors' in loaded) throw new Error(loaded.errors.join('\n'));
  const { config } = loaded;
  const metrics = createMetrics();
  const backend = alter(createMemoryBackend({ limits: { ...config } }));
  const node = await createNode({ config, backend, meter: metrics.meter, log: createLog(config), version: '1.2.3' });
  const port = await node.listen();
  try {
    await run(`http://127.0.0.1:${port}`);
  } finally {
    await node.close();
    metrics.close();
  }
}

test('a device whose first poll found the store away is present with the next one', async () => {
  let isAway = true;
  const alter = (real: Backend): Backend => {
    const enter: typeof real.devices.enter = (...arriving) =>
      isAway ? Promise.reject(new Unavailable('away')) : real.devices.enter(...arriving);
    return { ...real, devices: { ...real.devices, enter } };
  };
  await withStore(alter, async (url) => {
    const poll = () => fetch(`${url}/v1/messages?uid=bob&wait=0`);
    expect((await poll()).status).toBe(503);
    isAway = false;
    expect((await poll()).status).toBe(200);
    const asked = await fetch(`${url}/v1/presence?uid=alice&of=bob`);
    expect(await asked.json()).toMatchObject({ presence: [{ uid: 'bob', online: true }] });
  });
});

test('a poll waits on when the store is away just then: no other can be told of it, and the node stays', async () => {
  const alter = (real: Backend): Backend => ({
    ...real,
    whispers: { ...real.whispers, toUsers: () => Promise.reject(new Unavailable('away')) },
  });
  await withStore(alter, async (url) => {
    const polled = fetch(`${url}/v1/messages?uid=bob&wait=1`);
    const answer = await polled;
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ messages: [] });
  });
});
