import { describe, expect, test } from 'vitest';
import type { Frame } from '../support/frame.js';
import { SHAPES, townFor } from '../support/town.js';

describe.each(SHAPES)('saying it twice on %s', (_shape, plan) => {
  const t = townFor(plan);

  const expectOneOf = (answers: readonly Frame[]): void => {
    expect(new Set(answers.map((answer) => answer.seq)).size).toBe(1);
    expect(new Set(answers.map((answer) => answer.conv)).size).toBe(1);
    expect(answers.filter((answer) => answer.dup !== true)).toHaveLength(1);
  };

  test('one id, sent at the same moment on two nodes and over HTTP on a third, is stored once', async () => {
    const phone = await t.user('alice').device('phone').comesTo(1);
    const laptop = await phone.device('laptop').comesTo(2);
    const bob = await t.user('bob').comesTo(3);
    for (let round = 0; round < 10; round++) {
      const again = { id: `same-${round}` };
      const [first, second, posted] = await Promise.all([
        phone.says(bob, round, again),
        laptop.says(bob, round, again),
        phone.posts(3, bob, round, again),
      ]);
      expect(posted.status).toBe(200);
      expect(posted.body).toMatchObject({ type: 'sent', id: again.id });
      expectOneOf([first, second, posted.body]);
    }
    await phone.says(bob, 'fence');
    await bob.hears('fence');
    expect(bob.heard()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 'fence']);
  });

  test('a repetition is answered with the first place, whatever it says and wherever it comes', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const first = await alice.says(bob, 'first', { id: 'x' });
    await alice.says(bob, 'between', { id: 'y' });
    await alice.leaves();
    await alice.returnsTo(3);
    expect(await alice.says(bob, 'altered', { id: 'x' })).toMatchObject({ seq: first.seq, ts: first.ts, dup: true });
    await alice.says(bob, 'last', { id: 'z' });
    await bob.hears('last');
    expect(bob.heard()).toEqual(['first', 'between', 'last']);
  });

  test('repetitions in one breath are stored once', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    for (let time = 0; time < 20; time++) alice.line.send({ receiver: bob.uid, data: 'again', id: 'breath' });
    await alice.says(bob, 'fence');
    const answers = alice.line.frames.filter((frame) => frame.id === 'breath');
    expect(answers).toHaveLength(20);
    expectOneOf(answers);
    await bob.hears('fence');
    expect(bob.heard()).toEqual(['again', 'fence']);
  });

  test('an id belongs to one sender and one conversation', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const carol = t.user('carol');
    const same = { id: 'mine' };
    const den = t.room('den');
    await alice.joins(den);
    const answers = [
      await alice.says(bob, 'to bob', same),
      await bob.says(alice, 'to alice', same),
      await alice.says(carol, 'to carol', same),
      await alice.says(den, 'to all in the den', same),
      await alice.says('everybody', 'to everybody', same),
    ];
    for (const answer of answers) expect(answer).not.toHaveProperty('dup');
  });

  test('a send without an id is never taken for a repetition', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    for (let time = 0; time < 3; time++) alice.line.send({ receiver: bob.uid, data: 'knock' });
    await alice.says(bob, 'fence');
    await bob.hears('fence');
    expect(bob.heard()).toEqual(['knock', 'knock', 'knock', 'fence']);
  });

  test('sends to a room and to everybody are stored once, too', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const den = t.room('den');
    await alice.joins(den);
    await bob.joins(den);
    for (const to of [den, 'everybody'] as const) {
      const data = `to ${alice.convWith(to)}`;
      const sent = await alice.says(to, data, { id: 'once' });
      expect((await alice.posts(3, to, data, { id: 'once' })).body).toMatchObject({ seq: sent.seq, dup: true });
      await alice.says(to, `${data}: fence`);
      await bob.hears(`${data}: fence`);
      expect(bob.heard(alice.convWith(to)).filter((heard) => heard === data)).toHaveLength(1);
    }
  });

  test.each(['', 'x'.repeat(65), 'tab\t', 'é', 5, null])('the id %j is a bad request', async (id) => {
    const alice = await t.user('alice').comesTo(1);
    alice.line.send({ type: 'send', receiver: t.user('bob').uid, data: 1, id });
    expect((await alice.line.firstOf('error')).code).toBe('bad_request');
  });
});
