import { describe, expect, test } from 'vitest';
import type { Frame } from '../support/frame.js';
import type { Person } from '../support/person.js';
import { SHAPES, townFor } from '../support/town.js';
import { until } from '../support/until.js';

const numbers = (count: number, from = 0): number[] => Array.from({ length: count }, (_, index) => from + index);
const areContiguous = (messages: readonly Frame[]): boolean =>
  messages.every(({ seq }, index) => index === 0 || seq === messages[index - 1]!.seq! + 1);

describe.each(SHAPES)('being away on %s', (_shape, plan) => {
  const t = townFor(plan);

  /** Waits until nothing is pending for a device, which a short poll tells without acknowledging anything. */
  const hasNothingPending = (person: Person): Promise<unknown> => {
    const poller = t.poller(person.uid, person.deviceName);
    return until(async () => (await poller.polls(3)).messages.length === 0, `nothing to be pending for ${person.uid}`);
  };

  test('500 messages to somebody absent are there in order, and once acknowledged never again', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(1);
    await bob.leaves();
    await alice.saysAll(bob, numbers(500));
    await bob.returnsTo(3);
    expect(bob.heard()).toEqual(numbers(500));
    expect(areContiguous(bob.line.messages())).toBe(true);
    await bob.leaves();
    await bob.returnsTo(2);
    expect(bob.heard()).toEqual([]);
    await alice.says(bob, 'news');
    await bob.hears('news');
    expect(bob.heard()).toEqual(['news']);
  });

  test('what was sent to a uid that was never seen is pending when it comes', async () => {
    const alice = await t.user('alice').comesTo(1);
    const newcomer = t.user('newcomer');
    await alice.saysAll(newcomer, numbers(40));
    await newcomer.comesTo(2);
    expect(newcomer.heard()).toEqual(numbers(40));
  });

  test('with manual acknowledgement exactly the unacknowledged come again, for each device its own', async () => {
    const alice = await t.user('alice').comesTo(1);
    const phone = await t.user('bob').device('phone').comesTo(2, { ack: 'manual' });
    const laptop = await phone.device('laptop').comesTo(3, { ack: 'manual' });
    await alice.saysAll(phone, numbers(300));
    const heard = await phone.hearsMany(300, alice.convWith(phone));
    await laptop.hearsMany(300, alice.convWith(phone));
    phone.acks(heard[199]!);
    laptop.acks(heard[49]!);
    await Promise.all([phone.leaves(), laptop.leaves()]);
    await Promise.all([phone.returnsTo(3), laptop.returnsTo(1)]);
    expect(phone.heard()).toEqual(numbers(100, 200));
    expect(laptop.heard()).toEqual(numbers(250, 50));
    // Nothing was acknowledged in between: the same once more.
    await phone.vanishes();
    await phone.returnsTo(2);
    expect(phone.heard()).toEqual(numbers(100, 200));
  });

  test('a device never seen before starts at what the others have acknowledged', async () => {
    const alice = await t.user('alice').comesTo(1);
    const phone = await t.user('bob').device('phone').comesTo(2, { ack: 'manual' });
    await alice.saysAll(phone, numbers(60));
    const heard = await phone.hearsMany(60, alice.convWith(phone));
    phone.acks(heard[39]!);
    await phone.leaves();
    const tablet = await phone.device('tablet').comesTo(1);
    expect(tablet.heard()).toEqual(numbers(20, 40));
  });

  test('an acknowledgement never goes back', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2, { ack: 'manual' });
    await alice.saysAll(bob, numbers(30));
    const heard = await bob.hearsMany(30, alice.convWith(bob));
    bob.acks(heard[19]!);
    bob.acks(heard[4]!);
    // Written a moment later: that alice is told is the sign.
    const { seq } = heard[19]!;
    await alice.line.first(({ type, delivered }) => type === 'receipt' && delivered === seq, 'the receipt');
    bob.acks(heard[4]!);
    await bob.line.settles();
    await bob.leaves();
    await bob.returnsTo(3);
    expect(bob.heard()).toEqual(numbers(10, 20));
  });

  test('what one device sends comes to the others of the same user, there or away', async () => {
    const phone = await t.user('alice').device('phone').comesTo(1);
    const laptop = await phone.device('laptop').comesTo(2);
    const tablet = await phone.device('tablet').comesTo(3);
    await tablet.leaves();
    const bob = t.user('bob');
    const sent = await phone.says(bob, 'from my phone', { id: 'p1' });
    const expected = { sender: phone.uid, receiver: bob.uid, seq: sent.seq, id: 'p1' };
    expect(await laptop.hears('from my phone')).toMatchObject(expected);
    await tablet.returnsTo(1);
    expect(await tablet.hears('from my phone')).toMatchObject(expected);
    expect(phone.heard()).toEqual([]);
    await phone.leaves();
    await phone.returnsTo(2);
    expect(phone.heard()).toEqual([]);
  });

  test('a note to self comes to the other devices and not to the sending socket', async () => {
    const phone = await t.user('alice').device('phone').comesTo(1);
    const laptop = await phone.device('laptop').comesTo(2);
    const sent = await phone.says(phone, 'buy milk');
    expect(sent.conv).toBe(`dm:${phone.uid}:${phone.uid}`);
    expect(await laptop.hears('buy milk')).toMatchObject({ conv: sent.conv, sender: phone.uid, receiver: phone.uid });
    await phone.line.settles();
    expect(phone.heard()).toEqual([]);
    await laptop.leaves();
    await hasNothingPending(laptop);
  });

  test('messages of many senders wait beside each other', async () => {
    const bob = t.user('bob');
    const senders = await Promise.all(numbers(12, 1).map((index) => t.user(`s${index}`).comesTo(index)));
    await Promise.all(senders.map((sender) => sender.saysAll(bob, numbers(20))));
    await bob.comesTo(2);
    for (const sender of senders) expect(bob.heard(sender.convWith(bob))).toEqual(numbers(20));
    await bob.leaves();
    await hasNothingPending(bob);
  });

  test('nobody else hears a direct message', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const eve = await t.user('eve').comesTo(3);
    await alice.says(bob, 'psst');
    await bob.hears('psst');
    await alice.says(eve, 'lovely weather');
    await eve.hears('lovely weather');
    expect(eve.heard()).toEqual(['lovely weather']);
  });
});
