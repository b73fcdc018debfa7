import { expect, test } from 'vitest';
import { numbers, online, person, testNode, until } from './support/scene.js';

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
