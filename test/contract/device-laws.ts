import { describe, expect, test } from 'vitest';
import type { Standing } from '../../src/chat/ports.js';
import { ALL, type Conv, DEFAULT_DEVICE, dmOf } from '../../src/protocol/index.js';
import { until } from '../support/until.js';
import {
  A,
  AB,
  aNode,
  B,
  C,
  device,
  EVERYBODY,
  inRoom,
  LAPTOP,
  LOUNGE,
  PHONE,
  type Place,
  ROOM,
  type Subject,
  textOf,
  to,
} from './town.js';

const REFUSED = { refused: 'bad_request' };

export function deviceLaws(subject: Subject): void {
  describe('a user who comes for the first time', () => {
    test('finds every direct message that was ever sent to them', async () => {
      const here = await aNode(subject);
      const { seq: fromA } = await here.says(A, to(B), 'hello');
      const { seq: fromC } = await here.says(C, to(B), 'hello');
      const { pending, ts } = await here.arrives(B);
      expect(standings(pending)).toEqual({ [AB]: [0, fromA], [dmOf(B, C)]: [0, fromC] });
      expect(Math.abs(ts - Date.now())).toBeLessThan(60_000);
    });

    test('is told how many conversations had to be looked at for that', async () => {
      const here = await aNode(subject);
      const looked = async () => (await here.node.devices.pending({ uid: B, device: DEFAULT_DEVICE }, 0)).looked;
      expect((await here.arrives(B)).looked).toBe(0);
      await here.says(A, to(B), 'hello');
      await here.says(C, to(B), 'hello');
      expect(await looked()).toBeGreaterThanOrEqual(2);
      expect((await here.arrives(B, PHONE)).looked).toBeGreaterThanOrEqual(2);
    });

    test('finds of everybody’s conversation only what comes after', async () => {
      const here = await aNode(subject);
      const { seq: before } = await here.says(A, EVERYBODY, 'before');
      const { feeds } = await here.arrives(B);
      expect(standings(feeds)).toEqual({ [ALL]: [before, before] });
      const { seq: after } = await here.says(A, EVERYBODY, 'after');
      expect(standings((await here.arrives(B)).feeds)).toEqual({ [ALL]: [before, after] });
      const { items } = await here.node.log.read(ALL, { uid: B, device: DEFAULT_DEVICE }, 10, 1e6);
      expect(items.map(textOf)).toEqual(['after']);
    });

    test('finds the first broadcast that there ever was, if it comes after', async () => {
      const here = await aNode(subject);
      expect(standings((await here.arrives(B)).feeds)).toEqual({ [ALL]: [0, 0] });
      const { seq } = await here.says(A, EVERYBODY, 'first of all');
      expect(standings((await here.arrives(B)).feeds)).toEqual({ [ALL]: [0, seq] });
    });

    test('finds a room from the entry that admitted them', async () => {
      const here = await aNode(subject);
      await here.founds(ROOM, A);
      await here.says(A, inRoom(ROOM), 'before Bob');
      const admitted = await here.joins(B, ROOM);
      const { seq: head } = await here.says(A, inRoom(ROOM), 'hello Bob');
      const { feeds } = await here.arrives(B);
      expect(standings(feeds)[LOUNGE]).toEqual([admitted - 1, head]);
    });
  });

  describe('a device', () => {
    test('finds nothing pending of what it acknowledged', async () => {
      const here = await aNode(subject);
      await here.says(A, to(B), 'one');
      const { seq } = await here.says(A, to(B), 'two');
      await here.arrives(B);
      await here.acks(B, AB, seq - 1);
      expect(await here.pendingFor(B)).toEqual(new Map([[AB, seq - 1]]));
      await here.acks(B, AB, seq);
      expect(await here.pendingFor(B)).toEqual(new Map());
      expect((await here.arrives(B)).pending).toEqual([]);
    });

    test('has a cursor of its own', async () => {
      const here = await aNode(subject);
      await here.arrives(B, PHONE);
      await here.arrives(B, LAPTOP);
      const { seq } = await here.says(A, to(B), 'hello');
      await here.acks(B, AB, seq, PHONE);
      expect(await here.pendingFor(B, PHONE)).toEqual(new Map());
      expect(await here.pendingFor(B, LAPTOP)).toEqual(new Map([[AB, 0]]));
    });

    test('that is new starts at what the other ones have acknowledged, and stays there by itself', async () => {
      const here = await aNode(subject);
      await here.arrives(B, PHONE);
      await here.says(A, to(B), 'one');
      const { seq: two } = await here.says(A, to(B), 'two');
      const { seq: three } = await here.says(A, to(B), 'three');
      await here.acks(B, AB, two, PHONE);
      const { pending } = await here.arrives(B, LAPTOP);
      expect(standings(pending)).toEqual({ [AB]: [two, three] });
      await here.acks(B, AB, three, PHONE);
      expect(await here.pendingFor(B, LAPTOP)).toEqual(new Map([[AB, two]]));
      const slice = await here.node.log.read(AB, { uid: B, device: LAPTOP }, 10, 1e6);
      expect([slice.after, ...slice.items.map(textOf)]).toEqual([two, 'three']);
    });

    test('that is new starts in everybody’s conversation and in rooms where the other ones are, too', async () => {
      const here = await aNode(subject);
      await here.founds(ROOM, A, [B]);
      await here.arrives(B, PHONE);
      const { seq: all } = await here.says(A, EVERYBODY, 'acknowledged');
      const { seq: allHead } = await here.says(A, EVERYBODY, 'not yet');
      const { seq: room } = await here.says(A, inRoom(ROOM), 'acknowledged');
      const { seq: roomHead } = await here.says(A, inRoom(ROOM), 'not yet');
      await here.acks(B, ALL, all, PHONE);
      await here.acks(B, LOUNGE, room, PHONE);
      const { feeds } = await here.arrives(B, LAPTOP);
      expect(standings(feeds)).toEqual({ [ALL]: [all, allHead], [LOUNGE]: [room, roomHead] });
    });

    test('gets what its user sent from another one', async () => {
      const here = await aNode(subject);
      await here.arrives(A, PHONE);
      await here.arrives(A, LAPTOP);
      const { seq } = await here.says(A, to(B), 'from my phone');
      await here.acks(A, AB, seq, PHONE);
      expect(await here.pendingFor(A, PHONE)).toEqual(new Map());
      expect(await here.pendingFor(A, LAPTOP)).toEqual(new Map([[AB, 0]]));
    });

    test('has its cursor in one’s notes to self like in any conversation', async () => {
      const here = await aNode(subject);
      await here.arrives(A, PHONE);
      await here.arrives(A, LAPTOP);
      const notes = dmOf(A, A);
      const { seq } = await here.says(A, to(A), 'milk');
      await here.acks(A, notes, seq, PHONE);
      expect(await here.pendingFor(A, PHONE)).toEqual(new Map());
      expect(await here.pendingFor(A, LAPTOP)).toEqual(new Map([[notes, 0]]));
    });

    test('never goes back', async () => {
      const here = await aNode(subject);
      await here.arrives(B);
      const { seq: one } = await here.says(A, to(B), 'one');
      const { seq: two } = await here.says(A, to(B), 'two');
      await here.acks(B, AB, two);
      expect(await here.acks(B, AB, one)).toEqual({});
      expect(await here.pendingFor(B)).toEqual(new Map());
      expect(await here.acks(B, AB, two)).toEqual({});
      expect(await here.pendingFor(B)).toEqual(new Map());
    });

    test('cannot acknowledge, nor its user read, what is not there', async () => {
      const here = await aNode(subject);
      await here.arrives(B);
      const { seq } = await here.says(A, to(B), 'one');
      expect(await here.acks(B, AB, seq + 1)).toEqual(REFUSED);
      expect(await here.hasRead(B, AB, seq + 1)).toEqual(REFUSED);
      expect(await here.acks(B, dmOf(B, C), 1)).toEqual(REFUSED);
      expect(await here.acks(B, ALL, 1)).toEqual(REFUSED);
      expect(await here.pendingFor(B)).toEqual(new Map([[AB, 0]]));
    });

    test('moves wholly or not at all, and each mark of many for itself', async () => {
      const here = await aNode(subject);
      await here.arrives(B);
      const { seq } = await here.says(A, to(B), 'one');
      const outcomes = await here.node.devices.mark([
        { uid: B, conv: AB, device: DEFAULT_DEVICE, delivered: seq, read: seq + 1 },
        { uid: B, conv: AB, read: seq },
        { uid: B, conv: LOUNGE, device: DEFAULT_DEVICE, delivered: 1 },
      ]);
      const receipt = { conv: AB, uid: B, delivered: 0, read: seq };
      expect(outcomes).toEqual([REFUSED, { receipt }, { refused: 'not_member' }]);
      expect(await here.pendingFor(B)).toEqual(new Map([[AB, 0]]));
    });

    test('is asked for what came since a time', async () => {
      const here = await aNode(subject);
      const reader = { uid: B, device: DEFAULT_DEVICE };
      const { ts } = await here.says(A, to(B), 'earlier');
      const since = await until(async () => {
        const now = (await here.node.devices.pending(reader, 0)).ts;
        return now > ts && now;
      }, 'the store’s clock to move');
      const { seq } = await here.says(C, to(B), 'later');
      const { pending, feeds } = await here.node.devices.pending(reader, since);
      expect(standings(pending)).toEqual({ [dmOf(B, C)]: [0, seq] });
      expect(standings(feeds)).toEqual({ [ALL]: [0, 0] });
      expect([...(await here.pendingFor(B)).keys()].sort()).toEqual([AB, dmOf(B, C)]);
    });

    test('is forgotten when there are too many newer ones', async () => {
      const here = await aNode(subject, { devices: 2 });
      await seen(here, 'oldest');
      const { seq } = await here.says(A, to(B), 'hello');
      await seen(here, 'middle');
      await here.acks(B, AB, seq, device('middle'));
      await nextMillisecond();
      await seen(here, 'newest');
      expect(standings((await here.arrives(B, device('middle'))).pending)).toEqual({});
      expect(standings((await here.arrives(B, device('oldest'))).pending)).toEqual({});
    });

    test('is not forgotten while others were away for longer, however old it is', async () => {
      const here = await aNode(subject, { devices: 2 });
      await seen(here, 'oldest');
      const { seq } = await here.says(A, to(B), 'hello');
      await seen(here, 'middle');
      await here.acks(B, AB, seq, device('middle'));
      await nextMillisecond();
      await seen(here, 'oldest');
      await seen(here, 'newest');
      expect(standings((await here.arrives(B, device('oldest'))).pending)).toEqual({ [AB]: [0, seq] });
    });
  });
}

/** A device of Bob comes and goes, later than the one before. */
async function seen(here: Place, name: string): Promise<void> {
  await here.arrives(B, device(name), `conn of ${name}`);
  await here.leaves(B, `conn of ${name}`);
  await nextMillisecond();
}

async function nextMillisecond(): Promise<void> {
  const now = Date.now();
  await until(() => Date.now() > now + 1, 'the next millisecond');
}

const standings = (all: readonly Standing[]): Record<Conv, [number, number]> =>
  Object.fromEntries(all.map(({ conv, cursor, head }) => [conv, [cursor, head]]));
