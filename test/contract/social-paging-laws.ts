import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Conversed } from '../../src/chat/social-ports.js';
import { ALL, type Conv, dmOf, type RoomId, roomConv, type Uid } from '../../src/protocol/index.js';
import { A, aNode, inRoom, LOUNGE, letter, type Place, ROOM, type Subject, to, user } from './town.js';

const DMS = 5_000;
const ROOMS = 200;
const MEMBERS = 10_000;
const BATCH = 40;
const LIMIT = 50;

export function pagingLaws(subject: Subject): void {
  describe('paging through conversations', () => {
    test('skips none and repeats none, whatever the size of the pages, though many are of one moment', async () => {
      const here = await aNode(subject);
      for (const size of [1, 7, 1, 13, 2, 1, 6]) {
        await here.node.log.append(Array.from({ length: size }, () => letter(newUser(), to(A), 'hello')));
      }
      const everything = await here.node.conversations.list(A, undefined, 200);
      expect(everything.more).toBe(false);
      const convs = everything.conversations.map(({ conv }) => conv);
      expect(new Set(convs).size).toBe(31 + 1);
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 1, max: 40 }), async (limit) => {
          const pages = await walk(here, A, limit);
          expect(
            pages
              .flat()
              .map(({ conv }) => conv)
              .sort(),
          ).toEqual(convs.toSorted());
          expect(isNewestFirst(pages.flat())).toBe(true);
        }),
        { numRuns: 20 },
      );
    });

    test('gives pages as long as asked for, where each conversation is of a moment of its own', async () => {
      const here = await aNode(subject);
      for (let i = 0; i < 10; i++) await nextMoment(here, [letter(newUser(), to(A), 'hello')]);
      const pages = await walk(here, A, 4);
      expect(pages.map((page) => page.length)).toEqual([4, 4, 3]);
    });

    test('tells of a page exactly what the whole list tells', async () => {
      const here = await aNode(subject);
      await here.founds(ROOM, A);
      for (let i = 0; i < 10; i++) {
        await nextMoment(here, [letter(newUser(), to(A), 'one'), letter(A, inRoom(ROOM), 'two')]);
      }
      const { conversations } = await here.node.conversations.list(A, undefined, 200);
      expect((await walk(here, A, 3)).flat()).toEqual(conversations);
    });
  });

  describe('a user with thousands of conversations', () => {
    test('gets pages of bounded size in bounded time, and on them each conversation once', async () => {
      const here = await aNode(subject, { retentionMessages: 100, strangers: 2 * DMS });
      await here.arrives(A);
      const rooms = Array.from({ length: ROOMS }, (_, i) => `room-${i}` as RoomId);
      for (const room of rooms) await here.founds(room, A);
      const peers = Array.from({ length: DMS }, newUser);
      for (let i = 0; i < DMS; i += BATCH) {
        await nextMoment(
          here,
          peers.slice(i, i + BATCH).map((peer) => letter(peer, to(A), 'hello')),
        );
      }
      for (let i = 0; i < ROOMS; i += BATCH) {
        await nextMoment(
          here,
          rooms.slice(i, i + BATCH).map((room) => letter(A, inRoom(room), 'hello')),
        );
      }
      const began = performance.now();
      const first = await here.node.conversations.list(A, undefined, LIMIT);
      expect(performance.now() - began).toBeLessThan(1_000);
      expect(first.more).toBe(true);
      expect(first.conversations.length).toBeGreaterThan(0);
      expect(first.conversations.length).toBeLessThanOrEqual(LIMIT);
      expect(Buffer.byteLength(JSON.stringify(first))).toBeLessThan(LIMIT * 1_000);
      expect(first.conversations.every(({ conv }) => conv.startsWith('room:'))).toBe(true);

      const pages = await walk(here, A, LIMIT);
      expect(Math.max(...pages.map((page) => page.length))).toBeLessThanOrEqual(LIMIT);
      const convs = pages.flat().map(({ conv }) => conv);
      const expected: Conv[] = [ALL, ...rooms.map(roomConv), ...peers.map((peer) => dmOf(A, peer))];
      expect(convs.toSorted()).toEqual(expected.toSorted());
    }, 60_000);

    test('is in a room of ten thousand: its members come page by page, its conversation as any other', async () => {
      const here = await aNode(subject);
      const members = Array.from({ length: MEMBERS - 1 }, newUser);
      await foundsBig(here, members);
      await here.says(members[0]!, inRoom(ROOM), 'hello');
      const began = performance.now();
      const page = await here.node.rooms.members(ROOM, undefined, LIMIT);
      const { conversations } = await here.node.conversations.list(A, undefined, LIMIT);
      expect(performance.now() - began).toBeLessThan(1_000);
      expect(page).toHaveLength(LIMIT);
      expect(conversations.find(({ conv }) => conv === LOUNGE)).toMatchObject({ unread: 1 });
      expect(Buffer.byteLength(JSON.stringify(conversations))).toBeLessThan(5_000);

      const seen = new Set<Uid>();
      for (let after: Uid | undefined; ; ) {
        const next = await here.node.rooms.members(ROOM, after, 200);
        expect(next.length).toBeLessThanOrEqual(200);
        if (next.length === 0) break;
        for (const { uid } of next) seen.add(uid);
        after = next.at(-1)!.uid;
      }
      expect(seen.size).toBe(MEMBERS);
    }, 60_000);
  });
}

let users = 0;
const newUser = (): Uid => user(`u${++users}`);

/** All pages of a list, each below the last time of the one before. */
async function walk(here: Place, uid: Uid, limit: number): Promise<(readonly Conversed[])[]> {
  const pages: (readonly Conversed[])[] = [];
  for (let before: number | undefined; ; ) {
    const { conversations, more } = await here.node.conversations.list(uid, before, limit);
    pages.push(conversations);
    if (!more) return pages;
    const { at } = conversations.at(-1) ?? {};
    // Else the walk would never end.
    if (at === undefined || at >= (before ?? Number.POSITIVE_INFINITY)) throw new Error(`no page below ${before}`);
    before = at;
  }
}

const isNewestFirst = (list: readonly Conversed[]): boolean =>
  list.every(({ at }, i) => i === 0 || at <= list[i - 1]!.at);

const lastMoment = new WeakMap<Place, number>();

/** Stores a batch at a later time than the one before. */
async function nextMoment(here: Place, letters: Parameters<Place['node']['log']['append']>[0]): Promise<void> {
  while (Date.now() <= (lastMoment.get(here) ?? 0)) await new Promise(setImmediate);
  const outcomes = await here.node.log.append(letters);
  expect(outcomes.filter((outcome) => 'refused' in outcome)).toEqual([]);
  lastMoment.set(here, Math.max(...outcomes.map((outcome) => ('ts' in outcome ? outcome.ts : 0))));
}

async function foundsBig(here: Place, members: readonly Uid[]): Promise<void> {
  await here.founds(ROOM, A);
  for (let i = 0; i < members.length; i += 500) {
    const roles = members.slice(i, i + 500).map((uid) => [uid, 'member'] as const);
    const expected = { exists: true, private: false, roles: [] };
    await here.node.rooms.change({ room: ROOM, expect: expected, roles, sender: A, tails: [] });
  }
}
