import { describe, expect, test } from 'vitest';
import type { Conversation, Frame } from '../support/frame.js';
import type { Audience, Person } from '../support/person.js';
import { shapesWith, townFor } from '../support/town.js';
import { until } from '../support/until.js';

describe.each(shapesWith({}))('the list of conversations on %s', (_shape, plan) => {
  const t = townFor(plan);

  const listOf = async (person: Person, more: object = {}): Promise<readonly Conversation[]> => {
    const answer = await person.asks({ type: 'conversations', ...more });
    expect(answer).toMatchObject({ type: 'conversations', conversations: expect.any(Array) });
    return answer.conversations!.filter(({ conv }) => conv !== 'all');
  };
  const lineOf = async (person: Person, other: Audience): Promise<Conversation | undefined> =>
    (await listOf(person)).find(({ conv }) => conv === person.convWith(other));
  const lineBecomes = (person: Person, other: Audience, wanted: object): Promise<Conversation> => {
    let line: Conversation | undefined;
    const matches = async (): Promise<Conversation | false> => {
      line = await lineOf(person, other);
      return Object.entries(wanted).every(([k, v]) => line?.[k as keyof Conversation] === v) && line!;
    };
    return until(matches, () => `${JSON.stringify(wanted)} for ${person.uid}; it is ${JSON.stringify(line)}`);
  };

  test('who talked to nobody has none', async () => {
    expect(await listOf(await t.user('hermit').comesTo(2))).toEqual([]);
  });

  test('a line says the head, what was read, what was not, and the last message as it was delivered', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    await alice.says(bob, 'one');
    await alice.says(bob, 'two');
    const three = await alice.says(bob, { text: 'three' }, { id: 'm3' });
    const heard = await bob.hears({ text: 'three' });
    const line = await lineOf(bob, alice);
    expect(line).toMatchObject({ conv: three.conv, head: three.seq, unread: 3, last: heard });
    expect(line!.last).toEqual(heard);
    expect(line!.read).toBeLessThan(three.seq! - 2);
    expect(await lineOf(alice, bob)).toMatchObject({ head: three.seq, read: three.seq, unread: 0, last: heard });
  });

  test('reading lowers what is unread, and never goes back', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const [one, two, three] = await alice.saysAll(bob, [1, 2, 3]);
    await bob.hears(3);
    bob.line.send({ type: 'read', conv: two!.conv, seq: two!.seq });
    await lineBecomes(bob, alice, { read: two!.seq, unread: 1 });
    bob.line.send({ type: 'read', conv: one!.conv, seq: one!.seq });
    await bob.line.settles();
    expect(await lineOf(bob, alice)).toMatchObject({ read: two!.seq, unread: 1 });
    bob.line.send({ type: 'read', conv: three!.conv, seq: three!.seq });
    await lineBecomes(bob, alice, { read: three!.seq, unread: 0 });
    expect(bob.line.frames.filter((frame) => frame.type === 'error')).toEqual([]);
  });

  test('answering reads what came before, and only what others say is unread', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    await alice.saysAll(bob, [1, 2]);
    await bob.hears(2);
    const answer = await bob.says(alice, 'yes?');
    expect(await lineOf(bob, alice)).toMatchObject({ read: answer.seq, unread: 0 });
    await alice.hears('yes?');
    await lineBecomes(alice, bob, { unread: 1, head: answer.seq });
  });

  test('entries with an op are never unread, and the last message stays the last', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const sent = await alice.says(bob, 'the only one');
    await bob.hears('the only one');
    await alice.asks({ type: 'react', conv: sent.conv, seq: sent.seq, emoji: '🎉', on: true });
    const edit = await alice.asks({ type: 'edit', conv: sent.conv, seq: sent.seq, data: 'the edited one' });
    const line = await lineBecomes(bob, alice, { head: edit.seq, unread: 1 });
    expect(line.last).toMatchObject({ seq: sent.seq, data: 'the edited one', edited: true });
  });

  test('of a direct conversation it says what the other side has and has read', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = t.user('bob');
    const [, two] = await alice.saysAll(bob, [1, 2]);
    const before = (await lineOf(alice, bob))!.peer!;
    expect(before).toEqual({ delivered: expect.any(Number), read: expect.any(Number) });
    expect(before.delivered).toBeLessThan(two!.seq! - 1);
    await bob.comesTo(2, { ack: 'manual' });
    bob.acks(two!);
    await until(async () => (await lineOf(alice, bob))!.peer!.delivered === two!.seq, 'delivered to be told');
    expect((await lineOf(alice, bob))!.peer!.read).toBeLessThan(two!.seq! - 1);
    bob.line.send({ type: 'read', conv: two!.conv, seq: two!.seq });
    await until(async () => (await lineOf(alice, bob))!.peer!.read === two!.seq, 'read to be told');
    await until(async () => (await lineOf(bob, alice))!.peer!.read === two!.seq, 'the sender to have read it');
  });

  test('a room is in it, without a peer, while one is a member', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const den = t.room('den');
    await alice.joins(den);
    await bob.joins(den);
    await alice.says(den, 'hello');
    const heard = await bob.hears('hello');
    const line = await lineBecomes(bob, den, { head: heard.seq, unread: 1 });
    expect(line).toMatchObject({ conv: den.conv, last: heard });
    expect(line).not.toHaveProperty('peer');
    await bob.quits(den);
    expect(await lineOf(bob, den)).toBeUndefined();
  });

  test('the newest comes first, in pages that hold everything, though many were said in the same millisecond', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const friends = Array.from({ length: 11 }, (_, index) => t.user(`f${index}`));
    await Promise.all(friends.map((friend) => alice.says(friend, 'hi')));
    await alice.says(bob, 'hi');
    await alice.says(friends[4]!, 'once more');
    const wanted = new Set([...friends, bob].map((friend) => alice.convWith(friend)));
    const seen: Conversation[] = [];
    for (let before: number | undefined; ; before = seen.at(-1)!.last!.ts) {
      const page = await alice.asks({ type: 'conversations', limit: 5, ...(before && { before }) });
      seen.push(...page.conversations!.filter(({ conv }) => wanted.has(conv)));
      if (!page.more) break;
      expect(page.conversations!.length).toBeGreaterThan(0);
    }
    expect(seen.slice(0, 2).map(({ conv }) => conv)).toEqual([alice.convWith(friends[4]!), alice.convWith(bob)]);
    const times = seen.map(({ last }) => last!.ts!);
    expect(times).toEqual(times.toSorted((a, b) => b - a));
    expect(new Set(seen.map(({ conv }) => conv))).toEqual(wanted);
  });

  test('without a limit a page holds 50, and more only of what was said in its last millisecond', async () => {
    const alice = await t.user('alice').comesTo(1);
    const friends = Array.from({ length: 60 }, (_, index) => t.user(`f${index}`));
    await Promise.all(friends.map((friend) => alice.says(friend, 'hi')));
    const pages: Conversation[][] = [];
    for (let before: number | undefined; ; before = pages.at(-1)!.at(-1)!.last!.ts) {
      const page = await alice.asks({ type: 'conversations', ...(before && { before }) });
      pages.push(page.conversations!.filter(({ conv }) => conv !== 'all'));
      if (!page.more) break;
    }
    expect(pages.length).toBeGreaterThan(1);
    for (const page of pages) {
      const isLast = ({ last }: Conversation): boolean => last!.ts === page.at(-1)!.last!.ts;
      expect(page.length - Math.max(page.filter(isLast).length - 1, 0)).toBeLessThanOrEqual(50);
    }
    const seen = pages.flat().map(({ conv }) => conv);
    expect(seen).toEqual(expect.arrayContaining(friends.map((friend) => alice.convWith(friend))));
    expect(new Set(seen).size).toBe(seen.length);
    const most = await alice.asks({ type: 'conversations', limit: 200 });
    expect(most.conversations!.map(({ conv }) => conv).filter((conv) => conv !== 'all')).toEqual(seen);
    expect(most.more ?? false).toBe(false);
  });

  test.each([{ limit: 0 }, { limit: 201 }, { limit: '5' }, { before: 'yesterday' }, { before: -1 }])(
    'asking for %j is a bad request',
    async (wrong) => {
      const alice = await t.user('alice').comesTo(1);
      const answer = await alice.asks({ type: 'conversations', ...wrong });
      expect(answer).toMatchObject({ type: 'error', code: 'bad_request' });
    },
  );

  test('over HTTP it is the same, on any node', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const carol = t.user('carol');
    await alice.says(bob, 'to bob');
    await alice.says(carol, 'to carol');
    await until(
      async () => (await lineOf(alice, carol))?.head === (await lineOf(alice, carol))?.read,
      'all to be read',
    );
    const asked = await alice.calls<Frame>(2, 'GET', '/conversations?limit=1');
    expect(asked.status).toBe(200);
    expect(asked.body).toMatchObject({ more: true, conversations: [await lineOf(alice, carol)] });
    const rest = `/conversations?limit=1&before=${asked.body.conversations![0]!.last!.ts}`;
    expect((await alice.calls<Frame>(1, 'GET', rest)).body.conversations).toMatchObject([
      { conv: alice.convWith(bob) },
    ]);
    for (const wrong of ['limit=0', 'limit=201', 'limit=x', 'before=x']) {
      expect((await alice.calls(1, 'GET', `/conversations?${wrong}`)).status).toBe(400);
    }
    expect((await t.asks(1, '/v1/conversations')).status).toBe(401);
  });

  test('reading over HTTP counts like reading by frame', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const sent = await alice.says(bob, 'read me');
    await bob.hears('read me');
    const path = `/conversations/${encodeURIComponent(sent.conv!)}/read`;
    expect(await bob.calls(1, 'POST', path, { seq: sent.seq })).toMatchObject({ status: 200, body: {} });
    await lineBecomes(bob, alice, { unread: 0, read: sent.seq });
    expect((await bob.calls(1, 'POST', path, { seq: 'x' })).status).toBe(400);
    expect([403, 404]).toContain((await t.user('eve').calls(2, 'POST', path, { seq: sent.seq })).status);
  });
});
