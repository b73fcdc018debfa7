import { describe, expect, test } from 'vitest';
import type { Frame } from '../support/frame.js';
import type { Person, Room } from '../support/person.js';
import { SHAPES, townFor } from '../support/town.js';
import { until } from '../support/until.js';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** What one connection saw of a conversation, own messages in the place of their `sent`: seq after seq. */
function placesOf(person: Person, room: Room): number[] {
  const takesPlace = (frame: Frame): boolean => frame.type === 'message' || frame.type === 'sent';
  return person.line.frames.filter((frame) => frame.conv === room.conv && takesPlace(frame)).map((frame) => frame.seq!);
}

describe.each(SHAPES)('one order on %s', (_shape, plan) => {
  const t = townFor(plan);

  test('four senders on two nodes: every reader of the room sees one order, each sender its own place in it', async () => {
    const den = t.room('den');
    const senders = await Promise.all([1, 1, 2, 2].map((node, index) => t.user(`s${index}`).comesTo(node)));
    const readers = await Promise.all([1, 2, 3].map((node) => t.user(`r${node}`).comesTo(node)));
    for (const member of [...senders, ...readers]) await member.joins(den);
    const away = readers[1]!;
    await away.leaves();
    await Promise.all(
      senders.map((sender, s) =>
        sender.saysAll(
          den,
          numbers(50).map((n) => `${s}:${n}`),
        ),
      ),
    );
    await away.returnsTo(3);
    const said = (frames: readonly Frame[]): string[] =>
      frames.filter((frame) => frame.op === undefined).map((frame) => `${frame.seq} ${frame.sender} ${frame.data}`);
    const heardBy = async (reader: Person): Promise<string[]> => {
      await until(() => reader.heard(den.conv).length >= 200, `200 messages for ${reader.uid}`);
      return said(reader.line.messages(den.conv));
    };
    const [first, ...others] = await Promise.all(readers.map(heardBy));
    expect(first).toHaveLength(200);
    for (const other of others) expect(other).toEqual(first);
    const order = first!.map((line) => Number(line.split(' ')[0]));
    for (const [s, sender] of senders.entries()) {
      await until(() => sender.heard(den.conv).length >= 150, `150 messages of others for ${sender.uid}`);
      expect(placesOf(sender, den).slice(-200)).toEqual(order);
      expect(sender.line.messages(den.conv).filter((frame) => frame.sender === sender.uid && !frame.op)).toEqual([]);
      const own = first!.filter((line) => line.includes(` ${sender.uid} `)).map((line) => line.split(' ')[2]);
      expect(own).toEqual(numbers(50).map((n) => `${s}:${n}`));
    }
  });

  test('two who write to each other at once see one order', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const reader = await alice.device('tablet').comesTo(3);
    await Promise.all([alice.saysAll(bob, numbers(100)), bob.saysAll(alice, numbers(100))]);
    const all = await reader.hearsMany(200, alice.convWith(bob));
    const of = (sender: Person): unknown[] =>
      all.filter((frame) => frame.sender === sender.uid).map((frame) => frame.data);
    expect(of(alice)).toEqual(numbers(100));
    expect(of(bob)).toEqual(numbers(100));
    await until(() => alice.heard().length === 100 && bob.heard().length === 100, 'both to hear each other');
    const places = (person: Person): (number | undefined)[] =>
      person.line.frames.filter((frame) => frame.type === 'message' || frame.type === 'sent').map((frame) => frame.seq);
    expect(places(alice)).toEqual(all.map((frame) => frame.seq));
    expect(places(bob)).toEqual(all.map((frame) => frame.seq));
  });

  test('a broadcast comes to who is there and to who was away, in one order', async () => {
    const [alice, bob, carol] = await Promise.all([1, 2, 3].map((node) => t.user('citizen').comesTo(node)));
    await carol!.leaves();
    const words = numbers(30).map((n) => `hear ye ${n} ${alice!.uid}`);
    await alice!.saysAll('everybody', words);
    const last = await bob!.hears(words[29]);
    expect(last).toMatchObject({ conv: 'all', broadcast: true, sender: alice!.uid });
    await carol!.returnsTo(1);
    expect(carol!.heard('all')).toEqual(words);
    expect(bob!.heard('all').slice(-30)).toEqual(words);
    expect(alice!.heard('all')).not.toContain(words[0]);
    await carol!.leaves();
    await carol!.returnsTo(2);
    expect(carol!.heard('all')).toEqual([]);
  });

  test('who comes for the first time gets only what is broadcast from then on', async () => {
    const alice = await t.user('alice').comesTo(1);
    await alice.says('everybody', 'before you came');
    const newcomer = await t.user('newcomer').comesTo(2);
    expect(newcomer.heard()).toEqual([]);
    await alice.says('everybody', 'after you came');
    await newcomer.hears('after you came');
    expect(newcomer.heard()).toEqual(['after you came']);
  });

  test('what one connection says in one breath is stored in that order, in each of its conversations', async () => {
    const alice = await t.user('alice').comesTo(1);
    const others = await Promise.all([1, 2, 3].map((node) => t.user(`o${node}`).comesTo(node)));
    await Promise.all(numbers(100).flatMap((n) => others.map((other) => alice.says(other, n))));
    for (const other of others) {
      await other.hears(99);
      expect(other.heard()).toEqual(numbers(100));
    }
  });
});
