import { describe, expect, test } from 'vitest';
import { frameOf, hasMark, itemOf, MARK, placeOf, tsOf } from '../../src/chat/item.js';
import { ALL, type Conv, dmOf } from '../../src/protocol/index.js';
import { until } from '../support/until.js';
import { A, AB, aNode, B, C, EVERYBODY, letter, type Subject, seqsOf, stored, textOf, to, user } from './town.js';

const MINUTE_MICROS = 60_000_000;

export function logLaws(subject: Subject): void {
  describe('a log', () => {
    test('begins at the time of its first message, in microseconds', async () => {
      const here = await aNode(subject);
      const { seq, ts } = await here.says(A, to(B), 'hello');
      expect(Math.abs(seq - Date.now() * 1_000)).toBeLessThan(MINUTE_MICROS);
      expect(Math.abs(ts - Date.now())).toBeLessThan(MINUTE_MICROS / 1_000);
    });

    test('numbers messages one after the other, whoever sends them', async () => {
      const here = await aNode(subject);
      const { seq } = await here.says(A, to(B), 'one');
      expect((await here.says(B, to(A), 'two')).seq).toBe(seq + 1);
      expect((await here.says(A, to(B), 'three')).seq).toBe(seq + 2);
      expect(await here.texts(AB)).toEqual(['one', 'two', 'three']);
    });

    test('keeps the order of a batch, and numbers each conversation for itself', async () => {
      const here = await aNode(subject);
      const outcomes = (
        await here.node.log.append([
          letter(A, to(B), 'b1'),
          letter(A, to(C), 'c1'),
          letter(A, to(B), 'b2'),
          letter(A, EVERYBODY, 'all1'),
          letter(A, to(C), 'c2'),
        ])
      ).map(stored);
      expect(outcomes[2]?.seq).toBe(outcomes[0]!.seq + 1);
      expect(outcomes[4]?.seq).toBe(outcomes[1]!.seq + 1);
      expect(await here.texts(AB)).toEqual(['b1', 'b2']);
      expect(await here.texts(dmOf(A, C))).toEqual(['c1', 'c2']);
      expect(await here.texts(ALL)).toEqual(['all1']);
    });

    test('has no gap where many write at the same moment, and keeps the order of each of them', async () => {
      const here = await aNode(subject);
      const batches = Array.from({ length: 20 }, (_, i) =>
        Array.from({ length: 10 }, (_, k) => letter(i % 2 ? A : B, to(i % 2 ? B : A), `${i}.${k}`)),
      );
      await Promise.all(batches.map((batch) => here.node.log.append(batch)));
      const items = await here.items(AB);
      const first = placeOf(items[0]!).seq;
      expect(seqsOf(items)).toEqual(items.map((_, i) => first + i));
      const texts = items.map(textOf);
      for (const [i, batch] of batches.entries()) {
        expect(texts.filter((text) => text.startsWith(`${i}.`))).toEqual(batch.map((_, k) => `${i}.${k}`));
      }
    });

    test('gives back the very frame that was stored, with its place and its mark', async () => {
      const here = await aNode(subject);
      const letters = [letter(A, to(B), 'from the smaller', 'c"1\\'), letter(B, to(A), 'from the greater 👍\u0000')];
      const outcomes = (await here.node.log.append(letters)).map(stored);
      const marks = [MARK.first, MARK.greater];
      const expected = letters.map(({ conv, tail }, i) =>
        itemOf(marks[i]!, conv, outcomes[i]!.seq, outcomes[i]!.ts, tail),
      );
      const items = await here.items(AB);
      expect(items).toEqual(expected);
      expect(JSON.parse(frameOf(items[0]!))).toMatchObject({ type: 'message', id: 'c"1\\', sender: A, receiver: B });
      expect(items.map((item) => tsOf(item))).toEqual(outcomes.map(({ ts }) => ts));
    });

    test('marks its first entry, and no other', async () => {
      const here = await aNode(subject);
      const outcomes = [await here.says(B, to(A), 'one'), await here.says(A, to(B), 'two')];
      expect(outcomes.map(({ first }) => first)).toEqual([true, false]);
      expect((await here.items(AB)).map((item) => hasMark(item, MARK.first))).toEqual([true, false]);
    });

    test('says whether its sender had read all before', async () => {
      const here = await aNode(subject);
      expect(await here.says(A, to(B), 'one')).toMatchObject({ readMoved: false });
      expect(await here.says(A, to(B), 'two')).toMatchObject({ readMoved: false });
      expect(await here.says(B, to(A), 'three')).toMatchObject({ readMoved: true });
      const { seq } = await here.says(B, to(A), 'four');
      await here.hasRead(A, AB, seq);
      expect(await here.says(A, to(B), 'five')).toMatchObject({ readMoved: false });
      expect(await here.says(B, to(A), 'six')).toMatchObject({ readMoved: true });
    });

    test('takes any name for a name', async () => {
      const here = await aNode(subject);
      const names = ['__proto__', 'constructor', 'toString', 'é', '𝒜lice', 'all', 'a.b@c+d-e', '_'].map(user);
      for (const name of names) {
        expect(await here.says(name, to(B), `I am ${name}`, '__proto__')).toMatchObject({ dup: false });
        expect(await here.says(name, to(B), 'again', '__proto__')).toMatchObject({ dup: true });
        expect(await here.texts(dmOf(name, B))).toEqual([`I am ${name}`]);
      }
      expect([...(await here.pendingFor(B)).keys()].sort()).toEqual(names.map((name) => dmOf(name, B)).sort());
    });

    test('has a head, which is 0 where there never was an entry', async () => {
      const here = await aNode(subject);
      await here.says(A, to(B), 'one');
      const { seq } = await here.says(A, to(B), 'two');
      expect(await here.node.log.heads([dmOf(A, C), AB, ALL])).toEqual([0, seq, 0]);
      expect(await here.node.log.heads([])).toEqual([]);
    });
  });

  describe('a message with an id', () => {
    test('is stored once, and its repetition is answered with the first place and time', async () => {
      const here = await aNode(subject);
      const first = await here.says(A, to(B), 'once', 'id-1');
      await here.says(A, to(B), 'between', 'id-2');
      const again = await here.says(A, to(B), 'once', 'id-1');
      expect(again).toMatchObject({ seq: first.seq, ts: first.ts, dup: true });
      expect(first.dup).toBe(false);
      expect(await here.texts(AB)).toEqual(['once', 'between']);
    });

    test('is stored once though a batch has it three times', async () => {
      const here = await aNode(subject);
      const batch = ['x', 'y', 'x', 'x'].map((id) => letter(A, to(B), id, id));
      const outcomes = (await here.node.log.append(batch)).map(stored);
      expect(outcomes.map(({ dup }) => dup)).toEqual([false, false, true, true]);
      expect(outcomes.map(({ seq }) => seq - outcomes[0]!.seq)).toEqual([0, 1, 0, 0]);
      expect(await here.texts(AB)).toEqual(['x', 'y']);
    });

    test('is stored once though it comes ten times at the same moment', async () => {
      const here = await aNode(subject);
      const outcomes = await Promise.all(Array.from({ length: 10 }, () => here.says(A, to(B), 'once', 'id')));
      expect(outcomes.filter(({ dup }) => !dup)).toHaveLength(1);
      expect(new Set(outcomes.map(({ seq }) => seq)).size).toBe(1);
      expect(await here.texts(AB)).toEqual(['once']);
    });

    test('is another one from another sender or in another conversation', async () => {
      const here = await aNode(subject);
      const outcomes = [
        await here.says(A, to(B), 'A to B', 'id'),
        await here.says(B, to(A), 'B to A', 'id'),
        await here.says(A, to(C), 'A to C', 'id'),
        await here.says(A, EVERYBODY, 'A to all', 'id'),
      ];
      expect(outcomes.map(({ dup }) => dup)).toEqual([false, false, false, false]);
    });

    test('may come again when the dedup time is over, which a repetition does not prolong', async () => {
      const here = await aNode(subject, { dedupMs: 150 });
      const first = await here.says(A, to(B), 'hello', 'id');
      const second = await until(async () => {
        const outcome = await here.says(A, to(B), 'hello', 'id');
        return outcome.dup ? undefined : outcome;
      }, 'the id to be forgotten');
      expect(second.seq).toBe(first.seq + 1);
      expect(second.ts - first.ts).toBeGreaterThanOrEqual(150);
    });

    test('is repeated at will without one: a message without id is never taken for another', async () => {
      const here = await aNode(subject);
      for (let i = 0; i < 3; i++) expect(await here.says(A, to(B), 'same')).toMatchObject({ dup: false });
      expect(await here.texts(AB)).toEqual(['same', 'same', 'same']);
    });
  });

  describe('reading a log', () => {
    test('goes on in slices, from any place', async () => {
      const here = await aNode(subject);
      const outcomes = (await here.node.log.append(range(10).map((i) => letter(A, to(B), `${i}`)))).map(stored);
      const [first, head] = [outcomes[0]!.seq, outcomes[9]!.seq];
      const { log } = here.node;
      const slice = await log.read(AB, 0, 4, 1e6);
      expect(slice.items.map(textOf)).toEqual(['0', '1', '2', '3']);
      expect(slice).toMatchObject({ head, origin: first, gone: 0, after: 0 });
      expect((await log.read(AB, first + 3, 4, 1e6)).items.map(textOf)).toEqual(['4', '5', '6', '7']);
      expect((await log.read(AB, head - 1, 4, 1e6)).items.map(textOf)).toEqual(['9']);
      expect(await log.read(AB, head, 4, 1e6)).toMatchObject({ items: [], head, after: head });
    });

    test('ends a slice at a number of bytes, but never before its first entry', async () => {
      const here = await aNode(subject);
      await here.node.log.append(range(6).map((i) => letter(A, to(B), `${i}`.repeat(1_000))));
      const sizes = async (bytes: number) => (await here.node.log.read(AB, 0, 100, bytes)).items.length;
      expect(await sizes(1)).toBe(1);
      expect(await sizes(3_500)).toBeGreaterThanOrEqual(2);
      expect(await sizes(3_500)).toBeLessThanOrEqual(4);
      expect(await sizes(100_000)).toBe(6);
    });

    test('finds nothing where nothing was', async () => {
      const here = await aNode(subject);
      const nowhere = 'room:nowhere' as Conv;
      expect(await here.node.log.read(nowhere, 0, 10, 1e6)).toMatchObject({ items: [], head: 0, origin: 0, gone: 0 });
      expect(await here.node.log.page(nowhere, { limit: 10, bytes: 1e6, floor: 0 })).toEqual({
        items: [],
        more: false,
      });
    });
  });
}

const range = (length: number): number[] => Array.from({ length }, (_, i) => i);
