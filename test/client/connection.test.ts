import { expect, onTestFinished, test } from 'vitest';
import { CLOSE } from '../../src/protocol/index.js';
import { CutProxy } from './support/cut-proxy.js';
import { numbers, online, person, testNode, until } from './support/scene.js';
import type { TestNode } from './support/test-node.js';

async function proxyBefore(node: TestNode): Promise<CutProxy> {
  const proxy = await CutProxy.before(node.url);
  onTestFinished(() => proxy.close());
  return proxy;
}

test('the states run 3, 0, 1 and, when closed by the application, 2, 3', async () => {
  const node = await testNode();
  const alice = person('alice', { url: node.url });
  expect(alice.client.state).toBe(3);
  alice.client.connect();
  await until(() => alice.client.state === 1);
  await alice.client.close();
  expect(alice.states.map(({ state }) => state)).toEqual([0, 1, 2, 3]);
  expect(alice.states[1]).toEqual({ state: 1, transport: 'websocket' });
  expect(alice.states[3]).toMatchObject({ code: 1000 });
  expect(alice.client.uid).toBe('alice');
});

test('a lost line is said with the reason and the time of the next try, and comes back', async () => {
  const node = await testNode();
  const alice = await online('alice', { url: node.url });
  const before = Date.now();
  node.cut();
  await until(() => alice.states.filter(({ state }) => state === 1).length === 2);
  const lost = alice.states[2];
  expect(lost).toMatchObject({ state: 3, code: 1006 });
  expect(lost).toHaveProperty('next', expect.closeTo(before + 30, -3));
});

test('a server that is away is asked again until it is there', async () => {
  const node = await testNode();
  node.isDead = true;
  const alice = person('alice', { url: node.url });
  alice.client.connect();
  await until(() => node.connections >= 3);
  node.isDead = false;
  await until(() => alice.client.state === 1);
  expect(alice.client.status).toEqual({ state: 1, transport: 'websocket' });
});

for (const { code, reason, comeBack } of Object.values(CLOSE)) {
  // What the socket library may not send is played by 4000 codes only; 1009, 1012 and 1013 it may.
  test(`close code ${code}, "${reason}": ${comeBack ? 'comes back' : 'stays away'}`, async () => {
    const node = await testNode();
    const alice = await online('alice', { url: node.url });
    for (const peer of node.peers) peer.close(code);
    await until(() => alice.states.length > 2);
    expect(alice.states[2]).toMatchObject({ state: 3, code });
    expect('next' in alice.states[2]!).toBe(comeBack);
    if (comeBack) return until(() => alice.client.state === 1);
    alice.client.connect();
    await until(() => alice.client.state === 1);
  });
}

test('after `reconnect` it comes back when it was told to, not before', async () => {
  const node = await testNode();
  const alice = await online('alice', { url: node.url });
  const told = Date.now();
  for (const peer of node.peers) {
    peer.write({ type: 'reconnect', after: 400 });
    peer.close(1012);
  }
  await until(() => node.connections === 2);
  expect(Date.now() - told).toBeGreaterThanOrEqual(395);
  await until(() => alice.client.state === 1);
});

test('after `reconnect` it goes by itself if the node does not close', async () => {
  const node = await testNode();
  await online('alice', { url: node.url });
  for (const peer of node.peers) peer.write({ type: 'reconnect', after: 100 });
  await until(() => node.connections === 2);
});

test('a line on which nothing comes any more is noticed by the heartbeat', async () => {
  const node = await testNode();
  node.heartbeat = 0.05;
  const proxy = await proxyBefore(node);
  const alice = await online('alice', { url: proxy.url, timing: { patience: 100 } });
  await until(() => node.heard.filter(({ frame }) => frame.type === 'ping').length >= 2);
  expect(alice.client.state).toBe(1);
  proxy.isDeaf = true;
  await until(() => alice.states.some(({ state }) => state === 3));
  expect(alice.states).toContainEqual(expect.objectContaining({ code: 1006, reason: 'the line is dead' }));
});

test('where upgrades are blocked it falls back to Server-Sent Events, and climbs back when they are not', async () => {
  const node = await testNode();
  const proxy = await proxyBefore(node);
  proxy.blocksUpgrades = true;
  const bob = await online('bob', { url: node.url });
  const alice = await online('alice', { url: proxy.url, timing: { climb: 50 } });
  expect(alice.client.status).toEqual({ state: 1, transport: 'sse' });
  for (const text of numbers(3)) bob.client.send({ receiver: 'alice', data: text });
  await until(() => alice.texts.length === 3);
  proxy.blocksUpgrades = false;
  await until(() => 'transport' in alice.client.status && alice.client.status.transport === 'websocket');
  for (const text of numbers(3, 4)) bob.client.send({ receiver: 'alice', data: text });
  await until(() => alice.texts.length >= 6);
  expect(alice.texts).toEqual(numbers(6));
  expect(alice.states.filter(({ state }) => state === 1)).toHaveLength(2);
});

test('where streams do not work either it polls', async () => {
  const node = await testNode();
  node.allowsUpgrades = false;
  node.allowsStreams = false;
  const alice = await online('alice', { url: node.url });
  expect(alice.client.status).toEqual({ state: 1, transport: 'poll' });
  node.say('dm:alice:bob', 'bob', 'hello');
  await until(() => alice.texts.length === 1);
});

test('without any WebSocket it begins with what there is', async () => {
  const node = await testNode();
  const alice = person('alice', { url: node.url });
  const { Client } = await import('../../src/client/index.js');
  const client = new Client({ url: node.url, uid: 'bob' });
  onTestFinished(() => client.close());
  client.connect();
  await until(() => client.state === 1);
  expect(client.status).toEqual({ state: 1, transport: 'WebSocket' in globalThis ? 'websocket' : 'sse' });
  expect(alice.client.state).toBe(3);
});

test('a getToken that fails is asked again', async () => {
  const node = await testNode();
  let asked = 0;
  const getToken = async (): Promise<string> => {
    if (++asked < 3) throw new Error('the token server is away');
    return 'alice';
  };
  const alice = await online('alice', { url: node.url, getToken });
  expect(asked).toBe(3);
  expect(alice.client.status).toEqual({ state: 1, transport: 'websocket' });
  expect(alice.states.filter((status) => status.state === 3 && status.next !== undefined)).toHaveLength(2);
});

test('a stream that the server ends is asked for again where it ended, which acknowledges what came', async () => {
  const node = await testNode();
  const alice = await online('alice', { url: node.url, transports: ['sse'] });
  for (const text of numbers(3)) node.say('dm:alice:bob', 'bob', text);
  await until(() => alice.texts.length === 3);
  node.onFrame = ({ type }) => type === 'ack';
  for (const text of numbers(3, 4)) node.say('dm:alice:bob', 'bob', text);
  await until(() => alice.texts.length === 6);
  for (const peer of node.peers) peer.close(1000);
  const last = node.log.of('dm:alice:bob').at(-1)!.seq;
  await until(() => node.log.cursor('alice' as never, 'default', 'dm:alice:bob' as never) === last);
  node.say('dm:alice:bob', 'bob', '7');
  await until(() => alice.texts.length >= 7);
  expect(alice.texts).toEqual(numbers(7));
  expect(alice.states.filter(({ state }) => state === 3)).toEqual([]);
});
