import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seqOf } from '../../src/chat/item.js';
import { ALL, type Conv, dmOf, sidesOf, type Uid } from '../../src/protocol/index.js';
import { until } from '../support/until.js';
import {
  A,
  AB,
  aNode,
  B,
  EVERYBODY,
  inRoom,
  LOUNGE,
  letter,
  PHONE,
  type Place,
  ROOM,
  type Subject,
  seqsOf,
  stored,
  textOf,
  to,
  user,
} from './town.js';

const KEPT = 32;
/** A log is trimmed when it is a sixteenth, at most 64 entries, over what it keeps. */
const SLACK = 2;
const LIMITS = { retentionMessages: KEPT, pendingMessages: 50 };

export function retentionLaws(subject: Subject): void {
  describe('retention', () => {
    test('keeps the newest entries of a room, of everybody, and of an acknowledged dm', async () => {
      const here = await aNode(subject, LIMITS);
      await here.founds(ROOM, A);
      for (let i = 0; i < 100; i++) {
        await here.node.log.append([letter(A, inRoom(ROOM), `${i}`), letter(A, EVERYBODY, `${i}`)]);
        const { seq } = await here.says(A, to(B), `${i}`);
        await here.acks(B, AB, seq);
      }
      for (const conv of [LOUNGE, ALL, AB]) {
        const texts = await here.texts(conv);
        expect(texts.length).toBeGreaterThanOrEqual(KEPT);
        expect(texts.length).toBeLessThanOrEqual(KEPT + SLACK + 1);
        expect(texts).toEqual(Array.from(texts, (_, i) => `${100 - texts.length + i}`));
      }
    });

    test('says up to where a log is gone, and why', async () => {
      const here = await aNode(subject, LIMITS);
      const { seq: origin } = await here.says(A, EVERYBODY, '0');
      for (let i = 1; i < 100; i++) await here.says(A, EVERYBODY, `${i}`);
      const slice = await here.node.log.read(ALL, 0, 10, 1e6);
      expect(slice).toMatchObject({ origin, head: origin + 99, goneBy: 'retention', after: 0 });
      expect(slice.gone).toBe(seqOf(slice.items[0]!) - 1);
      expect(slice.gone).toBeGreaterThanOrEqual(origin + 100 - KEPT - SLACK - 2);
      const late = await here.node.log.read(ALL, origin + 98, 10, 1e6);
      expect(late).toMatchObject({ origin, gone: slice.gone, after: origin + 98 });
      expect(late.items.map(textOf)).toEqual(['99']);
    });

    test('shows no more of a trimmed log to who pages back to its beginning', async () => {
      const here = await aNode(subject, LIMITS);
      for (let i = 0; i < 100; i++) await here.says(A, EVERYBODY, `${i}`);
      const [oldest] = await here.items(ALL);
      const page = { limit: 10, bytes: 1e6, floor: 0 };
      expect(await here.node.log.page(ALL, { ...page, before: seqOf(oldest!) })).toEqual({ items: [], more: false });
      expect(await here.node.log.page(ALL, { ...page, before: seqOf(oldest!) + 1 })).toEqual({
        items: [oldest],
        more: false,
      });
      const { items, more } = await here.node.log.page(ALL, { ...page, after: 0 });
      expect([items[0], more]).toEqual([oldest, true]);
    });

    test('never takes what is pending for its receiver, however much comes after it', async () => {
      const here = await aNode(subject, LIMITS);
      await here.arrives(A);
      await here.says(A, to(B), 'still unread');
      for (let i = 0; i < 2 * KEPT; i++) {
        const { seq } = await here.says(B, to(A), `${i}`);
        await here.acks(A, AB, seq);
      }
      const slice = await here.node.log.read(AB, 0, 1, 1e6);
      expect(slice.items.map(textOf)).toEqual(['still unread']);
      expect(slice.gone).toBe(0);
      await here.acks(B, AB, slice.head);
      await here.says(B, to(A), 'last');
      expect(await here.texts(AB)).not.toContain('still unread');
    });

    test('keeps a full box beyond what it keeps anyway', async () => {
      const here = await aNode(subject, { ...LIMITS, retentionMessages: 4 });
      await here.arrives(B);
      for (let i = 0; i < 50; i++) await here.says(A, to(B), `${i}`);
      expect(await here.tries(A, to(B), 'too many')).toEqual({ refused: 'box_full' });
      expect(await here.texts(AB)).toHaveLength(50);
    });

    test('keeps as many beyond what is pending', async () => {
      const here = await aNode(subject, LIMITS);
      await here.arrives(B);
      for (let i = 0; i < 60; i++) {
        const { seq } = await here.says(A, to(B), `had ${i}`);
        await here.acks(B, AB, seq);
      }
      for (let i = 0; i < 20; i++) await here.says(A, to(B), `pending ${i}`);
      const { length } = await here.items(AB);
      expect(length).toBeGreaterThanOrEqual(KEPT + 20);
      expect(length).toBeLessThanOrEqual(KEPT + 20 + SLACK + 1);
    });

    test('does not wait for a further device that lags behind', async () => {
      const here = await aNode(subject, LIMITS);
      await here.arrives(B);
      await here.arrives(B, PHONE);
      for (let i = 0; i < 100; i++) {
        const { seq } = await here.says(A, to(B), `${i}`);
        await here.acks(B, AB, seq);
      }
      const slice = await here.node.log.read(AB, { uid: B, device: PHONE }, 10, 1e6);
      expect(slice.after).toBe(0);
      expect(slice.gone).toBeGreaterThan(slice.origin);
      expect(seqOf(slice.items[0]!)).toBe(slice.gone + 1);
    });
  });

  describe('time', () => {
    test('takes a log that was idle for too long, pending or not, and says so', async () => {
      const here = await aNode(subject, { retentionMs: 300, pendingMessages: 2 });
      await here.arrives(B);
      const { seq: origin } = await here.says(A, to(B), '0');
      const { seq: head } = await here.says(A, to(B), '1');
      const expired = await until(async () => {
        const slice = await here.node.log.read(AB, 0, 10, 1e6);
        return slice.items.length === 0 && slice;
      }, 'the log to expire');
      expect(expired).toMatchObject({ head, origin, gone: head, goneBy: 'expired' });
      expect(await here.pendingFor(B)).toEqual(new Map([[AB, 0]]));
      const { seq } = await here.says(A, to(B), '2');
      expect(seq).toBeGreaterThan(head);
      await here.says(A, to(B), '3');
    });
  });

  describe('any history of a dm', () => {
    let talks = 0;

    test('reads, in slices of any size, as what was stored and not trimmed', async () => {
      const here = await aNode(subject, { retentionMessages: 16, pendingMessages: 8 });
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { minLength: 1, maxLength: 80 }),
          fc.integer({ min: 1, max: 20 }),
          (steps, size) => holds(here, steps, size, ++talks),
        ),
        { numRuns: 25 },
      );
    });
  });
}

type Step =
  | { readonly kind: 'send'; readonly byFirst: boolean; readonly id: string | undefined }
  | { readonly kind: 'ack'; readonly byFirst: boolean; readonly part: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('send' as const),
      byFirst: fc.boolean(),
      id: fc.option(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { nil: undefined }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('ack' as const),
      byFirst: fc.boolean(),
      part: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
  },
);

type Entry = { readonly seq: number; readonly sender: Uid; readonly text: string };

/** What a dm should be: every entry that was ever stored, its ids, and how far each side has it. */
type Model = { readonly entries: Entry[]; readonly ids: Map<string, number>; readonly floors: Map<Uid, number> };

const isPending = (model: Model, receiver: Uid, entry: Entry): boolean =>
  entry.sender !== receiver && entry.seq > (model.floors.get(receiver) ?? 0);

async function holds(here: Place, steps: readonly Step[], size: number, talk: number): Promise<void> {
  const sides = [user(`Ann${talk}`), user(`Ben${talk}`)] as const;
  const conv = dmOf(...sides);
  const model: Model = { entries: [], ids: new Map(), floors: new Map() };
  for (const uid of sides) await here.arrives(uid);
  for (const [i, step] of steps.entries()) {
    const [one, other] = step.byFirst ? sides : ([sides[1], sides[0]] as const);
    if (step.kind === 'send') await send(here, model, one, other, `${i}`, step.id);
    else await acknowledge(here, model, one, conv, step.part);
  }
  await comesBackWhole(here, model, conv, size);
}

async function send(here: Place, model: Model, sender: Uid, receiver: Uid, text: string, id?: string): Promise<void> {
  const outcome = await here.tries(sender, to(receiver), text, id);
  const known = id === undefined ? undefined : model.ids.get(`${sender} ${id}`);
  if (known !== undefined) return expect(outcome).toMatchObject({ seq: known, dup: true });
  const pending = model.entries.filter((entry) => isPending(model, receiver, entry));
  if (pending.length >= 8) return expect(outcome).toEqual({ refused: 'box_full' });
  const { seq, dup } = stored(outcome);
  const last = model.entries.at(-1);
  expect(dup).toBe(false);
  if (last !== undefined) expect(seq).toBe(last.seq + 1);
  model.entries.push({ seq, sender, text });
  if (id !== undefined) model.ids.set(`${sender} ${id}`, seq);
}

async function acknowledge(here: Place, model: Model, uid: Uid, conv: Conv, part: number): Promise<void> {
  const entry = model.entries[Math.floor(part * (model.entries.length - 1))];
  if (entry === undefined) return;
  await here.acks(uid, conv, entry.seq);
  model.floors.set(uid, Math.max(entry.seq, model.floors.get(uid) ?? 0));
}

async function comesBackWhole(here: Place, model: Model, conv: Conv, size: number): Promise<void> {
  const head = model.entries.at(-1)?.seq ?? 0;
  const { gone } = await here.node.log.read(conv, 0, 1, 1e6);
  const items = [];
  for (let after = 0; after < head; ) {
    const slice = await here.node.log.read(conv, after, size, 1e6);
    expect(slice).toMatchObject({ head, gone, origin: model.entries[0]?.seq });
    expect(slice.items.length).toBeGreaterThan(0);
    items.push(...slice.items);
    after = seqOf(slice.items.at(-1)!);
  }
  const left = model.entries.filter((entry) => entry.seq > gone);
  expect(seqsOf(items)).toEqual(left.map(({ seq }) => seq));
  expect(items.map(textOf)).toEqual(left.map(({ text }) => text));
  expect(left.length).toBeGreaterThanOrEqual(Math.min(16, model.entries.length));
  const [one, other] = sidesOf(conv);
  const pending = model.entries.filter((entry) => isPending(model, entry.sender === one ? other : one, entry));
  for (const entry of pending) expect(entry.seq).toBeGreaterThan(gone);
}
