/** A poll that came while the store was away must not spoil those after it. */
import { expect, test } from 'vitest';
import { Unavailable } from '../../src/chat/ports.js';
import { createMemoryBackend } from '../../src/memory/backend.js';
import { createNode } from '../../src/node.js';
import { loadConfig } from '../../src/ops/config.js';
import { createLog } from '../../src/ops/log.js';
import { createMetrics } from '../../src/ops/metrics.js';

test('a device whose first poll found the store away is present with the next one', async () => {
  const loaded = loadConfig({ SKEIN_PORT: '0', SKEIN_LOG_LEVEL: 'silent' });
  if ('errors' in loaded) throw new Error(loaded.errors.join('\n'));
  const { config } = loaded;
  const metrics = createMetrics();
  const real = createMemoryBackend({ limits: { ...config } });
  let isAway = true;
  const enter: typeof real.devices.enter = (...arriving) =>
    isAway ? Promise.reject(new Unavailable('away')) : real.devices.enter(...arriving);
  const backend = { ...real, devices: { ...real.devices, enter } };
  const node = await createNode({ config, backend, meter: metrics.meter, log: createLog(config), version: '1.2.3' });
  const port = await node.listen();
  try {
    const poll = () => fetch(`http://127.0.0.1:${port}/v1/messages?uid=bob&wait=0`);
    expect((await poll()).status).toBe(503);
    isAway = false;
    expect((await poll()).status).toBe(200);
    const asked = await fetch(`http://127.0.0.1:${port}/v1/presence?uid=alice&of=bob`);
    expect(await asked.json()).toMatchObject({ presence: [{ uid: 'bob', online: true }] });
  } finally {
    await node.close();
    metrics.close();
  }
});
