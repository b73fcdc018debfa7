import { expect, onTestFinished, test } from 'vitest';
import { CLOSE } from '../../src/protocol/index.js';
import { CutProxy } from './support/cut-proxy.js';
import { numbers, online, person, until } from './support/scene.js';
import { TestNode } from './support/test-node.js';

async function testNode(): Promise<TestNode> {
  const node = await TestNode.start();
  onTestFinished(() => node.close());
  return node;
}

async function proxyBefore(node: TestNode): Promise<CutProxy> {
  const proxy = await CutProxy.before(node.url);
  onTestFinished(() => proxy.close());
  return proxy;
}

/** A token whose claims are readable, for timers; the test node takes its text for the name of its owner. */
function tokenThatEnds(inSeconds: number, text = 'x'): string {
  const claims = { sub: 'alice', exp: Date.now() / 1_000 + inSeconds, text };
  return `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`;
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

test('a token is renewed on the live line before it ends', async () => {
  const node = await testNode();
  node.onToken = () => 'alice';
  let asked = 0;
  const alice = await online('alice', {
    url: node.url,
    getToken: async () => tokenThatEnds(++asked === 1 ? 2 : 3_600, `t${asked}`),
  });
  await until(() => node.tokens.length === 2);
  expect(asked).toBe(2);
  expect(node.connections).toBe(1);
  expect(alice.client.state).toBe(1);
});

test('a token that ran out is replaced once, and the line comes back', async () => {
  const node = await testNode();
  let asked = 0;
  node.onToken = (token) => (token === 'old' ? undefined : token);
  const alice = await online('alice', { url: node.url, getToken: async () => (++asked === 1 ? 'old' : 'alice') });
  expect(asked).toBe(2);
  expect(alice.client.uid).toBe('alice');
});

test('a token that is refused twice ends it, and so does a getToken that has none', async () => {
  const node = await testNode();
  node.onToken = () => undefined;
  const alice = person('alice', { url: node.url, getToken: async () => 'bad' });
  const bob = person('bob', { url: node.url, getToken: async () => null });
  const carol = person('carol', { url: node.url, token: 'bad' });
  for (const { client, states } of [alice, bob, carol]) {
    client.connect();
    await until(() => states.some((status) => status.state === 3 && status.next === undefined));
    expect(client.status).toMatchObject({ state: 3, code: 4401 });
  }
  expect(node.tokens.filter((token) => token === 'bad')).toHaveLength(3);
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

test('acknowledgements go out at most every 200 ms, one for a conversation', async () => {
  const node = await testNode();
  const alice = await online('alice', { url: node.url });
  for (const text of numbers(40)) {
    node.say('dm:alice:bob', 'bob', text);
    node.say('dm:alice:carol', 'carol', text);
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
  await until(() => alice.texts.length === 80);
  const last = node.log.of('dm:alice:bob').at(-1)!.seq;
  await until(() => node.heard.some(({ frame }) => frame.type === 'ack' && frame.seq === last));
  const acks = node.heard.filter(({ frame }) => frame.type === 'ack' && frame.conv === 'dm:alice:bob');
  expect(acks.length).toBeGreaterThan(1);
  for (const [i, { at }] of acks.slice(1).entries()) expect(at - acks[i]!.at).toBeGreaterThanOrEqual(190);
});

test('presence, typing and receipts reach the application', async () => {
  const node = await testNode();
  const alice = await online('alice', { url: node.url });
  const seen: unknown[] = [];
  for (const event of ['presence', 'typing', 'receipt'] as const) alice.client.on(event, (it) => seen.push(it));
  const now = await alice.client.watch(['bob', 'carol', 'bob']);
  expect(now.map(({ uid, online }) => [uid, online])).toEqual([
    ['bob', false],
    ['carol', false],
  ]);
  const [peer] = node.peers;
  peer!.write({ type: 'typing', sender: 'bob', receiver: 'alice' } as never);
  peer!.write({ type: 'presence', uid: 'bob', online: true, lastSeen: 0 } as never);
  await until(() => seen.length === 2);
  expect(seen).toMatchObject([{ type: 'typing' }, { type: 'presence', online: true }]);
  node.cut();
  await until(() => node.heard.filter(({ frame }) => frame.type === 'watch').length === 2);
});

test('what a user read is told, the newest place only, and again when the line broke before it was sure', async () => {
  const node = await testNode();
  const alice = await online('alice', { url: node.url });
  for (const seq of [5, 7, 6]) alice.client.read('dm:alice:bob', seq);
  const reads = (): unknown[] => node.heard.flatMap(({ frame }) => (frame.type === 'read' ? [frame.seq] : []));
  await until(() => reads().length === 1);
  expect(reads()).toEqual([7]);
  node.cut();
  await until(() => reads().length === 2);
  expect(reads()).toEqual([7, 7]);
});

test('a request waits for the line, is repeated on the next, and ends after its time', async () => {
  const node = await testNode();
  node.onFrame = (frame) => {
    if (frame.type !== 'history' || frame.limit !== 1) return false;
    node.onFrame = () => false;
    node.cut();
    return true;
  };
  node.say('dm:alice:bob', 'bob', 'hello');
  const alice = person('alice', { url: node.url, timing: { request: 300 } });
  alice.client.connect();
  const page = await alice.client.history('dm:alice:bob', { limit: 1 });
  expect(page.messages).toHaveLength(1);
  node.onFrame = (frame) => frame.type === 'history';
  await expect(alice.client.history('dm:alice:bob')).rejects.toMatchObject({ code: 'timeout' });
  const closing = alice.client.history('dm:alice:bob');
  closing.catch(() => undefined);
  await alice.client.close();
  await expect(closing).rejects.toMatchObject({ code: 'closed' });
});

test('a request that is refused in passing is repeated; one that is refused rejects with the code', async () => {
  const node = await testNode();
  let refusals = 0;
  node.onFrame = (frame, peer) => {
    if (frame.type !== 'history' || ++refusals > 2) return false;
    peer.write({ type: 'error', id: frame.id!, code: 'rate_limited', message: 'slow', retry: 10 });
    return true;
  };
  const alice = await online('alice', { url: node.url });
  await alice.client.history('dm:alice:bob');
  expect(refusals).toBe(3);
  node.onFrame = (frame, peer) => {
    peer.write({ type: 'error', id: frame.id!, code: 'forbidden', message: 'not yours' });
    return true;
  };
  await expect(alice.client.history('dm:bob:carol')).rejects.toMatchObject({ code: 'forbidden' });
});

test('recall, edit and react stand in their place among the messages; over HTTP they say that they cannot', async () => {
  const node = await testNode();
  const alice = await online('alice', { url: node.url });
  const { conv, seq } = await alice.client.send({ receiver: 'bob', data: 'helo' });
  await alice.client.edit('dm:alice:bob', seq, 'hello');
  await alice.client.react('dm:alice:bob', seq, '👍');
  await alice.client.recall('dm:alice:bob', seq);
  await until(() => alice.messages.length === 4);
  expect(alice.messages).toMatchObject([
    { conv, seq, data: 'helo' },
    { conv, seq: seq + 1, op: 'edit', ref: seq, data: 'hello', receiver: 'bob', sender: 'alice' },
    { conv, seq: seq + 2, op: 'react', ref: seq, emoji: '👍', on: true },
    { conv, seq: seq + 3, op: 'recall', ref: seq },
  ]);
  const bob = await online('bob', { url: node.url, transports: ['poll'] });
  await expect(bob.client.recall('dm:alice:bob', seq)).rejects.toMatchObject({ code: 'unsupported' });
});

test('what the server says that is no frame is reported, and harms nothing', async () => {
  const node = await testNode();
  const alice = await online('alice', { url: node.url });
  const errors: unknown[] = [];
  alice.client.on('error', (error) => errors.push(error));
  for (const frame of ['x', null, [], { type: 7 }]) for (const peer of node.peers) peer.write(frame as never);
  for (const peer of node.peers) peer.write({ type: 'something new', of: 1 } as never);
  node.say('dm:alice:bob', 'bob', 'hello');
  await until(() => alice.texts.length === 1);
  expect(errors).toHaveLength(4);
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
