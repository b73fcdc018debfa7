import { describe, expect, test } from 'vitest';
import { frameOf, hasMark, MARK, seqOf, systemTail } from '../../src/chat/item.js';
import type { RoomChange } from '../../src/chat/ports.js';
import { compareCodePoints, DEFAULT_DEVICE, type MessageId, type RoomId, roomConv } from '../../src/protocol/index.js';
import {
  A,
  aNode,
  B,
  C,
  changed,
  inRoom,
  joining,
  LOUNGE,
  letter,
  type Place,
  quitting,
  ROOM,
  type Subject,
  textOf,
  user,
} from './town.js';

export function roomLaws(subject: Subject): void {
  describe('a room', () => {
    test('that nobody founded does not exist, and takes no message', async () => {
      const here = await aNode(subject);
      expect(await here.node.rooms.facts(ROOM, [A])).toEqual({
        exists: false,
        name: '',
        private: false,
        members: 0,
        asked: [{ role: undefined, since: 0, rooms: 0 }],
      });
      expect(await here.tries(A, inRoom(ROOM), 'hello')).toEqual({ refused: 'not_found' });
      expect(await here.node.rooms.members(ROOM, undefined, 10)).toEqual([]);
      expect(await here.node.rooms.heir(ROOM, A)).toBeUndefined();
    });

    test('is founded with its members, each admitted before the first entry', async () => {
      const here = await aNode(subject);
      const last = await here.founds(ROOM, A, [B, C], true);
      expect(await here.node.rooms.facts(ROOM, [A, B, C])).toEqual({
        exists: true,
        name: ROOM,
        private: true,
        members: 3,
        asked: [
          { role: 'owner', since: last - 3, rooms: 1 },
          { role: 'member', since: last - 3, rooms: 1 },
          { role: 'member', since: last - 3, rooms: 1 },
        ],
      });
    });

    test('has each of its changes in its log, as an entry with op', async () => {
      const here = await aNode(subject);
      const founded = await here.founds(ROOM, A);
      expect(await here.joins(B, ROOM)).toBe(founded + 1);
      const { seq } = await here.says(B, inRoom(ROOM), 'hello');
      expect(seq).toBe(founded + 2);
      expect(await here.quits(B, ROOM)).toBe(founded + 3);
      const items = await here.items(LOUNGE);
      expect(items.map((item) => hasMark(item, MARK.op))).toEqual([true, true, false, true]);
      expect(items.map((item) => hasMark(item, MARK.first))).toEqual([true, false, false, false]);
      expect(JSON.parse(frameOf(items[1]!))).toMatchObject({
        type: 'message',
        room: ROOM,
        op: 'system',
        sender: B,
        data: { event: 'joined', uid: B, by: B },
      });
    });

    test('takes messages of its members only', async () => {
      const here = await aNode(subject);
      await here.founds(ROOM, A);
      expect(await here.tries(B, inRoom(ROOM), 'let me in')).toEqual({ refused: 'not_member' });
      await here.joins(B, ROOM);
      await here.says(B, inRoom(ROOM), 'hello');
      await here.quits(B, ROOM);
      expect(await here.tries(B, inRoom(ROOM), 'one more thing')).toEqual({ refused: 'not_member' });
    });

    test('is a feed of its members while they are in it', async () => {
      const here = await aNode(subject);
      await here.founds(ROOM, A);
      expect(await feedsOf(here)).not.toContain(LOUNGE);
      await here.joins(B, ROOM);
      expect(await feedsOf(here)).toContain(LOUNGE);
      await here.quits(B, ROOM);
      expect(await feedsOf(here)).not.toContain(LOUNGE);
    });

    test('starts anew for who comes back', async () => {
      const here = await aNode(subject);
      await here.founds(ROOM, A);
      await here.joins(B, ROOM);
      await here.arrives(B);
      await here.quits(B, ROOM);
      await here.says(A, inRoom(ROOM), 'while Bob was away');
      const back = await here.joins(B, ROOM);
      const { feeds } = await here.arrives(B);
      expect(feeds.find(({ conv }) => conv === LOUNGE)).toEqual({ conv: LOUNGE, cursor: back - 1, head: back });
    });

    test('is not changed on facts that no longer hold', async () => {
      const here = await aNode(subject);
      const head = await here.founds(ROOM, A);
      const join = joining(B, ROOM);
      const stale: RoomChange[] = [
        { ...join, expect: { ...join.expect, exists: false } },
        { ...join, expect: { ...join.expect, private: true } },
        { ...join, expect: { ...join.expect, roles: [[A, 'member']] } },
        { ...join, expect: { ...join.expect, roles: [[B, 'member']] } },
        {
          ...join,
          expect: {
            ...join.expect,
            roles: [
              [A, 'owner'],
              [A, undefined],
            ],
          },
        },
        { ...join, room: 'elsewhere' as RoomId },
      ];
      for (const change of stale) expect(await here.node.rooms.change(change)).toBe('changed');
      expect(await here.node.log.heads([LOUNGE, roomConv('elsewhere' as RoomId)])).toEqual([head, 0]);
      expect((await here.node.rooms.facts(ROOM, [B])).asked).toEqual([{ role: undefined, since: 0, rooms: 0 }]);
    });

    test('is founded, joined and left once, however many try at the same moment', async () => {
      const here = await aNode(subject);
      await here.founds(ROOM, A);
      const joins = await Promise.all(Array.from({ length: 5 }, () => here.node.rooms.change(joining(B, ROOM))));
      expect(joins.filter((outcome) => outcome !== 'changed')).toHaveLength(1);
      const quits = await Promise.all(Array.from({ length: 5 }, () => here.node.rooms.change(quitting(B, ROOM))));
      expect(quits.filter((outcome) => outcome !== 'changed')).toHaveLength(1);
      expect(await here.items(LOUNGE)).toHaveLength(3);
    });

    test('changes a role and its properties without moving where a member began', async () => {
      const here = await aNode(subject);
      await here.founds(ROOM, A, [B]);
      const [before] = (await here.node.rooms.facts(ROOM, [B])).asked;
      const place = await here.node.rooms.change({
        room: ROOM,
        expect: {
          exists: true,
          private: false,
          roles: [
            [A, 'owner'],
            [B, 'member'],
          ],
        },
        meta: { name: 'Salon', private: true },
        roles: [[B, 'admin']],
        sender: A,
        tails: [systemTail(A, ROOM, { event: 'role', uid: B, by: A, role: 'admin' })],
      });
      expect(changed(place).seq).toBe(seqOf((await here.items(LOUNGE)).at(-1)!));
      expect(await here.node.rooms.facts(ROOM, [B])).toMatchObject({
        name: 'Salon',
        private: true,
        members: 2,
        asked: [{ role: 'admin', since: before?.since }],
      });
    });

    test('ends, with its log, when its last member leaves; the next one of that name begins above it', async () => {
      const here = await aNode(subject);
      await here.founds(ROOM, A);
      const last = await here.quits(A, ROOM, 'owner');
      expect(await here.node.rooms.facts(ROOM, [A])).toMatchObject({ exists: false, members: 0 });
      expect(await here.items(LOUNGE)).toEqual([]);
      expect(await here.tries(A, inRoom(ROOM), 'anybody?')).toEqual({ refused: 'not_found' });
      const founded = await here.founds(ROOM, B);
      expect(founded).toBeGreaterThan(last);
      expect(await here.items(LOUNGE)).toHaveLength(1);
    });

    test('ends for all its members when it is deleted', async () => {
      const here = await aNode(subject);
      await here.founds(ROOM, A, [B, C]);
      await here.arrives(B);
      changed(
        await here.node.rooms.change({
          room: ROOM,
          expect: { exists: true, private: false, roles: [[A, 'owner']] },
          roles: [],
          sender: A,
          tails: [],
          delete: true,
        }),
      );
      expect(await here.node.rooms.facts(ROOM, [A, B])).toMatchObject({ exists: false, members: 0 });
      expect(await here.node.rooms.members(ROOM, undefined, 10)).toEqual([]);
      expect(await feedsOf(here)).not.toContain(LOUNGE);
      expect(await here.items(LOUNGE)).toEqual([]);
    });

    test('takes what the service vouches for from whoever is named, and makes them no reader of it', async () => {
      const here = await aNode(subject);
      const vouched = { ...letter(B, inRoom(ROOM), 'from outside', 'v1'), isVouched: true };
      expect(await here.node.log.append([vouched])).toEqual([{ refused: 'not_found' }]);
      await here.founds(ROOM, A);
      const [first] = await here.node.log.append([vouched]);
      expect(first).toMatchObject({ seq: expect.any(Number), dup: false, readMoved: false });
      const both = await here.node.log.append([letter(B, inRoom(ROOM), 'not vouched for'), vouched]);
      expect(both).toEqual([{ refused: 'not_member' }, { ...first, dup: true }]);
      expect((await here.items(LOUNGE)).map(textOf)).toContain('from outside');
      expect(await feedsOf(here)).not.toContain(LOUNGE);
      const { conversations } = await here.node.conversations.list(B, undefined, 10);
      expect(conversations.map(({ conv }) => conv)).not.toContain(LOUNGE);
      await here.joins(B, ROOM);
      const [inside] = await here.node.log.append([{ ...vouched, id: 'v2' as MessageId }]);
      expect(inside).toMatchObject({ readMoved: true });
    });

    test('lists its members by code point, page by page', async () => {
      const here = await aNode(subject);
      const names = ['Zoe', 'adam', 'Émile', '𝒜da', '\uff21nn', 'Bea', '_x', '0', 'ツ'].map(user);
      await here.founds(ROOM, names[0]!, names.slice(1));
      const sorted = names.toSorted(compareCodePoints);
      expect((await here.node.rooms.members(ROOM, undefined, 100)).map(({ uid }) => uid)).toEqual(sorted);
      const paged = [];
      for (let after: typeof A | undefined; ; ) {
        const page = await here.node.rooms.members(ROOM, after, 2);
        paged.push(...page);
        if (page.length < 2) break;
        after = page.at(-1)?.uid;
      }
      expect(paged.map(({ uid }) => uid)).toEqual(sorted);
      expect(paged.filter(({ role }) => role === 'owner').map(({ uid }) => uid)).toEqual([names[0]]);
      expect((await here.node.rooms.members(ROOM, user('Y'), 1)).map(({ uid }) => uid)).toEqual(['Zoe']);
    });

    test('lists who came, and no longer who went', async () => {
      const here = await aNode(subject);
      await here.founds(ROOM, A);
      const listed = async () => (await here.node.rooms.members(ROOM, undefined, 10)).map(({ uid }) => uid);
      expect(await listed()).toEqual([A]);
      await here.joins(B, ROOM);
      expect(await listed()).toEqual([A, B]);
      await here.quits(B, ROOM);
      expect(await listed()).toEqual([A]);
    });

    test('is inherited by the longest-serving admin, else member', async () => {
      const here = await aNode(subject);
      await here.founds(ROOM, A);
      expect(await here.node.rooms.heir(ROOM, A)).toBeUndefined();
      const [early, late] = [user('Zed'), user('Ada')];
      await here.joins(early, ROOM);
      await here.joins(late, ROOM);
      expect(await here.node.rooms.heir(ROOM, A)).toBe(early);
      expect(await here.node.rooms.heir(ROOM, early)).not.toBe(early);
      const [firstAdmin, secondAdmin] = [user('Yan'), user('Abe')];
      await here.joins(firstAdmin, ROOM, 'admin');
      await here.joins(secondAdmin, ROOM, 'admin');
      expect(await here.node.rooms.heir(ROOM, A)).toBe(firstAdmin);
      await here.quits(firstAdmin, ROOM, 'admin');
      expect(await here.node.rooms.heir(ROOM, A)).toBe(secondAdmin);
    });
  });
}

async function feedsOf(here: Place): Promise<string[]> {
  const { feeds } = await here.node.devices.pending({ uid: B, device: DEFAULT_DEVICE }, 0);
  return feeds.map(({ conv }) => conv);
}
