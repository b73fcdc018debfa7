import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { memoryStorage, shareTabs } from '../../src/client/index.js';
import type { Locks } from '../../src/client/platform.js';
import { webLocks } from './support/locks.js';
import { numbers, online, type Person, person, until } from './support/scene.js';
import { TestNode } from './support/test-node.js';

let node: TestNode;
let locks: Locks;
let outbox: ReturnType<typeof memoryStorage>;
let browser = 0;

beforeEach(async () => {
  node = await TestNode.start();
  locks = webLocks();
  outbox = memoryStorage();
  browser++;
  onTestFinished(() => node.close());
});

/** One more tab of alice's browser. */
const tab = (): Promise<Person> =>
  online('alice', { url: node.url, outbox, tabs: shareTabs(`alice-${process.pid}-${browser}`, locks) });

const places = ({ messages }: Person): number[] => messages.map(({ seq }) => seq);

test('two tabs are one device on one connection, and both show everything once and in order', async () => {
  const one = await tab();
  const two = await tab();
  expect(node.connections).toBe(1);
  expect(two.client.uid).toBe('alice');
  const sent = numbers(10).flatMap((text) => {
    node.say('dm:alice:bob', 'bob', `b${text}`);
    return [one, two].map(({ client }, i) => client.send({ receiver: 'bob', data: `${'xy'[i]}${text}` }));
  });
  const stored = await Promise.all(sent);
  expect(new Set(stored.map(({ seq }) => seq)).size).toBe(20);
  await until(() => one.texts.length >= 30 && two.texts.length >= 30);
  expect(one.texts).toEqual(two.texts);
  for (const letter of ['x', 'y', 'b']) {
    expect(two.texts.filter((text) => text.startsWith(letter))).toEqual(numbers(10).map((text) => letter + text));
  }
  expect(node.sends()).toHaveLength(20);
});

test('a tab that comes later is told, too, that all that was pending is there', async () => {
  const tabs = shareTabs(`alice-${process.pid}-${browser}`, locks);
  const synced: string[] = [];
  const come = (which: string): Person => {
    const one = person('alice', { url: node.url, outbox, tabs });
    one.client.on('synced', () => synced.push(which));
    one.client.connect();
    return one;
  };
  come('first');
  await until(() => synced.includes('first'));
  come('second');
  await until(() => synced.includes('second'));
});

test('when the tab with the connection goes, the other takes over and nothing is lost or doubled', async () => {
  const one = await tab();
  const two = await tab();
  for (const text of numbers(5)) two.client.send({ receiver: 'bob', data: text });
  await until(() => two.texts.length === 5);
  // What the leader was given last is swallowed with it.
  node.onFrame = ({ type }) => type === 'send' || type === 'ack';
  for (const text of numbers(5, 6)) two.client.send({ receiver: 'bob', data: text });
  await until(() => node.sends().length >= 10);
  node.onFrame = () => false;
  await one.client.close();
  await until(() => two.texts.length >= 10);
  node.say('dm:alice:bob', 'bob', '11');
  await until(() => two.texts.length >= 11);
  expect(two.texts).toEqual(numbers(11));
  expect(places(two)).toEqual([...places(two)].sort((a, b) => a - b));
  expect(node.log.of('dm:alice:bob').map(({ data }) => data)).toEqual(numbers(11));
  expect(await outbox.load()).toEqual([]);
});

test('a tab asks through the other: history, reads, presence, and refusals', async () => {
  await tab();
  const two = await tab();
  const { seq } = node.say('dm:alice:bob', 'bob', 'hello');
  const { messages } = await two.client.history('dm:alice:bob');
  expect(messages.map(({ data }) => data)).toEqual(['hello']);
  two.client.read('dm:alice:bob', seq);
  await until(() => node.heard.some(({ frame }) => frame.type === 'read' && frame.seq === seq));
  expect(await two.client.watch(['bob', 'carol'])).toHaveLength(2);
  node.onFrame = (frame, peer) => {
    if (frame.type === 'join') node.write(peer, { type: 'error', id: frame.id!, code: 'forbidden', message: 'no' });
    return frame.type === 'join';
  };
  await expect(two.client.join('tea')).rejects.toMatchObject({ code: 'forbidden', message: 'no' });
});

test('a tab sees what the others have under way, and how it ends', async () => {
  const one = await tab();
  node.onFrame = ({ type }) => type === 'send';
  const sent = one.client.send({ receiver: 'bob', data: 'x' });
  const two = await tab();
  await until(() => two.client.outgoing.length === 1);
  const [seen] = two.client.outgoing;
  expect(seen).toMatchObject({ id: sent.id, state: 'queued', data: 'x' });
  node.onFrame = () => false;
  node.cut();
  await Promise.all([sent, seen]);
  await until(() => one.texts.length === 1 && two.texts.length === 1);
  expect(node.log.of('dm:alice:bob')).toHaveLength(1);
});

test('a tab that came later fills what the first one was handed before, if it stands further back', async () => {
  const one = await tab();
  for (const text of numbers(6)) node.say('dm:alice:bob', 'bob', text);
  await until(() => one.texts.length === 6);
  const cursors = [['dm:alice:bob', one.messages[1]!.seq]] as const;
  const tabs = shareTabs(`alice-${process.pid}-${browser}`, locks);
  const two = await online('alice', { url: node.url, outbox, tabs, cursors });
  await until(() => two.texts.length === 4);
  expect(two.texts).toEqual(numbers(4, 3));
});

test('where tabs cannot be told apart, each has a connection of its own', async () => {
  const alice = await online('alice', { url: node.url, tabs: shareTabs('alice', undefined) });
  expect(alice.client.state).toBe(1);
  expect(node.connections).toBe(1);
});
