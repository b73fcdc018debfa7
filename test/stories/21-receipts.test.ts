import { describe, expect, test } from 'vitest';
import type { Frame } from '../support/frame.js';
import type { Audience, Person } from '../support/person.js';
import { shapesWith, townFor } from '../support/town.js';
import { until } from '../support/until.js';

const receiptsAt = (person: Person, of: Person, conv: string): Frame[] =>
  person.line.frames.filter((frame) => frame.type === 'receipt' && frame.uid === of.uid && frame.conv === conv);

/** Waits until a receipt says at least so much. */
const learns = (person: Person, of: Person, to: Audience, mark: 'delivered' | 'read', seq: number): Promise<Frame> => {
  const conv = of.convWith(to);
  const matches = (frame: Frame): boolean =>
    frame.type === 'receipt' && frame.uid === of.uid && frame.conv === conv && frame[mark] === seq;
  return person.line.first(matches, `${person.uid} to learn ${mark} ${seq} of ${of.uid} in ${conv}`);
};

const reads = (person: Person, message: Frame): void =>
  person.line.send({ type: 'read', conv: message.conv, seq: message.seq });

describe.concurrent.each(shapesWith({}))('receipts and typing on %s', (_shape, plan) => {
  const t = townFor(plan);

  test('the sender learns that a message came, and that it was read', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const sent = await alice.says(bob, 'hello');
    await bob.hears('hello');
    await learns(alice, bob, alice, 'delivered', sent.seq!);
    expect(receiptsAt(alice, bob, sent.conv!).at(-1)!.read).toBeLessThan(sent.seq!);
    reads(bob, sent);
    const receipt = await learns(alice, bob, alice, 'read', sent.seq!);
    expect(receipt).toEqual({
      type: 'receipt',
      conv: sent.conv,
      uid: bob.uid,
      delivered: sent.seq,
      read: sent.seq,
    });
  });

  test('delivered is the highest of any device, and nothing ever goes back', async () => {
    const alice = await t.user('alice').comesTo(1);
    const phone = await t.user('bob').device('phone').comesTo(2, { ack: 'manual' });
    const laptop = await phone.device('laptop').comesTo(1, { ack: 'manual' });
    const [one, two, three] = await alice.saysAll(phone, [1, 2, 3]);
    await phone.hears(3);
    await laptop.hears(3);
    phone.acks(one!);
    await learns(alice, phone, alice, 'delivered', one!.seq!);
    laptop.acks(three!);
    await learns(alice, phone, alice, 'delivered', three!.seq!);
    phone.acks(two!);
    reads(laptop, two!);
    await learns(alice, phone, alice, 'read', two!.seq!);
    reads(phone, one!);
    reads(phone, three!);
    await learns(alice, phone, alice, 'read', three!.seq!);
    const marks = receiptsAt(alice, phone, one!.conv!);
    for (const mark of ['delivered', 'read'] as const) {
      const numbers = marks.map((receipt) => receipt[mark]!);
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    }
  });

  test("one's other sockets learn what one has read, in every kind of conversation", async () => {
    const alice = await t.user('alice').comesTo(1);
    const phone = await t.user('bob').device('phone').comesTo(2);
    const laptop = await phone.device('laptop').comesTo(1);
    const twin = await phone.device('phone').comesTo(1);
    const den = t.room('den');
    await alice.joins(den);
    await phone.joins(den);
    for (const to of [phone, den, 'everybody'] as const) {
      await alice.says(to, `to ${alice.convWith(to)}`);
      const heard = await phone.hears(`to ${alice.convWith(to)}`);
      reads(phone, heard);
      const other = to === phone ? alice : to;
      await learns(laptop, phone, other, 'read', heard.seq!);
      await learns(twin, phone, other, 'read', heard.seq!);
    }
    const own = phone.line.frames.filter((frame) => frame.type === 'receipt' && frame.uid === phone.uid && frame.read);
    expect(own.filter((frame) => frame.conv === 'all')).toEqual([]);
  });

  test('in a room and of a broadcast nobody else learns who has read', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const den = t.room('den');
    await alice.joins(den);
    await bob.joins(den);
    for (const to of [den, 'everybody'] as const) {
      await alice.says(to, `secretly, ${alice.convWith(to)} ${alice.uid}`);
      reads(bob, await bob.hears(`secretly, ${alice.convWith(to)} ${alice.uid}`));
    }
    const fence = await alice.says(bob, 'fence');
    reads(bob, await bob.hears('fence'));
    await learns(alice, bob, alice, 'read', fence.seq!);
    expect(receiptsAt(alice, bob, den.conv)).toEqual([]);
    expect(receiptsAt(alice, bob, 'all')).toEqual([]);
  });

  test('sending reads: the other side learns that what came before was read', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    await alice.says(bob, 'did you see it?');
    await bob.hears('did you see it?');
    const answer = await bob.says(alice, 'I did');
    await learns(alice, bob, alice, 'read', answer.seq!);
  });

  test('sending by post reads, too, and the own sockets learn it', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    await alice.says(bob, 'did you get it?');
    await bob.hears('did you get it?');
    const { body } = await bob.posts(1, alice, 'by post');
    await learns(alice, bob, alice, 'read', body.seq!);
    await learns(bob, bob, alice, 'read', body.seq!);
  });

  test('what moved while one was away comes right after welcome, before what was pending', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const sent = await alice.says(bob, 'read this while I am away');
    await alice.leaves();
    reads(bob, await bob.hears('read this while I am away'));
    const isWritten = async (): Promise<boolean> => {
      const { conversations } = (await alice.calls<Frame>(1, 'GET', '/conversations')).body;
      return conversations!.find(({ conv }) => conv === sent.conv)!.peer!.read === sent.seq;
    };
    await until(isWritten, 'the reading to be written down');
    const late = await t.user('dora').says(alice, 'pending');
    await alice.returnsTo(2);
    const types = alice.line.frames.map((frame) => frame.type);
    expect(types[0]).toBe('welcome');
    expect(receiptsAt(alice, bob, sent.conv!)).toMatchObject([{ read: sent.seq }]);
    expect(types.lastIndexOf('receipt')).toBeLessThan(types.indexOf('message'));
    expect(alice.line.messages(late.conv)).toHaveLength(1);
  });

  test('a device that was away learns what another has read meanwhile', async () => {
    const alice = await t.user('alice').comesTo(1);
    const phone = await t.user('bob').device('phone').comesTo(2);
    const laptop = await phone.device('laptop').comesTo(1);
    const sent = await alice.says(phone, 'news');
    await laptop.hears('news');
    await laptop.leaves();
    reads(phone, await phone.hears('news'));
    await learns(alice, phone, alice, 'read', sent.seq!);
    await laptop.returnsTo(2);
    await learns(laptop, phone, alice, 'read', sent.seq!);
  });

  test('acknowledging by poll and reading by post are told like any other', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = t.user('bob');
    const sent = await alice.says(bob, 'hello, poller');
    const poller = t.poller(bob.uid);
    const { cursor } = await poller.polls(2);
    await poller.polls(2, { ack: cursor });
    await learns(alice, bob, alice, 'delivered', sent.seq!);
    await bob.calls(2, 'POST', `/conversations/${encodeURIComponent(sent.conv!)}/read`, { seq: sent.seq });
    await learns(alice, bob, alice, 'read', sent.seq!);
  });

  test('who is no member reads nothing, and whose conversation it is not, neither', async () => {
    const alice = await t.user('alice').comesTo(1);
    const eve = await t.user('eve').comesTo(2);
    const den = t.room('den');
    await alice.joins(den);
    const sent = await alice.says(den, 'just me');
    expect(await eve.asks({ type: 'read', conv: den.conv, seq: sent.seq })).toMatchObject({ code: 'not_member' });
    const path = `/conversations/${encodeURIComponent(den.conv)}`;
    for (const end of ['read', 'ack']) {
      const answer = await eve.calls(1, 'POST', `${path}/${end}`, { seq: sent.seq });
      expect(answer).toMatchObject({ status: 403, body: { error: { code: 'not_member' } } });
    }
  });

  const typingAt = (person: Person, of: Person): Frame[] =>
    person.line.frames.filter((frame) => frame.type === 'typing' && frame.sender === of.uid);

  test('the receiver sees that somebody types, at most every 2 s, and nothing of it stays', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    for (let turn = 0; turn < 5; turn++) alice.line.send({ type: 'typing', receiver: bob.uid });
    expect(await bob.line.firstOf('typing')).toMatchObject({ sender: alice.uid, receiver: bob.uid });
    const start = performance.now();
    const isTwice = (): boolean => {
      alice.line.send({ type: 'typing', receiver: bob.uid });
      return typingAt(bob, alice).length > 1;
    };
    await until(isTwice, 'typing to be seen again');
    expect(performance.now() - start).toBeGreaterThan(1_500);
    await alice.says(bob, 'done');
    await bob.hears('done');
    expect(typingAt(bob, alice)).toHaveLength(2);
    expect(alice.line.frames.filter((frame) => frame.type === 'error')).toEqual([]);
    const { messages } = await bob.asks({ type: 'history', conv: alice.convWith(bob) });
    expect(messages!.map((entry) => entry.data)).toEqual(['done']);
    expect((await t.poller(bob.uid, 'new').polls(1)).messages.filter((entry) => entry.type !== 'message')).toEqual([]);
  });

  test('a member is seen to type by the other members, one conversation beside the other', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const eve = await t.user('eve').comesTo(1);
    const den = t.room('den');
    await alice.joins(den);
    await bob.joins(den);
    eve.line.send({ type: 'typing', room: den.name });
    alice.line.send({ type: 'typing', room: den.name });
    alice.line.send({ type: 'typing', receiver: bob.uid });
    await until(() => typingAt(bob, alice).length === 2, 'both to be seen');
    expect(typingAt(bob, alice)).toContainEqual(expect.objectContaining({ room: den.name }));
    expect(typingAt(bob, alice)).toContainEqual(expect.objectContaining({ receiver: bob.uid }));
    await alice.says(eve, 'fence');
    await eve.hears('fence');
    expect(typingAt(eve, alice)).toEqual([]);
    expect(typingAt(bob, eve)).toEqual([]);
  });

  test.each([{}, { receiver: 'a b' }, { receiver: 'B', room: 'r' }, { room: 7 }])(
    'typing to %j is a bad request',
    async (wrong) => {
      const alice = await t.user('alice').comesTo(1);
      expect(await alice.asks({ type: 'typing', ...wrong })).toMatchObject({ type: 'error', code: 'bad_request' });
    },
  );
});
