import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ALL, type Conv, dmOf, type MessageFrame, type Uid } from '../../src/protocol/index.js';
import {
  amends,
  amendsUnlessRecalled,
  type Change,
  changedBy,
  edit,
  messageAt,
  messageOf,
  RECALL,
  react,
} from './social-town.js';
import { A, AB, aNode, B, C, EVERYBODY, letter, nodes, type Place, type Subject, seqsOf, to, user } from './town.js';

const FULL = { refused: 'box_full' };

/** One of several nodes changes a message. */
type Step = { readonly at: number; readonly by: Uid; readonly change: Change };

const CHANGES: fc.Arbitrary<Change> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constantFrom('👍', '❤', '1'), fc.boolean()).map(([e, on]) => react(e, on)) },
  { weight: 3, arbitrary: fc.string({ maxLength: 5, unit: 'grapheme' }).map(edit) },
);
const STEPS: fc.Arbitrary<Step[]> = fc.array(
  fc.record({ at: fc.nat({ max: 2 }), by: fc.constantFrom(A, B), change: CHANGES }),
  { minLength: 2, maxLength: 12 },
);

export function socialBoxLaws(subject: Subject): void {
  describe('changes of a message', () => {
    test('are never refused by a full box, and take no room in it', async () => {
      const here = await aNode(subject, { pendingMessages: 3 });
      await here.arrives(B);
      const { seq } = await here.says(A, to(B), 'one');
      for (let i = 0; i < 5; i++) await amends(here, A, AB, seq, react(`${i}`));
      await here.says(A, to(B), 'two');
      await here.says(A, to(B), 'three');
      expect(await here.tries(A, to(B), 'too many')).toEqual(FULL);
      await amends(here, A, AB, seq, edit('one, better'));
      await amends(here, A, AB, seq, RECALL);
      await here.acks(B, AB, seq);
      await here.says(A, to(B), 'four');
      expect(await here.tries(A, to(B), 'too many')).toEqual(FULL);
    });

    test('take no room in bytes either', async () => {
      const here = await aNode(subject, { pendingBytes: 1_000 });
      await here.arrives(B);
      const { seq } = await here.says(A, to(B), 'one');
      for (let i = 0; i < 5; i++) await amends(here, A, AB, seq, edit('x'.repeat(1_000)));
      await here.says(A, to(B), 'two');
    });

    test('reach also who was never there, however many', async () => {
      const here = await aNode(subject, { strangerMessages: 1, strangers: 1 });
      const { seq } = await here.says(A, to(B), 'one');
      expect(await here.tries(A, to(B), 'too many')).toEqual(FULL);
      for (let i = 0; i < 5; i++) await amends(here, A, AB, seq, edit(`${i}`));
      expect(await here.tries(A, to(B), 'too many')).toEqual(FULL);
      expect(await here.pendingFor(B)).toEqual(new Map([[AB, 0]]));
    });

    test('count in what a slice may hold', async () => {
      const here = await aNode(subject);
      const outcomes = await Promise.all(['one', 'two', 'three'].map((text) => here.says(A, to(B), text)));
      for (const { seq } of outcomes) await amends(here, A, AB, seq, edit('x'.repeat(1_000)));
      const { items } = await here.node.log.read(AB, 0, 100, 2_500);
      expect(items.length).toBeGreaterThanOrEqual(1);
      expect(items.length).toBeLessThanOrEqual(3);
    });

    test('leave the log without a gap, among messages of that moment', async () => {
      const places = await nodes(subject, subject.manyNodes ? 3 : 1);
      const here = places[0]!;
      const { seq } = await here.says(A, to(B), 'one');
      await Promise.all(
        Array.from({ length: 20 }, (_, i) => {
          const place = places[i % places.length]!;
          return i % 2 ? place.says(B, to(A), `${i}`) : amends(place, A, AB, seq, react(`${i}`));
        }),
      );
      const items = await here.items(AB);
      expect(seqsOf(items)).toEqual(Array.from({ length: 21 }, (_, i) => seq + i));
      expect(Object.keys((await messageAt(here, AB, seq)).reactions ?? {})).toHaveLength(10);
    });

    test('lose nothing, made on three nodes at the same moment: all took effect in the order of their entries', async () => {
      const places = await nodes(subject, subject.manyNodes ? 3 : 1);
      let runs = 0;
      await fc.assert(
        fc.asyncProperty(STEPS, async (steps) => {
          const [by, other] = [user(`Alice.${++runs}`), user(`Bob.${runs}`)];
          const conv = dmOf(by, other);
          const { seq } = await places[0]!.says(by, to(other), 'one');
          const before = await messageAt(places[0]!, conv, seq);
          await Promise.all(
            steps.map(({ at, by: who, change }) =>
              amends(places[at % places.length]!, who === A ? by : other, conv, seq, change),
            ),
          );
          await isSum(places[0]!, conv, seq, before, steps.length);
        }),
        { numRuns: 25 },
      );
    });

    test('end with its recall, made at the same moment: no data is left, and the recall is final', async () => {
      const places = await nodes(subject, subject.manyNodes ? 3 : 1);
      for (let i = 0; i < 10; i++) {
        const by = user(`Alice.${i}`);
        const conv = dmOf(by, B);
        const { seq } = await places[0]!.says(by, to(B), 'secret 0');
        await Promise.all([
          ...[1, 2, 3].map((n) => amendsUnlessRecalled(places[n % places.length]!, by, conv, seq, edit(`secret ${n}`))),
          amends(places[0]!, by, conv, seq, RECALL),
        ]);
        const items = await places[0]!.items(conv);
        expect(messageOf(items[0]!)).toMatchObject({ recalled: true });
        expect(items.join()).not.toContain('secret');
      }
    });
  });

  describe('a full store of messages', () => {
    test('keeps its edits only as long as its message', async () => {
      const here = await aNode(subject, { retentionMessages: 16 });
      await here.node.log.append([letter(A, EVERYBODY, 'one'), letter(C, EVERYBODY, 'two')]);
      const [, two] = seqsOf(await here.items(ALL));
      for (let i = 0; i < 12; i++) await amends(here, C, ALL, two!, edit(`${i}`));
      const { item, edits } = await here.node.amendments.original(ALL, two!);
      expect(messageOf(item!).data).toBe('11');
      expect(edits.map((each) => messageOf(each.item).data)).toEqual(Array.from({ length: 12 }, (_, i) => `${i}`));
    });
  });
}

/** The message is what the entries say, one after the other. */
async function isSum(place: Place, conv: Conv, seq: number, before: MessageFrame, count: number): Promise<void> {
  const [item, ...entries] = (await place.items(conv)).map(messageOf);
  expect(entries).toHaveLength(count);
  expect(entries.map((entry) => entry.seq)).toEqual(entries.map((_, i) => seq + 1 + i));
  const sum = entries.reduce((message, entry) => changedBy(message, entry.sender, entry as unknown as Change), before);
  expect(item).toEqual(sum);
}
