import { describe, expect, test } from 'vitest';
import { hasMark, itemOf, MARK, seqOf } from '../../src/chat/item.js';
import { ALL, dmOf, type RoomId, roomConv } from '../../src/protocol/index.js';
import { amending, amendment, amends, edit, messageAt, messageOf, RECALL, react } from './social-town.js';
import {
  A,
  AB,
  aNode,
  B,
  C,
  EVERYBODY,
  inRoom,
  LOUNGE,
  ROOM,
  type Subject,
  seqsOf,
  stored,
  textOf,
  to,
} from './town.js';

export function amendmentLaws(subject: Subject): void {
  describe('who changes a message', () => {
    test('replaces what is read of it afterwards, where it stands, and nothing else', async () => {
      const here = await aNode(subject);
      const { seq, ts } = await here.says(A, to(B), 'helo');
      await here.says(B, to(A), 'pardon?');
      const [, between] = await here.items(AB);
      await amends(here, A, AB, seq, edit('hello "there" 👍'));
      const [first, second] = await here.items(AB);
      expect(messageOf(first!)).toMatchObject({ seq, ts, sender: A, data: 'hello "there" 👍', edited: true });
      expect(second).toBe(between);
      const { items } = await here.node.log.page(AB, { before: seq + 1, limit: 10, bytes: 1e6, floor: 0 });
      expect(items).toEqual([first]);
      expect((await here.node.amendments.original(AB, seq)).item).toBe(first);
    });

    test('stores the very item that was computed', async () => {
      const here = await aNode(subject);
      const { seq } = await here.says(A, to(B), 'one');
      const { item: was } = await here.node.amendments.original(AB, seq);
      const becomes = was!.replace('"one"', '{"__proto__":[1.50,"\\u0000","1.76e+15"],"é":"𝒜 % %1 $& \\\\"}');
      const letter = amending(A, AB, seq, edit('x'));
      await here.node.amendments.amend({ letter, op: 'edit', ref: seq, replace: [{ seq, was: was!, becomes }] });
      expect((await here.items(AB))[0]).toBe(becomes);
    });

    test('gets an entry of its own that says so, marked, next in the log', async () => {
      const here = await aNode(subject);
      const { seq } = await here.says(A, to(B), 'helo');
      const original = await here.node.amendments.original(AB, seq);
      const change = amendment(B, AB, seq, original, react('👍'), 'r"1\\');
      const outcome = stored((await here.node.amendments.amend(change)) as never);
      expect(outcome).toMatchObject({ seq: seq + 1, dup: false, first: false, readMoved: true });
      const item = (await here.items(AB)).at(-1)!;
      expect(item).toBe(itemOf(MARK.op | MARK.greater, AB, seq + 1, outcome.ts, change.letter.tail));
      expect(messageOf(item)).toMatchObject({ id: 'r"1\\', sender: B, receiver: A, op: 'react', ref: seq, on: true });
      expect(await here.node.log.heads([AB])).toEqual([seq + 1]);
    });

    test('withdraws it wholly: neither it nor its edits keep their data', async () => {
      const here = await aNode(subject);
      const { seq } = await here.says(A, to(B), 'secret 1');
      await here.says(A, to(B), 'public');
      await amends(here, A, AB, seq, edit('secret 2'));
      await amends(here, A, AB, seq, edit('secret 3'));
      await amends(here, A, AB, seq, RECALL);
      const items = await here.items(AB);
      expect(messageOf(items[0]!)).toMatchObject({ seq, recalled: true });
      expect(items.map((item) => messageOf(item).op)).toEqual([undefined, undefined, 'edit', 'edit', 'recall']);
      expect(items.join()).not.toContain('secret');
      expect(textOf(items[1]!)).toBe('public');
    });

    test('reacts, and takes that back; others’ reactions stay', async () => {
      const here = await aNode(subject);
      const { seq } = await here.says(A, to(B), 'hello');
      await amends(here, B, AB, seq, react('👍'));
      await amends(here, A, AB, seq, react('👍'));
      await amends(here, A, AB, seq, react('"\\'));
      await amends(here, B, AB, seq, react('👍', false));
      expect((await messageAt(here, AB, seq)).reactions).toEqual({ '👍': [A], '"\\': [A] });
    });

    test('does so in rooms and in everybody’s conversation as well', async () => {
      const here = await aNode(subject);
      await here.founds(ROOM, A, [B]);
      const { seq: room } = await here.says(A, inRoom(ROOM), 'helo');
      const { seq: all } = await here.says(A, EVERYBODY, 'helo');
      await amends(here, A, LOUNGE, room, edit('hello'));
      await amends(here, B, ALL, all, react('👍'));
      expect(await messageAt(here, LOUNGE, room)).toMatchObject({ data: 'hello', edited: true });
      expect(await messageAt(here, ALL, all)).toMatchObject({ data: 'helo', reactions: { '👍': [B] } });
      expect(hasMark((await here.items(ALL)).at(-1)!, MARK.op)).toBe(true);
    });

    test('has read the conversation up to there', async () => {
      const here = await aNode(subject);
      const { seq } = await here.says(A, to(B), 'one');
      await here.says(A, to(B), 'two');
      expect(await amends(here, B, AB, seq, react('👍'))).toMatchObject({ readMoved: true });
      expect(await here.says(B, to(A), 'three')).toMatchObject({ readMoved: false });
    });

    test('makes it pending for a device that had everything', async () => {
      const here = await aNode(subject);
      await here.arrives(B);
      const { seq } = await here.says(A, to(B), 'helo');
      await here.acks(B, AB, seq);
      await amends(here, A, AB, seq, edit('hello'));
      expect(await here.pendingFor(B)).toEqual(new Map([[AB, seq]]));
      await here.acks(B, AB, seq + 1);
      expect(await here.pendingFor(B)).toEqual(new Map());
    });

    test('is heard where the room is followed, as of a message', async () => {
      const here = await aNode(subject);
      await here.founds(ROOM, A);
      const { seq } = await here.says(A, inRoom(ROOM), 'helo');
      await here.node.follow(LOUNGE);
      const original = await here.node.amendments.original(LOUNGE, seq);
      const change = amendment(A, LOUNGE, seq, original, edit('hello'));
      await here.node.amendments.amend(change);
      await here.heard.until(({ feeds }) => feeds.length === 1, 'the hint');
      expect(here.heard.feeds).toEqual([
        { conv: LOUNGE, item: (await here.items(LOUNGE)).at(-1), ref: change.letter.ref },
      ]);
    });

    test('must be a member of the room, which must be there', async () => {
      const here = await aNode(subject);
      await here.founds(ROOM, A);
      const { seq } = await here.says(A, inRoom(ROOM), 'hello');
      const original = await here.node.amendments.original(LOUNGE, seq);
      const before = await here.items(LOUNGE);
      const by = (uid: typeof A) => amendment(uid, LOUNGE, seq, original, react('👍'));
      expect(await here.node.amendments.amend(by(B))).toEqual({ refused: 'not_member' });
      expect(await here.items(LOUNGE)).toEqual(before);
      const nowhere = roomConv('nowhere' as RoomId);
      const change = { ...by(A), letter: amending(A, nowhere, seq, react('👍')), replace: [] };
      expect(await here.node.amendments.amend(change)).toEqual({ refused: 'not_found' });
      expect(await here.node.log.heads([nowhere])).toEqual([0]);
    });
  });

  describe('a message that changed since it was read', () => {
    test('is not changed on what it was: nothing is stored', async () => {
      const here = await aNode(subject);
      const { amendments } = here.node;
      const { seq } = await here.says(A, to(B), 'one');
      const original = await amendments.original(AB, seq);
      await amends(here, B, AB, seq, react('👍'));
      const before = await here.items(AB);
      expect(await amendments.amend(amendment(A, AB, seq, original, edit('two'), 'id'))).toBe('changed');
      expect(await here.items(AB)).toEqual(before);
      expect(await amends(here, A, AB, seq, edit('two'), 'id')).toMatchObject({ seq: seq + 2, dup: false });
      expect(await messageAt(here, AB, seq)).toMatchObject({ data: 'two', reactions: { '👍': [B] } });
    });

    test('is left alone though only one of several items changed', async () => {
      const here = await aNode(subject);
      const { amendments } = here.node;
      const { seq } = await here.says(A, to(B), 'one');
      await amends(here, A, AB, seq, edit('two'));
      const before = await here.items(AB);
      const change = amendment(A, AB, seq, await amendments.original(AB, seq), RECALL);
      const [message, edited] = change.replace;
      const stale = { ...edited!, was: `${edited!.was} ` };
      expect(await amendments.amend({ ...change, replace: [message!, stale] })).toBe('changed');
      expect(await here.items(AB)).toEqual(before);
    });

    test('may be gone: there is nothing to read, and nothing to replace', async () => {
      const here = await aNode(subject, { retentionMessages: 4 });
      const { amendments } = here.node;
      const { seq } = await here.says(A, EVERYBODY, 'one');
      await amends(here, A, ALL, seq, edit('two'));
      const original = await amendments.original(ALL, seq);
      for (let i = 0; i < 20; i++) await here.says(A, EVERYBODY, `${i}`);
      const head = await here.node.log.heads([ALL]);
      expect(await amendments.original(ALL, seq)).toEqual({ item: undefined, edits: [] });
      expect(await amendments.amend(amendment(A, ALL, seq, original, edit('three')))).toBe('changed');
      expect(await here.node.log.heads([ALL])).toEqual(head);
    });

    test('was never there: nothing is read', async () => {
      const here = await aNode(subject);
      const { seq } = await here.says(A, to(B), 'one');
      const nothing = { item: undefined, edits: [] };
      for (const at of [1, seq - 1, seq + 1]) {
        expect(await here.node.amendments.original(AB, at)).toEqual(nothing);
      }
      expect(await here.node.amendments.original(dmOf(A, C), seq)).toEqual(nothing);
    });
  });

  describe('the edits of a message', () => {
    test('are found with it, in order: those of that message, and nothing but edits', async () => {
      const here = await aNode(subject);
      const { seq: one } = await here.says(A, to(B), 'one');
      const { seq: two } = await here.says(A, to(B), 'two');
      const first = await amends(here, A, AB, one, edit('one, better'));
      await amends(here, B, AB, one, react('👍'));
      const second = await amends(here, A, AB, two, edit('two, better'));
      const third = await amends(here, A, AB, one, edit('one, best'));
      const byOf = async (seq: number) => (await here.node.amendments.original(AB, seq)).edits;
      const items = new Map((await here.items(AB)).map((item) => [seqOf(item), item]));
      expect(await byOf(one)).toEqual([first, third].map(({ seq }) => ({ seq, item: items.get(seq) })));
      expect(await byOf(two)).toEqual([{ seq: second.seq, item: items.get(second.seq) }]);
      expect(await byOf(first.seq)).toEqual([]);
    });
  });

  describe('a change with an id', () => {
    test('is stored once; its repetition is answered first of all, however stale', async () => {
      const here = await aNode(subject);
      const { amendments } = here.node;
      const { seq } = await here.says(A, to(B), 'one');
      const change = amendment(A, AB, seq, await amendments.original(AB, seq), edit('two'), 'id');
      const first = stored((await amendments.amend(change)) as never);
      await amends(here, A, AB, seq, edit('three'));
      const before = await here.items(AB);
      expect(await amendments.amend(change)).toMatchObject({ seq: first.seq, ts: first.ts, dup: true });
      expect(await here.items(AB)).toEqual(before);
    });

    test('is answered as known to who has left the room since', async () => {
      const here = await aNode(subject);
      await here.founds(ROOM, A, [B]);
      const { seq } = await here.says(B, inRoom(ROOM), 'one');
      const first = await amends(here, B, LOUNGE, seq, edit('two'), 'id');
      await here.quits(B, ROOM);
      expect(await amends(here, B, LOUNGE, seq, edit('two'), 'id')).toMatchObject({ seq: first.seq, dup: true });
    });

    test('shares its ids with the messages of its sender, and with nobody else’s', async () => {
      const here = await aNode(subject);
      const { seq } = await here.says(A, to(B), 'one', 'id');
      expect(await amends(here, A, AB, seq, edit('two'), 'id')).toMatchObject({ seq, dup: true });
      const { seq: reaction } = await amends(here, B, AB, seq, react('👍'), 'id');
      expect(await here.says(B, to(A), 'three', 'id')).toMatchObject({ seq: reaction, dup: true });
      expect(seqsOf(await here.items(AB))).toEqual([seq, seq + 1]);
      expect((await messageAt(here, AB, seq)).data).toBe('one');
    });

    test('is stored once though it comes five times at the same moment', async () => {
      const here = await aNode(subject);
      const { seq } = await here.says(A, to(B), 'one');
      const tries = Array.from({ length: 5 }, () => amends(here, A, AB, seq, edit('two'), 'id'));
      const outcomes = await Promise.all(tries);
      expect(outcomes.filter(({ dup }) => !dup)).toHaveLength(1);
      expect(seqsOf(await here.items(AB))).toEqual([seq, seq + 1]);
    });
  });
}
