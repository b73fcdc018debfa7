import { describe, expect, test } from 'vitest';
import type { Frame, Member } from '../support/frame.js';
import type { Answer, ErrorBody } from '../support/http.js';
import type { Person, Room } from '../support/person.js';
import { shapesWith, townFor } from '../support/town.js';
import { until } from '../support/until.js';

interface Look {
  readonly room: string;
  readonly name: string;
  readonly private: boolean;
  readonly members: readonly Member[];
}

interface Change {
  readonly event: string;
  readonly uid: string;
  readonly by?: string;
  readonly role?: string;
}

describe.each(shapesWith({}))('rooms over frames and HTTP on %s', (_shape, plan) => {
  const t = townFor(plan);

  const creates = (owner: Person, room: Room, more: object = {}): Promise<Answer<Frame & ErrorBody>> =>
    owner.calls(2, 'POST', '/rooms', { room: room.name, ...more });
  const puts = (by: Person, room: Room, uid: string, body: object = {}): Promise<Answer<ErrorBody>> =>
    by.calls<ErrorBody>(1, 'PUT', `/rooms/${room.name}/members/${uid}`, body);
  const removes = (by: Person, room: Room, uid: string): Promise<Answer<ErrorBody>> =>
    by.calls<ErrorBody>(2, 'DELETE', `/rooms/${room.name}/members/${uid}`);
  const looks = (by: Person, room: Room): Promise<Answer<Look & ErrorBody>> =>
    by.calls<Look & ErrorBody>(1, 'GET', `/rooms/${room.name}`);
  const rolesOf = async (by: Person, room: Room): Promise<Record<string, string>> => {
    const { members } = (await looks(by, room)).body;
    return Object.fromEntries(members.map(({ uid, role }) => [uid, role]));
  };
  const changesOf = async (by: Person, room: Room): Promise<Change[]> => {
    const { messages } = await by.asks({ type: 'history', conv: room.conv, limit: 200 });
    return messages!.filter((entry) => entry.op === 'system').map((entry) => entry.data as Change);
  };
  const saidIn = async (by: Person, room: Room): Promise<unknown[]> => {
    const { messages } = await by.asks({ type: 'history', conv: room.conv });
    return messages!.filter((entry) => entry.op === undefined).map((entry) => entry.data);
  };
  const people = (...names: string[]): Promise<Person[]> =>
    Promise.all(names.map((name, index) => t.user(name).comesTo(index + 1)));

  test('who creates one with members owns it, and all of them are in it at once', async () => {
    const [alice, bob, carol] = (await people('alice', 'bob', 'carol')) as [Person, Person, Person];
    const den = t.room('den');
    const made = await creates(alice, den, { name: 'The Den', members: [bob.uid, carol.uid] });
    expect(made.status).toBe(201);
    await alice.says(den, 'welcome');
    for (const member of [bob, carol]) await member.hears('welcome');
    const look = await looks(bob, den);
    expect(look).toMatchObject({ status: 200, body: { name: 'The Den', private: false } });
    expect(await rolesOf(carol, den)).toEqual({ [alice.uid]: 'owner', [bob.uid]: 'member', [carol.uid]: 'member' });
    expect(look.body.members.find(({ uid }) => uid === bob.uid)).toMatchObject({ online: true });
    const changes = await changesOf(bob, den);
    expect(changes[0]).toMatchObject({ event: 'created', uid: alice.uid });
    for (const member of [bob, carol]) {
      expect(changes).toContainEqual(expect.objectContaining({ event: 'joined', uid: member.uid, by: alice.uid }));
    }
    for (const again of [alice, bob]) {
      expect(await creates(again, den)).toMatchObject({ status: 409, body: { error: { code: 'conflict' } } });
    }
  });

  test.each([{}, { room: 'a b' }, { room: 7 }, { room: 'ok', members: 'B' }, { room: 'ok', members: ['a b'] }])(
    'creating %j is a bad request',
    async (body) => {
      const alice = t.user('alice');
      expect(await alice.calls(1, 'POST', '/rooms', body)).toMatchObject({
        status: 400,
        body: { error: { code: 'bad_request', message: expect.any(String) } },
      });
    },
  );

  test('a private room is entered by being admitted only, and what was said before is not for the newcomer', async () => {
    const [alice, bob, eve] = (await people('alice', 'bob', 'eve')) as [Person, Person, Person];
    const den = t.room('den');
    await creates(alice, den, { private: true, members: [] });
    await alice.says(den, 'before');
    expect(await bob.joins(den)).toMatchObject({ type: 'error', code: 'forbidden' });
    expect((await puts(bob, den, bob.uid)).status).toBe(403);
    expect([200, 201]).toContain((await puts(alice, den, bob.uid)).status);
    await alice.says(den, 'after');
    await bob.hears('after');
    expect(bob.heard(den.conv)).toEqual(['after']);
    expect(await saidIn(bob, den)).toEqual(['after']);
    expect(await saidIn(alice, den)).toEqual(['before', 'after']);
    const page = await bob.asks({ type: 'history', conv: den.conv, after: 1 });
    expect(JSON.stringify(page)).not.toContain('"before"');
    const list = await bob.asks({ type: 'conversations' });
    expect(list.conversations!.find(({ conv }) => conv === den.conv)).toMatchObject({ unread: 1 });
    for (const asked of [
      { type: 'history', conv: den.conv },
      { type: 'members', room: den.name },
      { type: 'send', room: den.name, data: 1 },
      { type: 'react', conv: den.conv, seq: page.messages!.at(-1)!.seq, emoji: '👍', on: true },
    ]) {
      const answer = await eve.asks(asked);
      expect(answer.type).toBe('error');
      expect(['not_member', 'forbidden', 'not_found']).toContain(answer.code);
    }
    expect((await looks(eve, den)).text).not.toContain(alice.uid);
    expect(await bob.joins(den)).toMatchObject({ type: 'joined' });
  });

  test('owner and admin admit, remove and set roles below their own, and nobody else does', async () => {
    const [owner, admin, member, guest] = (await people('owner', 'admin', 'member', 'guest')) as Person[];
    const den = t.room('den');
    await creates(owner!, den, { members: [admin!.uid, member!.uid] });
    expect((await puts(owner!, den, admin!.uid, { role: 'admin' })).status).toBe(200);
    expect((await puts(member!, den, guest!.uid, { role: 'admin' })).status).toBe(403);
    expect((await puts(member!, den, admin!.uid, { role: 'member' })).status).toBe(403);
    expect((await removes(member!, den, admin!.uid)).status).toBe(403);
    expect((await puts(admin!, den, owner!.uid, { role: 'member' })).status).toBe(403);
    expect((await puts(admin!, den, member!.uid, { role: 'admin' })).status).toBe(403);
    expect((await removes(admin!, den, owner!.uid)).status).toBe(403);
    expect((await puts(admin!, den, admin!.uid, { role: 'owner' })).status).toBe(403);
    expect([200, 201]).toContain((await puts(admin!, den, guest!.uid)).status);
    expect((await removes(admin!, den, member!.uid)).status).toBe(200);
    expect((await puts(owner!, den, guest!.uid, { role: 'king' })).status).toBe(400);
    expect(await rolesOf(guest!, den)).toEqual({
      [owner!.uid]: 'owner',
      [admin!.uid]: 'admin',
      [guest!.uid]: 'member',
    });
    expect((await changesOf(owner!, den)).slice(-3)).toMatchObject([
      { event: 'role', uid: admin!.uid, by: owner!.uid, role: 'admin' },
      { event: 'joined', uid: guest!.uid, by: admin!.uid },
      { event: 'removed', uid: member!.uid, by: admin!.uid },
    ]);
  });

  test('who is removed hears that as the last thing, on every device, and reads nothing more', async () => {
    const [alice, bob] = (await people('alice', 'bob')) as [Person, Person];
    const laptop = await bob.device('laptop').comesTo(1);
    const den = t.room('den');
    await creates(alice, den, { members: [bob.uid] });
    const sent = await alice.says(den, 'hello');
    await Promise.all([bob.hears('hello'), laptop.hears('hello')]);
    await removes(alice, den, bob.uid);
    for (const device of [bob, laptop]) {
      const isRemoval = ({ op, data }: Frame): boolean => op === 'system' && (data as Change).event === 'removed';
      await device.line.first(isRemoval, 'the removal');
    }
    await alice.says(den, 'he is gone');
    await alice.says(bob, 'fence');
    for (const device of [bob, laptop]) {
      await device.hears('fence');
      expect(device.heard(den.conv)).toEqual(['hello']);
    }
    for (const asked of [
      { type: 'history', conv: den.conv },
      { type: 'members', room: den.name },
      { type: 'read', conv: den.conv, seq: sent.seq },
      { type: 'react', conv: den.conv, seq: sent.seq, emoji: '👍', on: true },
      { type: 'send', room: den.name, data: 'me?' },
    ]) {
      expect(await bob.asks(asked)).toMatchObject({ type: 'error', code: 'not_member' });
      await bob.line.settles();
    }
    expect((await bob.calls(1, 'GET', `/conversations/${den.conv}/messages`)).status).toBe(403);
    const list = await bob.asks({ type: 'conversations' });
    expect(list.conversations!.map(({ conv }) => conv)).not.toContain(den.conv);
    expect((await t.poller(bob.uid, 'new').polls(2)).messages.map((entry) => entry.conv)).not.toContain(den.conv);
  });

  test('the owner hands over by hand, or by leaving: to the longest-serving admin, else member', async () => {
    const [owner, first, second] = (await people('owner', 'first', 'second')) as [Person, Person, Person];
    const den = t.room('den');
    await creates(owner, den);
    await first.joins(den);
    await second.joins(den);
    expect((await puts(owner, den, second.uid, { role: 'owner' })).status).toBe(200);
    expect(await rolesOf(owner, den)).toMatchObject({ [second.uid]: 'owner' });
    expect((await rolesOf(owner, den))[owner.uid]).not.toBe('owner');
    await puts(second, den, owner.uid, { role: 'member' });
    await puts(second, den, first.uid, { role: 'admin' });
    await second.quits(den);
    expect(await rolesOf(owner, den)).toEqual({ [owner.uid]: 'member', [first.uid]: 'owner' });
    expect((await removes(first, den, first.uid)).status).toBe(200);
    expect(await rolesOf(owner, den)).toEqual({ [owner.uid]: 'owner' });
    const changes = await changesOf(owner, den);
    expect(changes).toContainEqual(expect.objectContaining({ event: 'role', uid: second.uid, role: 'owner' }));
    expect(changes).toContainEqual(expect.objectContaining({ event: 'role', uid: first.uid, role: 'owner' }));
    expect(changes).toContainEqual(expect.objectContaining({ event: 'left', uid: second.uid }));
    expect(changes).toContainEqual(expect.objectContaining({ event: 'left', uid: first.uid }));
  });

  test("deleting is the owner's, and leaves nothing", async () => {
    const [alice, bob] = (await people('alice', 'bob')) as [Person, Person];
    const den = t.room('den');
    await creates(alice, den, { members: [bob.uid] });
    await puts(alice, den, bob.uid, { role: 'admin' });
    await alice.says(den, 'to be forgotten');
    await bob.hears('to be forgotten');
    expect((await bob.calls(1, 'DELETE', `/rooms/${den.name}`)).status).toBe(403);
    expect((await alice.calls(2, 'DELETE', `/rooms/${den.name}`)).status).toBe(200);
    for (const person of [alice, bob]) {
      for (const asked of [
        { type: 'history', conv: den.conv },
        { type: 'members', room: den.name },
        { type: 'send', room: den.name, data: 'anybody?' },
      ]) {
        const answer = await person.asks(asked);
        expect(answer.type).toBe('error');
        expect(['not_found', 'not_member']).toContain(answer.code);
        await person.line.settles();
      }
      expect((await person.calls(1, 'GET', `/rooms/${den.name}`)).status).toBe(404);
      const list = await person.asks({ type: 'conversations' });
      expect(list.conversations!.map(({ conv }) => conv)).not.toContain(den.conv);
    }
    const carol = await t.user('carol').comesTo(2);
    expect(await carol.joins(den)).toMatchObject({ type: 'joined' });
    expect(await rolesOf(carol, den)).toEqual({ [carol.uid]: 'owner' });
    expect(await saidIn(carol, den)).toEqual([]);
  });

  test('a room that is founded anew at once is heard by all who are in it', async () => {
    const [alice, bob] = (await people('alice', 'bob')) as [Person, Person];
    const den = t.room('den');
    await creates(alice, den, { members: [bob.uid] });
    await alice.says(den, 'first');
    await bob.hears('first');
    await alice.calls(2, 'DELETE', `/rooms/${den.name}`);
    await bob.joins(den);
    await alice.joins(den);
    for (let turn = 0; turn < 30; turn++) {
      await alice.says(den, `turn ${turn}`);
      await bob.hears(`turn ${turn}`);
      await alice.calls(1, 'GET', '/conversations');
    }
    expect(bob.heard(den.conv)).toEqual(['first', ...Array.from({ length: 30 }, (_, turn) => `turn ${turn}`)]);
  });

  test('who was in the room before it was deleted hears nothing of the one that is founded in its place', async () => {
    const [alice, bob, eve] = (await people('alice', 'bob', 'eve')) as [Person, Person, Person];
    const den = t.room('den');
    await creates(alice, den, { members: [eve.uid] });
    await alice.says(den, 'first');
    await eve.hears('first');
    await alice.calls(2, 'DELETE', `/rooms/${den.name}`);
    await creates(bob, den, { private: true });
    for (let turn = 0; turn < 20; turn++) await bob.says(den, 'not for eve');
    await bob.says(eve, 'fence');
    await eve.hears('fence');
    await eve.line.settles();
    expect(eve.heard(den.conv)).toEqual(['first']);
  });

  test('who leaves and joins again and again, at once, misses nothing in the end, on any device', async () => {
    const [alice, bob] = (await people('alice', 'bob')) as [Person, Person];
    const laptop = await bob.device('laptop').comesTo(1);
    const den = t.room('den');
    await creates(alice, den, { members: [bob.uid] });
    for (let round = 0; round < 10; round++) {
      await bob.quits(den);
      await bob.joins(den);
      await alice.says(den, `round ${round}`);
      for (const device of [bob, laptop]) await device.hears(`round ${round}`);
    }
  });

  test('who is admitted while away finds what was said since, and comes by poll as well', async () => {
    const [alice, bob] = (await people('alice', 'bob')) as [Person, Person];
    const den = t.room('den');
    await creates(alice, den);
    await bob.leaves();
    await alice.says(den, 'too early');
    await puts(alice, den, bob.uid);
    await alice.says(den, 'in time');
    const said = (messages: readonly Frame[]): unknown[] =>
      messages.filter((entry) => entry.conv === den.conv && !entry.op).map((entry) => entry.data);
    expect(said((await t.poller(bob.uid).polls(2)).messages)).toEqual(['in time']);
    await bob.returnsTo(2);
    expect(bob.heard(den.conv)).toEqual(['in time']);
    await bob.leaves();
    await bob.returnsTo(1);
    expect(bob.heard(den.conv)).toEqual([]);
  });

  test('members come in pages of a limit in bounds', async () => {
    const [alice, bob, carol] = (await people('alice', 'bob', 'carol')) as [Person, Person, Person];
    const den = t.room('den');
    await creates(alice, den, { members: [bob.uid, carol.uid] });
    const first = await alice.asks({ type: 'members', room: den.name, limit: 2 });
    expect(first).toMatchObject({ members: [{ uid: alice.uid }, { uid: bob.uid }], more: true });
    const rest = await alice.asks({ type: 'members', room: den.name, limit: 2, after: bob.uid });
    expect(rest).toMatchObject({ members: [{ uid: carol.uid, role: 'member', online: true }] });
    expect(rest.more ?? false).toBe(false);
    for (const wrong of [{ limit: 0 }, { limit: 201 }, { after: 'a b' }, { room: 'a b' }]) {
      const answer = await alice.asks({ type: 'members', room: den.name, ...wrong });
      expect(answer).toMatchObject({ type: 'error', code: 'bad_request' });
      await alice.line.settles();
    }
  });

  test('what is not there, or is asked wrongly, is told as such', async () => {
    const [alice, bob] = (await people('alice', 'bob')) as [Person, Person];
    const nowhere = t.room('nowhere');
    expect((await looks(alice, nowhere)).status).toBe(404);
    expect((await alice.calls(1, 'DELETE', `/rooms/${nowhere.name}`)).status).toBe(404);
    expect((await puts(alice, nowhere, bob.uid)).status).toBe(404);
    expect(['not_found', 'not_member']).toContain((await alice.tries(nowhere, 1)).code);
    expect(['not_found', 'not_member']).toContain((await alice.quits(nowhere)).code);
    expect((await alice.calls(1, 'GET', '/rooms/a%20b')).status).toBe(400);
    expect((await puts(alice, nowhere, 'a%20b')).status).toBe(400);
    const den = t.room('den');
    await creates(alice, den);
    expect((await removes(alice, den, bob.uid)).status).toBe(404);
    expect((await t.asks(1, `/v1/rooms/${den.name}`)).status).toBe(401);
    await until(async () => (await looks(alice, den)).status === 200, 'the room to be there');
  });
});
