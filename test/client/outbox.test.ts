import { expect, test } from 'vitest';
import { memoryStorage, type OutboxEntry, SkeinError } from '../../src/client/index.js';
import type { ClientFrame, FrameOf, ServerFrame } from '../../src/protocol/index.js';
import { numbers, online, person, testNode, until } from './support/scene.js';
import type { Peer, TestNode } from './support/test-node.js';

const refuse = (frame: ClientFrame, code: string, retry?: number): ServerFrame =>
  ({ type: 'error', id: frame.id, code, message: code, ...(retry !== undefined && { retry }) }) as ServerFrame;

/** Refuses like a node whose store is away: the given data once, and what comes behind it with the same `try`. */
function strict(node: TestNode, failing: ReadonlySet<string>, code = 'unavailable', retry: number | undefined = 5) {
  const failed = new Set<string>();
  const refused = new Map<Peer, number>();
  node.onFrame = (frame, peer) => {
    if (frame.type !== 'send') return false;
    const data = String(frame.data);
    if (frame.try! <= (refused.get(peer) ?? -1)) {
      node.write(peer, refuse(frame, 'unavailable', 5));
      return true;
    }
    if (!failing.has(data) || failed.has(data)) return false;
    failed.add(data);
    refused.set(peer, frame.try!);
    node.write(peer, refuse(frame, code, retry));
    return true;
  };
}

const stored = (node: TestNode, conv: string): string[] => node.log.of(conv).map(({ data }) => String(data));

for (const [code, retry] of [
  ['unavailable', 5],
  ['rate_limited', 5],
  ['internal', undefined],
] as const) {
  test(`after ${code} the try is raised and what is unanswered repeated, oldest first`, async () => {
    const node = await testNode();
    strict(node, new Set(['3', '7', '8']), code, retry);
    const alice = await online('alice', { url: node.url });
    const sent = numbers(20).map((data) => alice.client.send({ receiver: 'bob', data }));
    await Promise.all(sent);
    expect(stored(node, 'dm:alice:bob')).toEqual(numbers(20));
    await until(() => alice.texts.length === 20);
    expect(alice.texts).toEqual(numbers(20));
  });
}

test('one conversation that fails holds no other up', async () => {
  const node = await testNode();
  node.onFrame = (frame, peer) => {
    if (frame.type !== 'send' || frame.receiver !== ('bob' as never)) return false;
    node.write(peer, refuse(frame, 'unavailable', 5));
    return true;
  };
  const alice = await online('alice', { url: node.url });
  const stuck = alice.client.send({ receiver: 'bob', data: 'to bob' });
  await alice.client.send({ receiver: 'carol', data: 'to carol' });
  expect(stuck.state).toBe('queued');
  node.onFrame = () => false;
  await stuck;
});

test('a message that is refused for good fails, holds nothing up, and goes out again on retry', async () => {
  const node = await testNode();
  let isFull = true;
  node.onFrame = (frame, peer) => {
    if (frame.type !== 'send' || frame.data !== 'b' || !isFull) return false;
    node.write(peer, refuse(frame, 'box_full'));
    return true;
  };
  const outbox = memoryStorage();
  const alice = await online('alice', { url: node.url, outbox });
  const [a, b, c] = ['a', 'b', 'c'].map((data) => alice.client.send({ receiver: 'bob', data }));
  await expect(b).rejects.toEqual(new SkeinError('box_full', 'box_full'));
  await Promise.all([a, c]);
  expect(b!.state).toBe('failed');
  expect((await outbox.load()).map(({ failed }) => failed?.code)).toEqual(['box_full']);

  const again = await online('alice', { url: node.url, outbox });
  await until(() => again.client.outgoing.length === 1);
  const [left] = again.client.outgoing;
  expect(left).toMatchObject({ id: b!.id, state: 'failed', data: 'b' });
  isFull = false;
  await left!.retry();
  expect(stored(node, 'dm:alice:bob')).toEqual(['a', 'c', 'b']);
  expect(await outbox.load()).toEqual([]);
});

test('a failed message can be discarded', async () => {
  const node = await testNode();
  node.onFrame = (frame, peer) => {
    if (frame.type === 'send') node.write(peer, refuse(frame, 'forbidden'));
    return frame.type === 'send';
  };
  const outbox = memoryStorage();
  const alice = await online('alice', { url: node.url, outbox });
  const outgoing = alice.client.send({ broadcast: true, data: 'x' });
  await until(() => outgoing.state === 'failed');
  outgoing.discard();
  await until(async () => (await outbox.load()).length === 0);
  expect(alice.client.outgoing).toEqual([]);
});

test('a message that the server cannot cope with is given up after a few tries, and what follows goes on', async () => {
  const node = await testNode();
  node.onFrame = (frame, peer) => {
    if (frame.type !== 'send' || frame.data !== 'poison') return false;
    node.write(peer, refuse(frame, 'internal'));
    return true;
  };
  const alice = await online('alice', { url: node.url });
  const poison = alice.client.send({ receiver: 'bob', data: 'poison' });
  const next = alice.client.send({ receiver: 'bob', data: 'next' });
  await expect(poison).rejects.toMatchObject({ code: 'internal' });
  await next;
}, 20_000);

test('a message over the limit fails here, without costing the connection', async () => {
  const node = await testNode();
  node.limits = { ...node.limits, frame: 200 };
  const alice = await online('alice', { url: node.url });
  const long = alice.client.send({ receiver: 'bob', data: 'é'.repeat(90) });
  await expect(long).rejects.toMatchObject({ code: 'too_large' });
  await alice.client.send({ receiver: 'bob', data: 'short' });
  expect(node.connections).toBe(1);
});

test('an answer that is lost leads to a repeat under the same id, which is stored once', async () => {
  const node = await testNode();
  let answers = 0;
  node.onWrite = (frame) => (frame.type === 'sent' && ++answers > 2 && node.connections === 1 ? undefined : frame);
  const alice = await online('alice', { url: node.url });
  const sent = numbers(5).map((data) => alice.client.send({ receiver: 'bob', data }));
  await until(() => answers === 5);
  node.cut();
  await Promise.all(sent);
  expect(stored(node, 'dm:alice:bob')).toEqual(numbers(5));
  await until(() => alice.texts.length === 5);
  expect(alice.texts).toEqual(numbers(5));
});

test('a send that is never answered, though the line lives, leads to a new line', async () => {
  const node = await testNode();
  let isSwallowed = false;
  node.onFrame = (frame) => {
    if (frame.type !== 'send' || isSwallowed) return false;
    isSwallowed = true;
    return true;
  };
  const alice = await online('alice', { url: node.url, timing: { patience: 100 } });
  await alice.client.send({ receiver: 'bob', data: 'x' });
  expect(node.connections).toBe(2);
});

const HOUR = 3_600_000;

function old(id: string, data: string, order: number): OutboxEntry {
  return { id, target: { receiver: 'bob' }, data, order, createdAt: Date.now() - HOUR } as OutboxEntry;
}

test('a repeat older than the dedup time is looked for in history first, and not sent if it is there', async () => {
  const node = await testNode();
  const outbox = memoryStorage();
  for (const entry of [old('one', '1', 1), old('two', '2', 2)]) await outbox.put(entry);
  // Stored an hour ago, its answer lost, its id forgotten; then a page and more of other messages.
  node.say('dm:alice:bob', 'alice', '1', { id: 'one' as never, ts: Date.now() - HOUR + 5_000 });
  for (const text of numbers(250)) node.say('dm:alice:bob', 'bob', text);
  const alice = await online('alice', { url: node.url, outbox });
  await until(async () => (await outbox.load()).length === 0);
  expect(node.sends()).toEqual(['2']);
  expect(node.log.of('dm:alice:bob').filter(({ sender }) => sender === ('alice' as never))).toHaveLength(2);
  await until(() => alice.texts.length === 252);
});

test('however many are doubtful, history is read once for them all', async () => {
  const node = await testNode();
  const outbox = memoryStorage();
  for (const text of numbers(100)) await outbox.put(old(text, text, Number(text)));
  node.say('dm:alice:bob', 'alice', '1', { id: '1' as never, ts: Date.now() - HOUR + 5_000 });
  node.say('dm:alice:bob', 'alice', '2', { id: '2' as never, ts: Date.now() - HOUR + 6_000 });
  await online('alice', { url: node.url, outbox });
  await until(async () => (await outbox.load()).length === 0);
  expect(node.sends()).toEqual(numbers(98, 3));
  expect(node.heard.filter(({ frame }) => frame.type === 'history')).toHaveLength(1);
});

test('the search goes no further back than the time at which the message was written', async () => {
  const node = await testNode();
  const outbox = memoryStorage();
  await outbox.put(old('one', '1', 1));
  for (const text of numbers(600)) node.say('dm:alice:bob', 'bob', text, { ts: Date.now() - 24 * HOUR });
  await online('alice', { url: node.url, outbox });
  await until(() => node.sends().length === 1);
  expect(node.heard.filter(({ frame }) => frame.type === 'history')).toHaveLength(1);
});

test('a full outbox keeps below the rate of the server', async () => {
  const node = await testNode();
  node.limits = { ...node.limits, rate: 100 };
  const alice = person('alice', { url: node.url });
  const sent = numbers(90).map((data) => alice.client.send({ receiver: 'bob', data }));
  alice.client.connect();
  await Promise.all(sent);
  const times = node.heard.flatMap(({ frame, at }) => (frame.type === 'send' ? [at] : []));
  expect(times.at(-1)! - times[0]!).toBeGreaterThan(500);
});

test('over HTTP one send waits for the answer of the one before, in each conversation by itself', async () => {
  const node = await testNode();
  const open = new Map<string, number>();
  let most = 0;
  node.onFrame = (frame, peer) => {
    if (frame.type !== 'send') return false;
    const to = String((frame as FrameOf<'send'>).receiver);
    open.set(to, (open.get(to) ?? 0) + 1);
    most = Math.max(most, ...open.values());
    setTimeout(() => {
      open.set(to, open.get(to)! - 1);
      peer.write(node.log.append(peer.uid, frame));
    }, 10);
    return true;
  };
  const alice = await online('alice', { url: node.url, transports: ['poll'] });
  const sent = numbers(8).flatMap((data) => ['bob', 'carol'].map((receiver) => alice.client.send({ receiver, data })));
  await Promise.all(sent);
  expect(most).toBe(1);
  expect(stored(node, 'dm:alice:bob')).toEqual(numbers(8));
});

test('the same id is one message', async () => {
  const node = await testNode();
  const alice = await online('alice', { url: node.url });
  const one = alice.client.send({ receiver: 'bob', data: 'x', id: 'order-7' });
  const two = alice.client.send({ receiver: 'bob', data: 'x', id: 'order-7' });
  expect(two).toBe(one);
  await one;
  expect(node.sends()).toEqual(['x']);
});

test('a storage that fails is reported, and the message goes out all the same', async () => {
  const node = await testNode();
  const broken = async (): Promise<never> => {
    throw new Error('the disk is full');
  };
  const alice = person('alice', { url: node.url, outbox: { load: broken, put: broken, delete: broken } });
  const errors: string[] = [];
  alice.client.on('error', ({ message }) => errors.push(message));
  alice.client.connect();
  await alice.client.send({ receiver: 'bob', data: 'x' });
  await until(() => errors.length === 3);
  expect(new Set(errors)).toEqual(new Set(['the disk is full']));
});

test('names out of form are refused at once', async () => {
  const node = await testNode();
  const { client } = person('alice', { url: node.url });
  for (const receiver of ['', 'a b', 'x'.repeat(65), 'dm:a']) {
    expect(() => client.send({ receiver, data: 1 })).toThrow(SkeinError);
  }
  expect(() => client.send({ receiver: 'b', room: 'r', data: 1 } as never)).toThrow('exactly one');
  expect(() => client.send({ receiver: 'b' } as never)).toThrow('data');
  expect(() => client.send({ receiver: 'b', data: 1, id: 'ä' })).toThrow(SkeinError);
});
