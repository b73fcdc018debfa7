import { describe, expect, test } from 'vitest';
import { Unavailable } from '../../src/chat/ports.js';
import type { Ban } from '../../src/chat/social-ports.js';
import { A, aNode, B, C, LAPTOP, nodes, PHONE, type Subject, user } from './town.js';

const BLOCKS_MAX = 10_000;
const BANS_MAX = 100_000;
const AT_ONCE = 500;

export function blockLaws(subject: Subject): void {
  describe('blocks', () => {
    test('are one’s own, until one ends them', async () => {
      const here = await aNode(subject);
      const { blocks } = here.node;
      expect(await blocks.blocked(A)).toEqual([]);
      expect(await blocks.block(A, B, true)).toBe(true);
      expect(await blocks.block(A, C, true)).toBe(true);
      expect((await blocks.blocked(A)).toSorted()).toEqual([B, C]);
      expect(await blocks.blocked(B)).toEqual([]);
      expect(await blocks.block(A, B, false)).toBe(true);
      expect(await blocks.blocked(A)).toEqual([C]);
    });

    test('begin and end once, however often it is asked for', async () => {
      const here = await aNode(subject);
      const { blocks } = here.node;
      for (let i = 0; i < 3; i++) expect(await blocks.block(A, B, true)).toBe(true);
      expect(await blocks.blocked(A)).toEqual([B]);
      for (let i = 0; i < 3; i++) expect(await blocks.block(A, B, false)).toBe(true);
      expect(await blocks.blocked(A)).toEqual([]);
      expect(await blocks.block(C, B, false)).toBe(true);
    });

    test('are found from the other side: who of some users blocks one', async () => {
      const here = await aNode(subject);
      const { blocks } = here.node;
      for (const uid of [A, C]) await blocks.block(uid, B, true);
      await blocks.block(B, A, true);
      expect((await blocks.blockers(B, [A, B, C, user('Dan')])).toSorted()).toEqual([A, C]);
      expect(await blocks.blockers(B, [])).toEqual([]);
      expect(await blocks.blockers(C, [A, B])).toEqual([]);
      await blocks.block(A, B, false);
      expect(await blocks.blockers(B, [A, C])).toEqual([C]);
    });

    test('are told to who arrives', async () => {
      const here = await aNode(subject);
      expect((await here.arrives(A)).blocks).toEqual([]);
      await here.node.blocks.block(A, B, true);
      await here.node.blocks.block(A, C, true);
      expect((await here.arrives(A, PHONE)).blocks.toSorted()).toEqual([B, C]);
    });

    test('are as many as they may be, and one more is refused', async () => {
      const here = await aNode(subject);
      const { blocks } = here.node;
      const others = Array.from({ length: BLOCKS_MAX }, (_, i) => user(`u${i}`));
      expect(await inSlices(others, (other) => blocks.block(A, other, true))).toBe(true);
      expect(await blocks.block(A, B, true)).toBe(false);
      expect(await blocks.block(A, others[0]!, true)).toBe(true);
      expect(await blocks.blocked(A)).toHaveLength(BLOCKS_MAX);
      expect(await blocks.block(C, B, true)).toBe(true);
      await blocks.block(A, others[0]!, false);
      expect(await blocks.block(A, B, true)).toBe(true);
    });
  });

  describe('bans', () => {
    test('are for a user, for a device or for a token, each for itself', async () => {
      const here = await aNode(subject);
      const { bans } = here.node;
      const all: Ban[] = [
        { uid: A },
        { uid: A, device: PHONE },
        { uid: A, device: LAPTOP },
        { uid: A, tokenId: 'phone' },
        { uid: B, tokenId: '":,\\é' },
      ];
      expect(await bans.all()).toEqual([]);
      for (const ban of [...all, ...all]) expect(await bans.set(ban, true)).toBe(true);
      expect(sorted(await bans.all())).toEqual(sorted(all));
      expect(await bans.set({ uid: A }, false)).toBe(true);
      expect(await bans.set({ uid: C }, false)).toBe(true);
      expect(sorted(await bans.all())).toEqual(sorted(all.slice(1)));
    });

    test('are the same on every node', async () => {
      const places = await nodes(subject, subject.manyNodes ? 3 : 1);
      await places[0]!.node.bans.set({ uid: A }, true);
      for (const place of places) expect(await place.node.bans.all()).toEqual([{ uid: A }]);
      await places.at(-1)!.node.bans.set({ uid: A }, false);
      for (const place of places) expect(await place.node.bans.all()).toEqual([]);
    });

    test('are as many as they may be, and one more is refused', async () => {
      const here = await aNode(subject);
      const { bans } = here.node;
      const uids = Array.from({ length: BANS_MAX }, (_, i) => user(`u${i}`));
      expect(await inSlices(uids, (uid) => bans.set({ uid }, true))).toBe(true);
      expect(await bans.set({ uid: A }, true)).toBe(false);
      expect(await bans.set({ uid: uids[0]! }, true)).toBe(true);
      expect(await bans.all()).toHaveLength(BANS_MAX);
      await bans.set({ uid: uids[0]! }, false);
      expect(await bans.set({ uid: A }, true)).toBe(true);
    }, 60_000);
  });

  describe('a word', () => {
    test('is heard by every node, also by the one that says it, as it was said', async () => {
      const places = await nodes(subject, subject.manyNodes ? 3 : 1);
      const words = ['{"kind":"bans"}', 'two\nlines\t"quoted" é 👍', 'x'.repeat(3_000)];
      for (const word of words) await places[0]!.node.words.toNodes(word);
      for (const { heard } of places) {
        await heard.until((each) => each.words.length === words.length, 'the words');
        expect(heard.words).toEqual(words);
      }
      for (const place of places) await place.node.words.toNodes('and you?');
      for (const { heard } of places) {
        await heard.until((each) => each.words.length === words.length + places.length, 'a word of each');
      }
    });
  });
}

const sorted = (bans: readonly Ban[]): string[] =>
  bans.map(({ uid, device, tokenId }) => JSON.stringify([uid, device, tokenId])).toSorted();

/** Whether it was done for each; what a busy store could not do in time is done again. */
async function inSlices<T>(all: readonly T[], each: (one: T) => Promise<boolean>): Promise<boolean> {
  let todo = all;
  let isDone = true;
  while (todo.length > 0) {
    const slice = todo.slice(0, AT_ONCE);
    const outcomes = await Promise.allSettled(slice.map(each));
    const failed = slice.filter((_, i) => outcomes[i]?.status === 'rejected');
    for (const outcome of outcomes) {
      if (outcome.status === 'fulfilled') isDone &&= outcome.value;
      else if (!(outcome.reason instanceof Unavailable)) throw outcome.reason;
    }
    todo = [...failed, ...todo.slice(AT_ONCE)];
  }
  return isDone;
}
