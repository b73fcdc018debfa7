import { describe, expect, test } from 'vitest';
import type { Frame } from '../support/frame.js';
import type { Audience, Person } from '../support/person.js';
import { shapesWith, townFor } from '../support/town.js';
import { until } from '../support/until.js';

const change = (type: string, to: Frame, more: object = {}): Readonly<Record<string, unknown>> => ({
  type,
  conv: to.conv,
  seq: to.seq,
  ...more,
});

const changed = (person: Person, op: string, ref: Frame): Promise<Frame> =>
  person.line.first((frame) => frame.op === op && frame.ref === ref.seq, `${person.uid} to hear of the ${op}`);

/** What somebody reads now where the message was. */
async function rereads(person: Person, message: Frame): Promise<Frame> {
  const page = await person.asks({ type: 'history', conv: message.conv, after: message.seq! - 1, limit: 1 });
  expect(page.messages).toHaveLength(1);
  return page.messages![0]!;
}

describe.each(shapesWith({ SKEIN_PENDING_MAX: '50' }))('changing what was said on %s', (_shape, plan) => {
  const t = townFor(plan);

  test('a recall takes the data from everything that the server answers', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2, { ack: 'manual' });
    const secret = `secret of ${alice.uid}`;
    const sent = await alice.says(bob, { text: secret }, { id: 's1' });
    await bob.hears({ text: secret });
    await bob.leaves();
    const answer = await alice.asks(change('recall', sent, { id: 'r1' }));
    expect(answer).toMatchObject({ type: 'sent', id: 'r1', conv: sent.conv, seq: sent.seq! + 1 });
    await bob.returnsTo(1);
    const [original, recall] = bob.line.messages(sent.conv);
    expect(original).toMatchObject({ seq: sent.seq, id: 's1', sender: alice.uid, receiver: bob.uid, recalled: true });
    expect(original).not.toHaveProperty('data');
    expect(recall).toMatchObject({ op: 'recall', ref: sent.seq, seq: answer.seq, sender: alice.uid });
    expect(await rereads(alice, sent)).toEqual(original);
    const texts = [...bob.line.texts, (await bob.calls(2, 'GET', '/conversations')).text];
    texts.push((await t.poller(bob.uid, 'other').asks(2, { wait: '0' })).text);
    texts.push((await bob.calls(1, 'GET', `/conversations/${encodeURIComponent(sent.conv!)}/messages`)).text);
    for (const person of [alice, bob]) texts.push(JSON.stringify(await person.asks({ type: 'conversations' })));
    for (const text of texts) expect(text).not.toContain(secret);
    const list = await bob.asks({ type: 'conversations' });
    const line = list.conversations!.find(({ conv }) => conv === sent.conv);
    expect(line).toMatchObject({ head: answer.seq, last: { seq: sent.seq, recalled: true } });
  });

  test('who is there hears of a recall at once, on every device of both', async () => {
    const alice = await t.user('alice').comesTo(1);
    const tablet = await alice.device('tablet').comesTo(2);
    const bob = await t.user('bob').comesTo(2);
    const sent = await alice.says(bob, 'oops');
    await bob.hears('oops');
    const recall = await alice.asks(change('recall', sent));
    for (const person of [bob, tablet]) {
      const heard = await changed(person, 'recall', sent);
      expect(heard).toMatchObject({ type: 'message', conv: sent.conv, seq: recall.seq, sender: alice.uid });
      expect(heard).not.toHaveProperty('data');
    }
    expect(alice.line.messages(sent.conv)).toEqual([]);
  });

  test('an edit replaces the data for whoever reads it again, and for who was away', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const carol = await t.user('carol').comesTo(1);
    await carol.leaves();
    for (const reader of [bob, carol]) {
      const sent = await alice.says(reader, 'tpyo', { id: `e-${reader.uid}` });
      const edit = await alice.asks(change('edit', sent, { data: { text: 'typo' } }));
      expect(edit).toMatchObject({ type: 'sent', conv: sent.conv, seq: sent.seq! + 1 });
      expect(await rereads(alice, sent)).toMatchObject({ seq: sent.seq, data: { text: 'typo' }, edited: true });
    }
    await changed(bob, 'edit', (await bob.hears('tpyo'))!);
    await carol.returnsTo(2);
    const [original, edit] = carol.line.messages(alice.convWith(carol));
    expect(original).toMatchObject({ data: { text: 'typo' }, edited: true });
    expect(edit).toMatchObject({ op: 'edit', ref: original!.seq, data: { text: 'typo' } });
    expect(carol.line.texts.join()).not.toContain('tpyo');
  });

  test('recalling also takes the data of the edits', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2, { ack: 'manual' });
    const sent = await alice.says(bob, 'first words');
    await alice.asks(change('edit', sent, { data: 'second words' }));
    await alice.asks(change('edit', sent, { data: 'third words' }));
    await bob.hears('third words');
    await alice.asks(change('recall', sent));
    await bob.leaves();
    await bob.returnsTo(1);
    const { messages } = await bob.asks({ type: 'history', conv: sent.conv });
    expect(messages!.map(({ op, ref }) => [op, ref])).toEqual([
      [undefined, undefined],
      ['edit', sent.seq],
      ['edit', sent.seq],
      ['recall', sent.seq],
    ]);
    for (const text of bob.line.texts) expect(text).not.toContain('words');
  });

  test('what was recalled stays recalled, whatever is tried afterwards', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const sent = await alice.says(bob, 'gone');
    await alice.asks(change('recall', sent));
    await alice.asks(change('edit', sent, { data: 'risen' }));
    await alice.asks(change('recall', sent));
    expect(await alice.says(bob, 'gone', { id: 'after' })).not.toHaveProperty('dup');
    const original = await rereads(bob, sent);
    expect(original).toMatchObject({ seq: sent.seq, recalled: true });
    expect(original).not.toHaveProperty('data');
    expect(original).not.toHaveProperty('edited');
  });

  test('a reaction is told, and stands with the message until it is taken back', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const sent = await alice.says(bob, 'good news');
    const on = await bob.asks(change('react', sent, { emoji: '👍', on: true }));
    expect(on).toMatchObject({ type: 'sent', conv: sent.conv, seq: sent.seq! + 1 });
    expect(await changed(alice, 'react', sent)).toMatchObject({ emoji: '👍', on: true, sender: bob.uid });
    await alice.asks(change('react', sent, { emoji: '🎉', on: true }));
    const original = await rereads(alice, sent);
    expect(original).toMatchObject({ data: 'good news', reactions: expect.anything() });
    expect(original).not.toHaveProperty('edited');
    for (const part of ['👍', '🎉', alice.uid, bob.uid]) expect(JSON.stringify(original.reactions)).toContain(part);
    await bob.asks(change('react', sent, { emoji: '👍', on: false }));
    const rest = JSON.stringify((await rereads(bob, sent)).reactions);
    expect(rest).toContain('🎉');
    expect(rest).not.toContain('👍');
  });

  test('a change that is repeated by its id happens once', async () => {
    const alice = await t.user('alice').comesTo(1);
    const laptop = await alice.device('laptop').comesTo(2);
    const bob = t.user('bob');
    const sent = await alice.says(bob, 'once');
    const all: [string, object][] = [
      ['react', { emoji: '👍', on: true }],
      ['edit', { data: 'twice' }],
      ['recall', {}],
    ];
    for (const [type, more] of all) {
      const once = change(type, sent, { id: `${type}-1`, ...more });
      const answers = await Promise.all([alice.asks(once), laptop.asks(once)]);
      answers.push(await laptop.asks(once));
      expect(new Set(answers.map((answer) => answer.seq)).size).toBe(1);
      expect(answers.filter((answer) => answer.type === 'sent' && !answer.dup)).toHaveLength(1);
    }
    const { messages } = await alice.asks({ type: 'history', conv: sent.conv });
    expect(messages!.map((entry) => entry.op)).toEqual([undefined, 'react', 'edit', 'recall']);
  });

  test('only the sender recalls and edits, and only readers react', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const eve = await t.user('eve').comesTo(1);
    const den = t.room('den');
    await alice.joins(den);
    await bob.joins(den);
    for (const to of [bob, den, 'everybody'] as const) {
      const sent = await alice.says(to, 'mine');
      for (const [type, more] of [
        ['recall', {}],
        ['edit', { data: 'his' }],
      ] as const) {
        expect(await bob.asks(change(type, sent, more))).toMatchObject({ type: 'error', code: 'forbidden' });
      }
      expect(await rereads(bob, sent)).toMatchObject({ data: 'mine' });
      const reaction = await eve.asks(change('react', sent, { emoji: '👎', on: true }));
      if (to === 'everybody') expect(reaction.type).toBe('sent');
      else expect(to === den ? ['not_member'] : ['forbidden', 'not_found']).toContain(reaction.code);
    }
  });

  test('what is not there cannot be changed', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = t.user('bob');
    const sent = await alice.says(bob, 'the only one');
    const missing = { ...sent, seq: sent.seq! + 5 };
    const nowhere = { ...sent, conv: alice.convWith(t.user('nobody')) };
    for (const target of [missing, nowhere]) {
      for (const more of [change('recall', target), change('edit', target, { data: 1 })]) {
        const answer = await alice.asks(more);
        expect(answer).toMatchObject({ type: 'error' });
        expect(['not_found', 'forbidden', 'bad_request']).toContain(answer.code);
      }
    }
  });

  test.each<[string, object]>([
    ['recall', { seq: 'x' }],
    ['recall', { seq: 1.5 }],
    ['recall', { conv: 'somewhere' }],
    ['edit', {}],
    ['react', { on: true }],
    ['react', { emoji: '', on: true }],
    ['react', { emoji: 'x'.repeat(65), on: true }],
    ['react', { emoji: '👍'.repeat(17), on: true }],
    ['react', { emoji: 5, on: true }],
    ['react', { emoji: '👍', on: 'yes' }],
  ])('a %s with %j is a bad request', async (type, wrong) => {
    const alice = await t.user('alice').comesTo(1);
    const sent = await alice.says(t.user('bob'), 1);
    const answer = await alice.asks({ ...change(type, sent), ...wrong });
    expect(answer).toMatchObject({ type: 'error', code: 'bad_request' });
  });

  test('an emoji may have 64 bytes', async () => {
    const alice = await t.user('alice').comesTo(1);
    const sent = await alice.says(t.user('bob'), 1);
    for (const emoji of ['x'.repeat(64), '👍'.repeat(16), '__proto__', '"\\']) {
      const reaction = await alice.asks(change('react', sent, { emoji, on: true }));
      expect(reaction).toMatchObject({ type: 'sent' });
      expect(JSON.stringify((await rereads(alice, sent)).reactions)).toContain(JSON.stringify(emoji));
    }
  });

  test('in rooms and broadcasts it is the same', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const den = t.room('den');
    await alice.joins(den);
    await bob.joins(den);
    const targets: Audience[] = [den, 'everybody'];
    for (const to of targets) {
      const sent = await alice.says(to, `words ${alice.uid}`);
      await bob.asks(change('react', sent, { emoji: '❤️', on: true }));
      await alice.asks(change('edit', sent, { data: `other words ${alice.uid}` }));
      expect(await changed(bob, 'edit', sent)).toMatchObject({ data: `other words ${alice.uid}` });
      expect(await rereads(bob, sent)).toMatchObject({ data: `other words ${alice.uid}`, edited: true });
      expect(JSON.stringify((await rereads(bob, sent)).reactions)).toContain('❤️');
      await alice.asks(change('recall', sent));
      await changed(bob, 'recall', sent);
      const page = JSON.stringify(await bob.asks({ type: 'history', conv: sent.conv }));
      expect(page).not.toContain(`words ${alice.uid}`);
    }
  });

  test('a full box refuses no change', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    await bob.leaves();
    const [first, second] = await alice.saysAll(
      bob,
      Array.from({ length: 50 }, (_, index) => index),
    );
    expect(await alice.tries(bob, 'one more')).toMatchObject({ code: 'box_full' });
    expect(await alice.asks(change('react', first!, { emoji: '👍', on: true }))).toMatchObject({ type: 'sent' });
    expect(await alice.asks(change('edit', first!, { data: 'edited' }))).toMatchObject({ type: 'sent' });
    expect(await alice.asks(change('recall', second!))).toMatchObject({ type: 'sent' });
    await bob.returnsTo(1);
    const [one, two] = bob.line.messages(first!.conv);
    expect(one).toMatchObject({ data: 'edited', edited: true });
    expect(two).toMatchObject({ recalled: true });
    expect(bob.line.messages(first!.conv)).toHaveLength(53);
  });
});

describe('a message that is too old', () => {
  const t = townFor({ nodes: 1, redis: false, env: { SKEIN_RECALL_SECONDS: '1' } });

  test('is not recalled any more, and can still be edited', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = t.user('bob');
    const sent = await alice.says(bob, 'too late');
    await until(() => Date.now() > sent.ts! + 1_100, 'its time to be over');
    expect(await alice.asks(change('recall', sent))).toMatchObject({ type: 'error', code: 'forbidden' });
    expect(await rereads(alice, sent)).toMatchObject({ data: 'too late' });
    expect(await alice.asks(change('edit', sent, { data: 'later still' }))).toMatchObject({ type: 'sent' });
  });
});
