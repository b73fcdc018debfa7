import { describe, expect, test } from 'vitest';
import { seqOf, tsOf } from '../../src/chat/item.js';
import type { RoomChange } from '../../src/chat/ports.js';
import { ALL, DEFAULT_DEVICE, dmOf, type RoomId, roomConv } from '../../src/protocol/index.js';
import { until } from '../support/until.js';
import { amends, edit, listed, listOf, RECALL, react } from './social-town.js';
import {
  A,
  AB,
  aNode,
  B,
  C,
  changed,
  EVERYBODY,
  inRoom,
  LOUNGE,
  type Place,
  ROOM,
  type Subject,
  textOf,
  to,
} from './town.js';

export function conversationLaws(subject: Subject): void {
  describe('the list of conversations', () => {
    test('of somebody who never spoke to anybody holds everybody’s', async () => {
      const here = await aNode(subject);
      expect(await listOf(here, A)).toMatchObject([{ conv: ALL, head: 0, read: 0, unread: 0, last: undefined }]);
    });

    test('tells of a dm its head, the last message, what is read and unread, and what the other side has', async () => {
      const here = await aNode(subject);
      await here.says(A, to(B), 'one');
      const { seq } = await here.says(A, to(B), 'two');
      const { seq: head, ts } = await here.says(A, to(B), 'three');
      await here.acks(B, AB, head);
      await here.hasRead(B, AB, seq);
      const [, , last] = await here.items(AB);
      const facts = { conv: AB, head, last, at: ts };
      expect(await listed(here, A, AB)).toEqual({
        ...facts,
        read: head,
        unread: 0,
        peer: { delivered: head, read: seq },
      });
      expect(await listed(here, B, AB)).toEqual({ ...facts, read: seq, unread: 1, peer: { delivered: 0, read: head } });
      expect(await listed(here, C, AB)).toBeUndefined();
    });

    test('counts as unread what others wrote since one read or wrote', async () => {
      const here = await aNode(subject);
      const unread = async () => (await listed(here, B, AB))?.unread;
      for (const text of ['one', 'two', 'three']) await here.says(A, to(B), text);
      expect(await unread()).toBe(3);
      const { seq } = await here.says(B, to(A), 'four');
      expect([await unread(), (await listed(here, A, AB))?.unread]).toEqual([0, 1]);
      await here.says(A, to(B), 'five');
      await here.says(A, to(B), 'six');
      expect(await unread()).toBe(2);
      await here.hasRead(B, AB, seq + 1);
      expect(await listed(here, B, AB)).toMatchObject({ read: seq + 1, unread: 1 });
    });

    test('does not take what was delivered for read', async () => {
      const here = await aNode(subject);
      const { seq } = await here.says(A, to(B), 'one');
      await here.acks(B, AB, seq);
      expect(await listed(here, B, AB)).toMatchObject({ read: 0, unread: 1 });
    });

    test('neither counts nor shows as last what changes a message, but shows what the message is now', async () => {
      const here = await aNode(subject);
      const { seq, ts } = await here.says(A, to(B), 'helo');
      await amends(here, A, AB, seq, edit('hello'));
      await amends(here, A, AB, seq, react('👍'));
      const bobs = await listed(here, B, AB);
      expect(bobs).toMatchObject({ head: seq + 2, unread: 1, at: ts });
      expect(textOf(bobs!.last!)).toBe('hello');
      await amends(here, A, AB, seq, RECALL);
      const after = await listed(here, B, AB);
      expect(after).toMatchObject({ head: seq + 3, unread: 1, last: (await here.items(AB))[0] });
      expect(after!.last).not.toContain('hello');
    });

    test('counts unread only as far as the log goes back', async () => {
      const here = await aNode(subject, { retentionMessages: 32 });
      await here.founds(ROOM, A, [B]);
      for (let i = 0; i < 100; i++) await here.says(A, inRoom(ROOM), `${i}`);
      const lounge = await listed(here, B, LOUNGE);
      expect(lounge?.unread).toBe((await here.items(LOUNGE)).length);
      expect(textOf(lounge!.last!)).toBe('99');
    });

    test('does not tell what the other side, who blocks, was silent about', async () => {
      const here = await aNode(subject);
      const { seq } = await here.says(A, to(B), 'one');
      await here.node.devices.mark([
        { uid: B, conv: AB, device: DEFAULT_DEVICE, delivered: seq, read: seq, silent: true },
      ]);
      expect(await listed(here, A, AB)).toMatchObject({ peer: { delivered: 0, read: 0 } });
      expect(await listed(here, B, AB)).toMatchObject({ read: seq, unread: 0 });
    });

    test('holds notes to self, which are never unread', async () => {
      const here = await aNode(subject);
      const { seq } = await here.says(A, to(A), 'milk');
      const notes = await listed(here, A, dmOf(A, A));
      expect(notes).toMatchObject({ head: seq, read: seq, unread: 0 });
      expect(textOf(notes!.last!)).toBe('milk');
    });

    test('is by the last message, newest first; what changes a message does not lift it', async () => {
      const here = await aNode(subject);
      await here.founds(ROOM, A, [B]);
      const { seq } = await here.says(A, to(B), 'first');
      await tick(here);
      await here.says(A, inRoom(ROOM), 'second');
      await tick(here);
      await here.says(C, EVERYBODY, 'third');
      await tick(here);
      await here.says(C, to(B), 'fourth');
      await tick(here);
      await amends(here, A, AB, seq, react('👍'));
      const list = await listOf(here, B);
      expect(list.map(({ conv }) => conv)).toEqual([dmOf(B, C), ALL, LOUNGE, AB]);
      expect(list.map(({ last, at }) => tsOf(last!) - at)).toEqual([0, 0, 0, 0]);
      await here.says(B, to(A), 'fifth');
      expect((await listOf(here, B))[0]?.conv).toBe(AB);
    });

    test('does not hold a dm of which nothing is left', async () => {
      const here = await aNode(subject, { retentionMs: 200 });
      await here.says(A, to(B), 'soon gone');
      expect(await listed(here, B, AB)).toBeDefined();
      await until(async () => (await listed(here, B, AB)) === undefined, 'the dm to be gone from the list');
      expect(await listed(here, A, AB)).toBeUndefined();
    });
  });

  describe('a room in the list', () => {
    test('is there from joining to leaving, and no longer when it is deleted', async () => {
      const here = await aNode(subject);
      const other = 'other' as RoomId;
      await here.founds(ROOM, A);
      await here.founds(other, A, [B]);
      expect(await listed(here, B, LOUNGE)).toBeUndefined();
      await here.joins(B, ROOM);
      expect(await listed(here, B, LOUNGE)).toBeDefined();
      await here.quits(B, ROOM);
      await deletes(here, other);
      expect((await listOf(here, B)).map(({ conv }) => conv)).toEqual([ALL]);
    });

    test('has a place in it before anything is said there: when it was joined', async () => {
      const here = await aNode(subject);
      const head = await here.founds(ROOM, A, [B]);
      await tick(here);
      const joined = await here.joins(C, ROOM);
      const [, , entry] = await here.items(LOUNGE);
      expect(seqOf(entry!)).toBe(joined);
      const nothing = { conv: LOUNGE, unread: 0, last: undefined };
      expect(await listed(here, C, LOUNGE)).toMatchObject({ ...nothing, head: head + 1, at: tsOf(entry!) });
      expect((await listed(here, B, LOUNGE))!.at).toBeLessThan(tsOf(entry!));
    });

    test('counts only messages: no comings and goings', async () => {
      const here = await aNode(subject);
      await here.founds(ROOM, A, [B]);
      const { seq } = await here.says(A, inRoom(ROOM), 'hello');
      await here.joins(C, ROOM);
      const lounge = await listed(here, B, LOUNGE);
      expect(lounge).toMatchObject({ head: seq + 1, unread: 1 });
      expect(textOf(lounge!.last!)).toBe('hello');
      expect(lounge).not.toHaveProperty('peer');
    });

    test('that is private has neither counted nor shown what was said before one came', async () => {
      const here = await aNode(subject);
      await here.founds(ROOM, A, [], true);
      await here.says(A, inRoom(ROOM), 'before Bob');
      await tick(here);
      const { ts } = changed(await here.node.rooms.change(admitting(B)));
      expect(await listed(here, B, LOUNGE)).toMatchObject({ unread: 0, last: undefined, at: ts });
      await here.says(A, inRoom(ROOM), 'hello Bob');
      const after = await listed(here, B, LOUNGE);
      expect(after?.unread).toBe(1);
      expect(textOf(after!.last!)).toBe('hello Bob');
    });

    test('that is public shows what was said before one came, which is not unread', async () => {
      const here = await aNode(subject);
      await here.founds(ROOM, A);
      await here.says(A, inRoom(ROOM), 'before Bob');
      await here.joins(B, ROOM);
      const lounge = await listed(here, B, LOUNGE);
      expect(lounge?.unread).toBe(0);
      expect(textOf(lounge!.last!)).toBe('before Bob');
      await here.says(A, inRoom(ROOM), 'hello Bob');
      expect((await listed(here, B, LOUNGE))?.unread).toBe(1);
    });

    test('begins anew for who comes back', async () => {
      const here = await aNode(subject);
      await here.founds(ROOM, A, [B]);
      const { seq } = await here.says(A, inRoom(ROOM), 'one');
      await here.hasRead(B, LOUNGE, seq);
      await here.quits(B, ROOM);
      await here.says(A, inRoom(ROOM), 'while Bob was away');
      await here.joins(B, ROOM);
      await here.says(A, inRoom(ROOM), 'welcome back');
      expect((await listed(here, B, LOUNGE))?.unread).toBe(1);
    });
  });

  describe('everybody’s conversation in the list', () => {
    test('tells what is unread since one came for the first time', async () => {
      const here = await aNode(subject);
      await here.says(A, EVERYBODY, 'before Bob');
      await here.arrives(B);
      expect(await listed(here, B, ALL)).toMatchObject({ unread: 0 });
      const { seq } = await here.says(A, EVERYBODY, 'hello Bob');
      const all = await listed(here, B, ALL);
      expect(all).toMatchObject({ head: seq, unread: 1 });
      expect(textOf(all!.last!)).toBe('hello Bob');
      await here.hasRead(B, ALL, seq);
      expect(await listed(here, B, ALL)).toMatchObject({ read: seq, unread: 0 });
    });
  });

  describe('a page of the list', () => {
    test('is empty below everything, and says that there is no more', async () => {
      const here = await aNode(subject);
      await here.says(C, EVERYBODY, 'hello');
      const { ts } = await here.says(A, to(B), 'hello');
      const { conversations } = here.node;
      expect((await conversations.list(B, ts + 1, 50)).conversations).toHaveLength(2);
      expect(await conversations.list(B, 1, 50)).toMatchObject({ conversations: [], more: false });
    });
  });
}

/** What is stored after this has a later time than what was stored before. */
async function tick(here: Place): Promise<void> {
  const now = async () => (await here.node.devices.pending({ uid: A, device: DEFAULT_DEVICE }, 0)).ts;
  const before = await now();
  await until(async () => (await now()) > before, 'the clock to go on');
}

const admitting = (uid: typeof A): RoomChange => ({
  room: ROOM,
  expect: { exists: true, private: true, roles: [[A, 'owner']] },
  roles: [[uid, 'member']],
  sender: A,
  tails: [`"sender":"${A}","room":"${ROOM}","op":"system","data":{"event":"joined","uid":"${uid}","by":"${A}"}}`],
});

async function deletes(here: Place, room: RoomId): Promise<void> {
  const expect = { exists: true, private: false, roles: [[A, 'owner']] } as const;
  changed(await here.node.rooms.change({ room, expect, roles: [], sender: A, tails: [], delete: true }));
  await until(async () => (await here.node.log.heads([roomConv(room)]))[0] === 0, 'the room to be gone');
}
