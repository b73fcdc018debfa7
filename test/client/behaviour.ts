/** What holds over every transport, of the scripted node and of the real one. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { memoryStorage, type OutgoingState, type Stored, type TransportName } from '../../src/client/index.js';
import { CutProxy } from './support/cut-proxy.js';
import { numbers, online, person, until } from './support/scene.js';

export type Node = { readonly url: string; close(): Promise<unknown> };

let world = 0;

export function behaves(start: () => Promise<Node>, transport: TransportName): void {
  let node: Node;
  let proxy: CutProxy;
  /** Names nobody else has, so that tests share a node and nothing else. */
  let name: (base: string) => string;

  beforeAll(async () => {
    node = await start();
    proxy = await CutProxy.before(node.url);
  });

  afterAll(async () => {
    await proxy.close();
    await node.close();
  });

  function town() {
    const suffix = `${process.pid}-${++world}`;
    name = (base) => `${base}-${suffix}`;
    return { url: proxy.url, transports: [transport], timing: { patience: 2_000 } } as const;
  }

  test('a message arrives, and its sender learns its place and that it was delivered', async () => {
    const options = town();
    const alice = await online(name('alice'), options);
    const bob = await online(name('bob'), options);
    const outgoing = alice.client.send({ receiver: name('bob'), data: 'are you there?' });
    const states: OutgoingState[] = [outgoing.state];
    outgoing.watch(({ state }) => states.push(state));
    const place = await outgoing;
    await until(() => bob.texts.length === 1);
    expect(bob.messages[0]).toMatchObject({ ...place, sender: name('alice'), data: 'are you there?', id: outgoing.id });
    await until(() => outgoing.state === 'delivered', 12_000);
    expect(states).toEqual(['queued', 'stored', 'delivered']);
    await until(() => alice.texts.length === 1);
    expect(alice.messages).toEqual(bob.messages);
  });

  test('everything arrives once and in order, however often the line breaks', async () => {
    const options = town();
    const alice = await online(name('alice'), options);
    const bob = await online(name('bob'), options);
    for (const text of numbers(60)) {
      alice.client.send({ receiver: name('bob'), data: text });
      bob.client.send({ receiver: name('alice'), data: `b${text}` });
      if (Number(text) % 12 === 0) {
        proxy.cut();
        await until(() => bob.texts.length >= Number(text));
      }
    }
    const all = 120;
    await until(() => alice.texts.length >= all && bob.texts.length >= all, 20_000);
    expect(bob.texts.filter((text) => !text.startsWith('b'))).toEqual(numbers(60));
    expect(alice.texts.filter((text) => text.startsWith('b'))).toEqual(numbers(60).map((text) => `b${text}`));
    expect(alice.messages.map(({ seq }) => seq)).toEqual(bob.messages.map(({ seq }) => seq));
    expect(alice.client.outgoing.filter(({ state }) => state === 'queued')).toEqual([]);
  });

  test('what was written without a connection goes out in order, and an earlier run’s before it', async () => {
    const options = town();
    const outbox = memoryStorage();
    const first = person(name('alice'), { ...options, outbox });
    for (const text of numbers(5)) first.client.send({ receiver: name('bob'), data: text });
    await until(async () => (await outbox.load()).length === 5);
    const again = person(name('alice'), { ...options, outbox });
    again.client.connect();
    await until(() => again.client.outgoing.length === 5);
    for (const text of numbers(5, 6)) again.client.send({ receiver: name('bob'), data: text });
    const bob = await online(name('bob'), options);
    await until(() => bob.texts.length >= 10);
    expect(bob.texts).toEqual(numbers(10));
    await until(() => again.client.outgoing.every(({ state }) => state !== 'queued'));
    expect(await outbox.load()).toEqual([]);
  });

  test('who was away finds what was sent meanwhile, once', async () => {
    const options = town();
    const alice = await online(name('alice'), options);
    const bob = await online(name('bob'), options);
    await alice.client.send({ receiver: name('bob'), data: '1' });
    await until(() => bob.texts.length === 1);
    await bob.client.close();
    for (const text of numbers(20, 2)) await alice.client.send({ receiver: name('bob'), data: text });
    bob.client.connect();
    await until(() => bob.texts.length >= 21);
    expect(bob.texts).toEqual(numbers(21));
  });

  test('it is told when all that was pending is there', async () => {
    const options = town();
    const alice = await online(name('alice'), options);
    for (const text of numbers(3)) await alice.client.send({ receiver: name('bob'), data: text });
    const bob = person(name('bob'), options);
    const had: number[] = [];
    bob.client.on('synced', () => had.push(bob.texts.length));
    bob.client.connect();
    await until(() => had.length > 0);
    expect(had[0]).toBe(3);
  });

  test('a room’s members hear each other, and nobody else does', async () => {
    const options = town();
    const [alice, bob, carol] = [
      await online(name('alice'), options),
      await online(name('bob'), options),
      await online(name('carol'), options),
    ];
    for (const { client } of [alice, bob]) await client.join(name('tea'));
    await alice.client.send({ room: name('tea'), data: 'milk?' });
    await until(() => bob.texts.includes('milk?'));
    await alice.client.send({ receiver: name('carol'), data: 'hello' });
    await until(() => carol.texts.length === 1);
    expect(carol.texts).toEqual(['hello']);
  });

  test('a broadcast reaches everybody who is there, its sender included', async () => {
    const options = town();
    const alice = await online(name('alice'), options);
    const bob = await online(name('bob'), options);
    const text = name('hear, hear');
    await alice.client.send({ broadcast: true, data: text });
    await until(() => [alice, bob].every(({ texts }) => texts.includes(text)));
    expect(bob.texts.filter((one) => one === text)).toEqual([text]);
  });

  test('history comes in pages, oldest first', async () => {
    const options = town();
    const alice = await online(name('alice'), options);
    const sent = numbers(7).map((data) => alice.client.send({ receiver: name('alice'), data }));
    const [{ conv }] = (await Promise.all(sent)) as [Stored, ...Stored[]];
    const newest = await alice.client.history(conv, { limit: 3 });
    expect(newest.messages.map(({ data }) => data)).toEqual(['5', '6', '7']);
    expect(newest.more).toBe(true);
    const older = await alice.client.history(conv, { limit: 10, before: newest.messages[0]!.seq });
    expect(older.messages.map(({ data }) => data)).toEqual(numbers(4));
    expect(older.more).toBe(false);
  });

  if (transport !== 'websocket') return;

  test('what was edited, reacted to and withdrawn is so for both sides, each change once and in its place', async () => {
    const options = town();
    const alice = await online(name('alice'), options);
    const bob = await online(name('bob'), options);
    const { conv, seq } = await alice.client.send({ receiver: name('bob'), data: 'helo' });
    await alice.client.edit(conv, seq, 'hello');
    await bob.client.react(conv, seq, '👍');
    await alice.client.recall(conv, seq);
    for (const person of [alice, bob]) {
      await until(() => person.messages.length >= 4);
      expect(person.messages.map(({ seq, op, ref }) => [seq, op, ref])).toEqual([
        [seq, undefined, undefined],
        [seq + 1, 'edit', seq],
        [seq + 2, 'react', seq],
        [seq + 3, 'recall', seq],
      ]);
    }
  });

  test('who comes and goes is told, and who is writing', async () => {
    const options = town();
    const alice = await online(name('alice'), options);
    const seen: string[] = [];
    alice.client.on('presence', ({ uid, online }) => seen.push(`${uid} ${online}`));
    alice.client.on('typing', ({ sender }) => seen.push(`${sender} is writing`));
    const [now] = await alice.client.watch([name('bob')]);
    expect(now).toMatchObject({ uid: name('bob'), online: false });
    const bob = await online(name('bob'), options);
    await until(() => seen.includes(`${name('bob')} true`));
    bob.client.typing({ receiver: name('alice') });
    await until(() => seen.includes(`${name('bob')} is writing`));
  });

  test('what one device read, the other side and the other device know', async () => {
    const options = town();
    const alice = await online(name('alice'), options);
    const [phone, desk] = [
      await online(name('bob'), { ...options, device: 'phone' }),
      await online(name('bob'), { ...options, device: 'desk' }),
    ];
    const own: number[] = [];
    desk.client.on('receipt', ({ uid, read }) => uid === name('bob') && own.push(read));
    const outgoing = alice.client.send({ receiver: name('bob'), data: 'x' });
    const { conv, seq } = await outgoing;
    await until(() => phone.texts.length === 1 && desk.texts.length === 1);
    phone.client.read(conv, seq);
    await until(() => outgoing.state === 'read');
    await until(() => own.includes(seq));
  });
}
