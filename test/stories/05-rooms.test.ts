import { describe, expect, test } from 'vitest';
import { SHAPES, townFor } from '../support/town.js';

describe.each(SHAPES)('a room on %s', (_shape, plan) => {
  const t = townFor(plan);

  test('joining creates it, and who created it owns it', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const den = t.room('den');
    expect(await alice.joins(den)).toMatchObject({ type: 'joined', room: den.name });
    expect(await bob.joins(den)).toMatchObject({ type: 'joined', room: den.name });
    expect(await bob.joins(den)).toMatchObject({ type: 'joined', room: den.name });
    await bob.leaves();
    const carol = await t.user('carol').comesTo(3);
    await carol.joins(den);
    const { members } = await carol.asks({ type: 'members', room: den.name });
    const byUid = new Map(members?.map((member) => [member.uid, member]));
    expect(byUid.size).toBe(3);
    expect(byUid.get(alice.uid)).toMatchObject({ role: 'owner', online: true });
    expect(byUid.get(bob.uid)).toMatchObject({ role: 'member' });
    expect(byUid.get(carol.uid)).toMatchObject({ role: 'member', online: true });
  });

  test('members come in pages', async () => {
    const den = t.room('den');
    const people = await Promise.all([1, 2, 3, 1, 2].map((node, index) => t.user(`m${index}`).comesTo(node)));
    for (const person of people) await person.joins(den);
    const seen: string[] = [];
    for (let after: string | undefined; ; after = seen.at(-1)) {
      const page = await people[0]!.asks({ type: 'members', room: den.name, limit: 2, ...(after && { after }) });
      expect(page.members!.length).toBeLessThanOrEqual(2);
      seen.push(...page.members!.map((member) => member.uid));
      if (!page.more) break;
    }
    expect(seen.toSorted()).toEqual(people.map((person) => person.uid).toSorted());
  });

  test('membership outlives the connection: what is said meanwhile is there on return', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const den = t.room('den');
    await alice.joins(den);
    await bob.joins(den);
    await bob.leaves();
    await alice.saysAll(den, ['one', 'two', 'three']);
    await bob.returnsTo(3);
    expect(bob.heard(den.conv)).toEqual(['one', 'two', 'three']);
    expect(bob.line.messages(den.conv).at(-1)).toMatchObject({ room: den.name, sender: alice.uid });
    expect(bob.line.messages(den.conv).at(-1)).not.toHaveProperty('receiver');
    await alice.says(den, 'four');
    await bob.hears('four');
    expect((await bob.says(den, 'five')).conv).toBe(den.conv);
    await alice.hears('five');
  });

  test('pending starts at joining, and the history before it can be read', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const den = t.room('den');
    await alice.joins(den);
    await alice.says(den, 'before bob');
    await bob.joins(den);
    await alice.says(den, 'after bob');
    await bob.hears('after bob');
    expect(bob.heard(den.conv)).toEqual(['after bob']);
    const page = await bob.asks({ type: 'history', conv: den.conv });
    expect(page.messages!.filter((entry) => !entry.op).map((entry) => entry.data)).toEqual(['before bob', 'after bob']);
  });

  test('who has left hears and reads nothing more, and cannot speak', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const den = t.room('den');
    await alice.joins(den);
    await bob.joins(den);
    await alice.says(den, 'hello bob');
    await bob.hears('hello bob');
    expect(await bob.quits(den)).toMatchObject({ type: 'left', room: den.name });
    await alice.says(den, 'now that he is gone');
    await alice.says(bob, 'fence');
    await bob.hears('fence');
    expect(bob.heard(den.conv)).toEqual(['hello bob']);
    expect(await bob.tries(den, 'me?')).toMatchObject({ type: 'error', code: 'not_member' });
    for (const type of ['history', 'members']) {
      const asked = { type, conv: den.conv, room: den.name };
      expect(await bob.asks(asked)).toMatchObject({ type: 'error', code: 'not_member' });
    }
    expect((await bob.posts(3, den, 'me?')).status).toBe(403);
    await bob.leaves();
    await bob.returnsTo(1);
    expect(bob.heard(den.conv)).toEqual([]);
    await bob.joins(den);
    await alice.says(den, 'welcome back');
    await bob.hears('welcome back');
  });

  test('who was never a member cannot speak, and hears nothing', async () => {
    const alice = await t.user('alice').comesTo(1);
    const eve = await t.user('eve').comesTo(2);
    const den = t.room('den');
    await alice.joins(den);
    const answer = await eve.tries(den, 'hi');
    expect(answer).toMatchObject({ type: 'error', code: 'not_member' });
    await alice.says(den, 'just us');
    await alice.says(eve, 'fence');
    await eve.hears('fence');
    expect(eve.heard()).toEqual(['fence']);
  });

  test('every change of a room is an entry of its log', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const den = t.room('den');
    await alice.joins(den);
    await bob.joins(den);
    await bob.quits(den);
    const { messages } = await alice.asks({ type: 'history', conv: den.conv });
    const changes = messages!.filter((entry) => entry.op === 'system').map((entry) => entry.data);
    expect(changes[0]).toMatchObject({ event: 'created', uid: alice.uid });
    expect(changes).toContainEqual(expect.objectContaining({ event: 'joined', uid: bob.uid }));
    expect(changes.at(-1)).toMatchObject({ event: 'left', uid: bob.uid });
  });

  test('all devices of a member are in the room', async () => {
    const alice = await t.user('alice').comesTo(1);
    const phone = await t.user('bob').device('phone').comesTo(2);
    const laptop = await phone.device('laptop').comesTo(3);
    const den = t.room('den');
    await alice.joins(den);
    await phone.joins(den);
    await alice.says(den, 'both of you');
    await phone.hears('both of you');
    await laptop.hears('both of you');
    const sent = await laptop.says(den, 'from the laptop');
    expect(await phone.hears('from the laptop')).toMatchObject({ sender: phone.uid, seq: sent.seq });
  });
});
