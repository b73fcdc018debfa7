/** Polls of one device must not spoil each other, whatever the store does meanwhile. */
import { expect, test } from 'vitest';
import { type Backend, Unavailable } from '../../src/chat/ports.js';
import { createMemoryBackend } from '../../src/memory/backend.js';
import { createNode } from '../../src/node.js';
import { loadConfig } from '../../src/ops/config.js';
import { createLog } from '../../src/ops/log.js';
import { createMetrics } from '../../src/ops/metrics.js';
import { until } from '../support/until.js';

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

test('of polls of a device that come at once only the last one waits, and it hears what comes', async () => {
  // The store answers later than the next poll comes, as one on the network does.
  const alter = (real: Backend): Backend => {
    const pending: typeof real.devices.pending = async (...asked) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return real.devices.pending(...asked);
    };
    return { ...real, devices: { ...real.devices, pending } };
  };
  await withStore(alter, async (url) => {
    const poll = (wait: number) => fetch(`${url}/v1/messages?uid=bob&wait=${wait}`).then((answer) => answer.json());
    await poll(0);
    const heard: unknown[] = [];
    const polls = [60, 60, 60, 60, 60].map((wait) => poll(wait).then((answer) => heard.push(answer)));
    await until(
      () => heard.length === 4,
      () => `four polls to be over, of ${heard.length}`,
    );
    const body = JSON.stringify({ receiver: 'bob', data: 'hi' });
    await fetch(`${url}/v1/messages?uid=alice`, { method: 'POST', body });
    await Promise.all(polls);
    expect(heard).toMatchObject([...Array(4).fill({ messages: [] }), { messages: [{ data: 'hi' }] }]);
  });
});

test('a poll beside the first one of its device knows, too, whom its user blocks', async () => {
  let letIn: () => void = () => undefined;
  const mayEnter = new Promise<void>((resolve) => {
    letIn = resolve;
  });
  let looks = 0;
  const alter = (real: Backend): Backend => ({
    ...real,
    devices: {
      ...real.devices,
      enter: (...arriving) => mayEnter.then(() => real.devices.enter(...arriving)),
      pending: (...asked) => {
        looks++;
        return real.devices.pending(...asked);
      },
    },
  });
  await withStore(alter, async (url) => {
    const ask = (path: string, init: RequestInit = {}) => fetch(`${url}/v1/${path}`, init);
    await ask('blocks/eve?uid=bob', { method: 'PUT' });
    await ask('messages?uid=eve', { method: 'POST', body: JSON.stringify({ receiver: 'bob', data: 'an insult' }) });
    const polls = [0, 0].map(() => ask('messages?uid=bob&wait=0').then((answer) => answer.text()));
    // Both came before this is answered.
    await ask('blocks?uid=bob');
    expect(looks).toBe(0);
    letIn();
    for (const text of await Promise.all(polls)) expect(text).not.toContain('an insult');
  });
});
