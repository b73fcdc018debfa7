import { expect, onTestFinished, test } from 'vitest';
import type { Conv, TruncatedFrame } from '../../src/protocol/index.js';
import { numbers, online, person, testNode, until } from './support/scene.js';
import type { TestNode } from './support/test-node.js';

const CONV = 'dm:alice:bob' as Conv;
const HISTORY = (node: TestNode): number => node.heard.filter(({ frame }) => frame.type === 'history').length;

function truncations(client: { on(event: 'truncated', listener: (it: TruncatedFrame) => void): unknown }) {
  const seen: (readonly [number, number, string])[] = [];
  client.on('truncated', ({ from, to, reason }) => seen.push([from, to, reason]));
  return seen;
}

test('a gap is filled from history before later messages are handed on', async () => {
  const node = await testNode();
  const alice = await online('alice', { url: node.url });
  node.say(CONV, 'bob', '1');
  node.onWrite = (frame) => (frame.type === 'message' && Number(frame.data) <= 451 ? undefined : frame);
  for (const text of numbers(450, 2)) node.say(CONV, 'bob', text);
  node.say(CONV, 'bob', '452');
  node.say(CONV, 'bob', '453');
  await until(() => alice.texts.length >= 453);
  expect(alice.texts).toEqual(numbers(453));
});

test('repeats are dropped, and acknowledged again on a new line', async () => {
  const node = await testNode();
  node.onFrame = ({ type }) => type === 'ack';
  const alice = await online('alice', { url: node.url });
  for (const text of numbers(5)) node.say(CONV, 'bob', text);
  const acks = (): number => node.heard.filter(({ frame }) => frame.type === 'ack').length;
  await until(() => acks() === 1);
  node.cut();
  await until(() => acks() === 2);
  node.say(CONV, 'bob', '6');
  await until(() => alice.texts.length >= 6);
  expect(alice.texts).toEqual(numbers(6));
});

test('messages that come while a gap is filled keep their order, also across a lost line', async () => {
  const node = await testNode();
  const alice = await online('alice', { url: node.url });
  node.say(CONV, 'bob', '1');
  await until(() => alice.texts.length === 1);
  const missing = node.log.put(CONV, { sender: 'bob' as never, data: '2' });
  let asked = 0;
  node.onFrame = (frame) => {
    if (frame.type !== 'history') return false;
    // The first answer never comes: the line breaks, with more messages held back.
    if (++asked > 1) return false;
    for (const text of numbers(5, 4)) node.say(CONV, 'bob', text);
    node.cut();
    return true;
  };
  node.say(CONV, 'bob', '3');
  await until(() => alice.texts.length >= 8);
  expect(alice.texts).toEqual(numbers(8));
  expect(missing.data).toBe('2');
});

test('`truncated` moves the cursor and is told, in its place', async () => {
  const node = await testNode();
  const alice = await online('alice', { url: node.url });
  const seen = truncations(alice.client);
  const { seq } = node.say(CONV, 'bob', '1');
  for (const peer of node.peers) {
    peer.write({ type: 'truncated', conv: CONV, from: seq + 1, to: seq + 9, reason: 'retention' });
  }
  node.say(CONV, 'bob', '2', { seq: seq + 10 });
  await until(() => alice.texts.length === 2);
  expect(seen).toEqual([[seq + 1, seq + 9, 'retention']]);
  expect(HISTORY(node)).toBe(0);
});

test('numbers that history does not have either are announced, never skipped in silence', async () => {
  const node = await testNode();
  const alice = await online('alice', { url: node.url });
  const seen = truncations(alice.client);
  const { seq } = node.say(CONV, 'bob', '1');
  await until(() => alice.texts.length === 1);
  node.log.of(CONV).length = 0;
  node.log.put(CONV, { sender: 'bob' as never, data: '2', seq: seq + 50 });
  node.say(CONV, 'bob', '3', { seq: seq + 51 });
  await until(() => alice.texts.length === 3);
  expect(alice.texts).toEqual(numbers(3));
  expect(seen).toEqual([[seq + 1, seq + 49, 'retention']]);
});

test('a jump behind which the older messages are still there is a new run', async () => {
  const node = await testNode();
  const alice = await online('alice', { url: node.url });
  const seen = truncations(alice.client);
  const { seq } = node.say(CONV, 'bob', '1');
  await until(() => alice.texts.length === 1);
  node.say(CONV, 'bob', '2', { seq: seq + 1_000_000 });
  await until(() => alice.texts.length === 2);
  expect(seen).toEqual([[seq + 1, seq + 999_999, 'restart']]);
});

test('a gap that may not be read is announced, and what comes after it handed on', async () => {
  const node = await testNode();
  const alice = await online('alice', { url: node.url });
  const seen = truncations(alice.client);
  const { seq } = node.say(CONV, 'bob', '1');
  await until(() => alice.texts.length === 1);
  node.onFrame = (frame, peer) => {
    if (frame.type === 'history') node.write(peer, { type: 'error', id: frame.id!, code: 'forbidden', message: '' });
    return frame.type === 'history';
  };
  node.say(CONV, 'bob', '2', { seq: seq + 5 });
  await until(() => alice.texts.length === 2);
  expect(seen).toEqual([[seq + 1, seq + 4, 'retention']]);
});

test('a new Client goes on where the application stands', async () => {
  const node = await testNode();
  for (const text of numbers(10)) node.say(CONV, 'bob', text);
  const fourth = node.log.of(CONV)[3]!.seq;
  const alice = await online('alice', { url: node.url, cursors: [['dm:alice:bob', fourth]] });
  await until(() => alice.texts.length >= 6);
  expect(alice.texts).toEqual(numbers(6, 5));
  expect(alice.client.cursors).toEqual([[CONV, node.log.of(CONV).at(-1)!.seq]]);
});

test('a message is acknowledged when the application is done with it, not before', async () => {
  const node = await testNode();
  const alice = person('alice', { url: node.url });
  let finish: (() => void) | undefined;
  alice.client.on('message', ({ data }) =>
    data === '2' ? new Promise<void>((resolve) => (finish = resolve)) : undefined,
  );
  alice.client.connect();
  await until(() => alice.client.state === 1);
  for (const text of numbers(3)) node.say(CONV, 'bob', text);
  const acked = (): number => node.log.cursor('alice' as never, 'default', CONV);
  const [first, , third] = node.log.of(CONV).map(({ seq }) => seq);
  await until(() => alice.texts.length === 3 && acked() === first);
  finish!();
  await until(() => acked() === third);
});

test('over polls, too, nothing is acknowledged before the application is done with it', async () => {
  const node = await testNode();
  node.say(CONV, 'bob', '1');
  const alice = person('alice', { url: node.url, transports: ['poll'], poll: { wait: 0, pause: 10 } });
  let finish: (() => void) | undefined;
  alice.client.on('message', () => new Promise<void>((resolve) => (finish = resolve)));
  alice.client.connect();
  await until(() => finish !== undefined);
  node.say(CONV, 'bob', '2');
  expect(node.log.cursor('alice' as never, 'default', CONV)).toBe(0);
  finish!();
  await until(() => alice.texts.length === 2);
  expect(node.log.cursor('alice' as never, 'default', CONV)).toBe(node.log.of(CONV)[0]!.seq);
  finish!();
  await until(() => node.log.cursor('alice' as never, 'default', CONV) === node.log.of(CONV)[1]!.seq);
});

test('what a blocked sender wrote is passed over', async () => {
  const node = await testNode();
  const alice = await online('alice', { url: node.url });
  node.say(CONV, 'bob', '1');
  const { seq } = node.say(CONV, 'bob', 'x', { blocked: true });
  node.say(CONV, 'bob', '2');
  await until(() => alice.texts.length === 2);
  expect(alice.texts).toEqual(['1', '2']);
  await until(() => node.log.cursor('alice' as never, 'default', CONV) === seq + 1);
});

test('who left a room and joins again begins anew', async () => {
  const node = await testNode();
  const alice = await online('alice', { url: node.url });
  await alice.client.join('tea');
  node.say('room:tea', 'bob', '1');
  await until(() => alice.texts.length === 1);
  node.onFrame = (frame, peer) => {
    if (frame.type !== 'leave') return false;
    node.log.members.get(frame.room)?.delete(peer.uid);
    node.write(peer, { type: 'left', id: frame.id!, room: frame.room, conv: 'room:tea' as Conv, seq: 0 });
    return true;
  };
  await alice.client.leave('tea');
  node.say('room:tea', 'bob', 'not for alice');
  await alice.client.join('tea');
  node.say('room:tea', 'bob', '2');
  await until(() => alice.texts.length === 2);
  expect(alice.texts).toEqual(['1', '2']);
});

test('a listener that throws keeps nothing from the others', async () => {
  const thrown: unknown[] = [];
  const heard = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => thrown.push(error));
  onTestFinished(() => {
    process.removeAllListeners('uncaughtException');
    for (const listener of heard) process.on('uncaughtException', listener);
  });
  const node = await testNode();
  const alice = person('alice', { url: node.url });
  const bug = new Error('a bug of the application');
  alice.client.on('message', () => {
    throw bug;
  });
  const after: string[] = [];
  alice.client.on('message', ({ data }) => after.push(String(data)));
  alice.client.connect();
  await until(() => alice.client.state === 1);
  for (const text of numbers(2)) node.say(CONV, 'bob', text);
  await until(() => after.length === 2);
  expect(thrown).toEqual([bug, bug]);
});
