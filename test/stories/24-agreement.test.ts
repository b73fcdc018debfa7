import { describe, expect, test } from 'vitest';
import type { Conversation, Frame } from '../support/frame.js';
import type { Person } from '../support/person.js';
import { SHAPES, townFor } from '../support/town.js';
import { until } from '../support/until.js';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

async function rereads(person: Person, message: Frame): Promise<Frame> {
  const page = await person.asks({ type: 'history', conv: message.conv, after: message.seq! - 1, limit: 1 });
  return page.messages![0]!;
}

describe.each(SHAPES)('at the same moment on %s', (_shape, plan) => {
  const t = townFor(plan);

  test('reactions, edits and reads of three nodes: nothing is lost, and everybody sees the same', async () => {
    const den = t.room('den');
    const people = await Promise.all(numbers(6).map((index) => t.user(`m${index}`).comesTo(index + 1)));
    for (const person of people) await person.joins(den);
    const author = people[0]!;
    const sent = await author.says(den, 'version 0');
    const to = { conv: sent.conv, seq: sent.seq };
    const reacts = (person: Person, emoji: string, on: boolean): Promise<Frame> =>
      person.asks({ type: 'react', ...to, emoji, on });
    const answers = await Promise.all([
      ...people.flatMap((person) => numbers(8).map((n) => reacts(person, `e${n}-${person.uid}`, true))),
      ...people.map((person) => reacts(person, '👍', true)),
      ...numbers(10).map((n) => author.asks({ type: 'edit', ...to, data: `version ${n + 1}` })),
    ]);
    for (const person of people) person.line.send({ type: 'read', ...to });
    expect(answers.filter((answer) => answer.type !== 'sent')).toEqual([]);
    expect(new Set(answers.map((answer) => answer.seq)).size).toBe(answers.length);
    await Promise.all(people.flatMap((person) => numbers(4).map((n) => reacts(person, `e${n}-${person.uid}`, false))));
    const seen = await Promise.all(people.map((person) => rereads(person, sent)));
    for (const other of seen) expect(other).toEqual(seen[0]);
    const reactions = JSON.stringify(seen[0]!.reactions);
    for (const person of people) {
      for (const n of numbers(8)) expect(reactions.includes(`"e${n}-${person.uid}"`)).toBe(n >= 4);
      expect(reactions).toContain(`"${person.uid}"`);
    }
    const page = await author.asks({ type: 'history', conv: sent.conv, after: sent.seq, limit: 200 });
    const lastEdit = page.messages!.filter((entry) => entry.op === 'edit').at(-1)!;
    expect(seen[0]).toMatchObject({ data: lastEdit.data, edited: true });
    expect(page.messages!.filter((entry) => entry.op === 'react')).toHaveLength(6 * 8 + 6 + 6 * 4);
  });

  test('a recall among edits wins, wherever it falls', async () => {
    const alice = await t.user('alice').comesTo(1);
    const [laptop, tablet] = [await alice.device('laptop').comesTo(2), await alice.device('tablet').comesTo(3)];
    const bob = await t.user('bob').comesTo(2);
    for (const round of numbers(5)) {
      const sent = await alice.says(bob, `round ${round}: word`);
      const to = { conv: sent.conv, seq: sent.seq };
      await Promise.all([
        ...numbers(4).map((n) => laptop.asks({ type: 'edit', ...to, data: `round ${round}: word ${n}` })),
        tablet.asks({ type: 'recall', ...to }),
        bob.asks({ type: 'react', ...to, emoji: '👍', on: true }),
      ]);
      const original = await rereads(bob, sent);
      expect(original).toMatchObject({ recalled: true });
      expect(original).not.toHaveProperty('data');
      const page = await bob.asks({ type: 'history', conv: sent.conv, after: sent.seq! - 1, limit: 200 });
      expect(JSON.stringify(page)).not.toContain('word');
    }
  });

  test('two devices agree on what is unread, read and recalled within a second, and after coming back', async () => {
    const alice = await t.user('alice').comesTo(1);
    const phone = await t.user('bob').device('phone').comesTo(2);
    const laptop = await phone.device('laptop').comesTo(3);
    const conv = alice.convWith(phone);
    const sent = await alice.saysAll(phone, numbers(10));
    await Promise.all([phone.hears(9), laptop.hears(9)]);
    const lineOf = async (person: Person): Promise<Conversation> =>
      (await person.asks({ type: 'conversations' })).conversations!.find((line) => line.conv === conv)!;
    const agrees = async (wanted: object): Promise<void> => {
      const isSo = async (): Promise<boolean> => {
        const lines = await Promise.all([lineOf(phone), lineOf(laptop)]);
        return lines.every((line) => Object.entries(wanted).every(([k, v]) => line[k as keyof Conversation] === v));
      };
      await until(isSo, () => `both to see ${JSON.stringify(wanted)}`, 2_000);
      // What the other side has may move between the two questions.
      const [{ peer: _, ...here }, { peer: __, ...there }] = [await lineOf(laptop), await lineOf(phone)];
      expect(here).toEqual(there);
    };
    await agrees({ unread: 10 });
    await Promise.all(
      sent.slice(0, 8).map((message, n) => {
        return (n % 2 ? phone : laptop).line.send({ type: 'read', conv, seq: message.seq });
      }),
    );
    await agrees({ unread: 2, read: sent[7]!.seq });
    await alice.asks({ type: 'recall', conv, seq: sent[9]!.seq });
    await agrees({ head: sent[9]!.seq! + 1 });
    await laptop.leaves();
    phone.line.send({ type: 'read', conv, seq: sent[9]!.seq! });
    await phone.line.settles();
    await laptop.returnsTo(1);
    await agrees({ unread: 0, read: sent[9]!.seq });
    const [here, there] = await Promise.all([phone, laptop].map((person) => person.asks({ type: 'history', conv })));
    expect(here!.messages).toEqual(there!.messages);
    expect(here!.messages!.at(-2)).toMatchObject({ recalled: true });
  });
});
