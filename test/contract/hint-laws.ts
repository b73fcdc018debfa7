import { describe, expect, test } from 'vitest';
import { frameOf, seqOf } from '../../src/chat/item.js';
import { ALL, type RoomId, roomConv } from '../../src/protocol/index.js';
import { A, aNode, B, C, EVERYBODY, inRoom, LOUNGE, letter, ROOM, type Subject, textOf, to } from './town.js';

const OTHER = 'other' as RoomId;

export function hintLaws(subject: Subject): void {
  describe('a node', () => {
    test('hears what it stored in a room that it follows, in order, with the letters’ refs', async () => {
      const here = await aNode(subject);
      await here.founds(ROOM, A);
      await here.node.follow(LOUNGE);
      const letters = Array.from({ length: 20 }, (_, i) => letter(A, inRoom(ROOM), `${i}`));
      await Promise.all([here.node.log.append(letters.slice(0, 10)), here.node.log.append(letters.slice(10))]);
      await here.heard.until(({ feeds }) => feeds.length === 20, 'the hints of all that was stored');
      expect(here.heard.feeds.map(({ ref }) => ref)).toEqual(letters.map(({ ref }) => ref));
      expect(here.heard.feeds.map(({ item }) => textOf(item))).toEqual(letters.map((_, i) => `${i}`));
      expect(new Set(here.heard.feeds.map(({ conv }) => conv))).toEqual(new Set([LOUNGE]));
    });

    test('hears a broadcast when it follows everybody’s conversation', async () => {
      const here = await aNode(subject);
      await here.node.follow(ALL);
      const { seq } = await here.says(A, EVERYBODY, 'hear, hear');
      await here.heard.until(({ feeds }) => feeds.length === 1, 'the broadcast');
      expect(here.heard.feeds[0]).toMatchObject({ conv: ALL });
      expect(seqOf(here.heard.feeds[0]!.item)).toBe(seq);
    });

    test('hears a room until it unfollowed as often as it followed', async () => {
      const here = await aNode(subject);
      for (const room of [ROOM, OTHER]) await here.founds(room, A);
      await here.node.follow(roomConv(OTHER));
      await here.node.follow(LOUNGE);
      await here.node.follow(LOUNGE);
      here.node.unfollow(LOUNGE);
      await here.says(A, inRoom(ROOM), 'still heard');
      await here.heard.until(({ feeds }) => feeds.length === 1, 'the hint of a room still followed');
      here.node.unfollow(LOUNGE);
      await here.says(A, inRoom(ROOM), 'not heard');
      await here.says(A, inRoom(OTHER), 'the end');
      await here.heard.until(({ feeds }) => feeds.some(({ item }) => textOf(item) === 'the end'), 'the other room');
      expect(here.heard.feeds.map(({ item }) => textOf(item))).toEqual(['still heard', 'the end']);
      await here.node.follow(LOUNGE);
      await here.says(A, inRoom(ROOM), 'heard again');
      await here.heard.until(({ feeds }) => feeds.length === 3, 'the room followed anew');
    });

    test('hears nothing of its own direct messages', async () => {
      const here = await aNode(subject);
      await here.arrives(A);
      await here.arrives(B);
      await here.node.follow(ALL);
      await here.says(A, to(B), 'hello');
      await here.says(A, EVERYBODY, 'the end');
      await here.heard.until(({ feeds }) => feeds.length === 1, 'the broadcast');
      expect(here.heard.direct).toEqual([]);
    });

    test('hears who gained and who lost a room, before the entries that say so', async () => {
      const here = await aNode(subject);
      await here.arrives(B);
      await here.arrives(C);
      await here.node.follow(LOUNGE);
      const founded = await here.founds(ROOM, A, [B, C]);
      await here.heard.until(({ feeds }) => feeds.length === 3, 'the founding');
      expect(here.heard.calls.slice(0, 2)).toEqual(['membership', 'membership']);
      expect(new Set(here.heard.memberships)).toEqual(
        new Set([B, C].map((uid) => ({ uid, conv: LOUNGE, since: founded - 3 }))),
      );
      await here.quits(B, ROOM);
      await here.heard.until(({ feeds }) => feeds.length === 4, 'the leaving');
      expect(here.heard.calls.slice(-2)).toEqual(['membership', 'feed']);
      expect(here.heard.memberships.at(-1)).toEqual({ uid: B, conv: LOUNGE, since: undefined });
      expect(here.heard.feeds.map(({ ref }) => ref)).toEqual([0, 0, 0, 0]);
    });

    test('hears that all its users lost a room that is deleted', async () => {
      const here = await aNode(subject);
      await here.founds(ROOM, A, [B, C]);
      await here.arrives(B);
      await here.arrives(C);
      await here.node.rooms.change({
        room: ROOM,
        expect: { exists: true, private: false, roles: [] },
        roles: [],
        sender: A,
        tails: [],
        delete: true,
      });
      await here.heard.until(({ memberships }) => memberships.length === 2, 'both to lose the room');
      expect(new Set(here.heard.memberships)).toEqual(
        new Set([B, C].map((uid) => ({ uid, conv: LOUNGE, since: undefined }))),
      );
    });

    test('hears a frame for a room that it follows, as it was given', async () => {
      const here = await aNode(subject);
      await here.founds(ROOM, A);
      await here.node.follow(LOUNGE);
      const frame = '{"type":"typing","room":"lounge","sender":"Alice"}';
      await here.node.whispers.toRoom(LOUNGE, A, frame);
      await here.heard.until(({ roomFrames }) => roomFrames.length === 1, 'the frame');
      expect(here.heard.roomFrames).toEqual([{ conv: LOUNGE, sender: A, frame }]);
    });

    test('has a secret, always the same one, and is fit for traffic', async () => {
      const { node } = await aNode(subject);
      const secret = await node.secret();
      expect(secret.length).toBeGreaterThanOrEqual(32);
      expect(await node.secret()).toBe(secret);
      expect(node.health().ready).toBe(true);
    });

    test('hears the very item that the log has', async () => {
      const here = await aNode(subject);
      await here.node.follow(ALL);
      await here.says(A, EVERYBODY, 'quotes " and \\ and 👍');
      await here.heard.until(({ feeds }) => feeds.length === 1, 'the broadcast');
      const [item] = await here.items(ALL);
      expect(here.heard.feeds[0]?.item).toBe(item);
      expect(JSON.parse(frameOf(item!))).toMatchObject({ broadcast: true, data: 'quotes " and \\ and 👍' });
    });
  });
}
