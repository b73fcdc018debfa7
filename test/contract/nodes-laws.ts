import { describe, expect, test } from 'vitest';
import { placeOf, seqOf } from '../../src/chat/item.js';
import { ALL, DEFAULT_DEVICE, dmOf, type ReceiptFrame } from '../../src/protocol/index.js';
import { until } from '../support/until.js';
import {
  A,
  AB,
  B,
  C,
  EVERYBODY,
  inRoom,
  joining,
  LOUNGE,
  letter,
  nodes,
  PHONE,
  type Place,
  ROOM,
  type Subject,
  stored,
  textOf,
  to,
} from './town.js';

type Three = [Place, Place, Place];

/** The laws of several nodes that share one store. */
export function nodesLaws(subject: Subject): void {
  describe('a direct message', () => {
    test('is hinted to every other node that holds a side, and to no other', async () => {
      const [here, there, elsewhere] = (await nodes(subject, 3)) as Three;
      await here.arrives(A, DEFAULT_DEVICE);
      await there.arrives(B);
      await elsewhere.arrives(A, PHONE);
      await elsewhere.arrives(C);
      await here.says(A, to(B), 'to Bob');
      await there.heard.until(({ direct }) => direct.length === 1, 'the hint for Bob');
      await elsewhere.heard.until(({ direct }) => direct.length === 1, 'the hint for Alice’s phone');
      await there.says(B, to(C), 'to Carol');
      await elsewhere.heard.until(({ direct }) => direct.length === 2, 'the hint for Carol');
      await elsewhere.says(C, to(B), 'the end');
      await there.heard.until(({ direct }) => direct.length === 2, 'the end');
      expect(there.heard.direct.map(textOf)).toEqual(['to Bob', 'the end']);
      expect(elsewhere.heard.direct.map(textOf)).toEqual(['to Bob', 'to Carol']);
      expect(here.heard.direct).toEqual([]);
    });

    test('is hinted as it is stored, in the order in which it was stored', async () => {
      const [here, there] = (await nodes(subject, 2)) as Three;
      await there.arrives(B);
      const batches = Array.from({ length: 10 }, (_, i) =>
        Array.from({ length: 20 }, (_, k) => letter(A, to(B), `${i}.${k}`)),
      );
      await Promise.all(batches.map((batch) => here.node.log.append(batch)));
      await there.heard.until(({ direct }) => direct.length === 200, 'all hints');
      expect(there.heard.direct).toEqual(await here.items(AB));
    });

    test('is stored once though it comes to two nodes at the same moment', async () => {
      const [here, there] = (await nodes(subject, 2)) as Three;
      for (let i = 0; i < 20; i++) {
        const outcomes = await Promise.all([here, there].map((place) => place.says(A, to(B), `${i}`, `id-${i}`)));
        expect(outcomes.filter(({ dup }) => dup)).toHaveLength(1);
        expect(outcomes[0]?.seq).toBe(outcomes[1]?.seq);
      }
      expect(await there.texts(AB)).toEqual(Array.from({ length: 20 }, (_, i) => `${i}`));
    });

    test('is hinted once more when it is repeated: the first try may have died before its hint', async () => {
      const [here, there] = (await nodes(subject, 2)) as Three;
      await there.arrives(B);
      const { seq } = await here.says(A, to(B), 'once', 'id');
      await here.says(A, to(B), 'once', 'id');
      await there.heard.until(({ direct }) => direct.length === 2, 'both hints');
      expect(there.heard.direct.map(seqOf)).toEqual([seq, seq]);
      expect(there.heard.direct[1]).toBe(there.heard.direct[0]);
    });

    test('is no longer hinted where its reader has left', async () => {
      const [here, there] = (await nodes(subject, 2)) as Three;
      await there.arrives(B, DEFAULT_DEVICE, 'bob');
      await there.arrives(C);
      await there.leaves(B, 'bob');
      await here.says(A, to(B), 'to nobody');
      await here.says(A, to(C), 'to Carol');
      await there.heard.until(({ direct }) => direct.length === 1, 'the hint for Carol');
      expect(there.heard.direct.map((item) => placeOf(item).conv)).toEqual([dmOf(A, C)]);
    });

    test('is numbered without a gap though many nodes write', async () => {
      const places = await nodes(subject, 3);
      const batches = Array.from({ length: 30 }, (_, i) => [letter(A, to(B), `${i}`), letter(B, to(A), `${i}`)]);
      const outcomes = await Promise.all(batches.map((batch, i) => places[i % 3]!.node.log.append(batch)));
      const seqs = outcomes.flat().map((outcome) => stored(outcome).seq);
      const first = Math.min(...seqs);
      expect(seqs.toSorted((a, b) => a - b)).toEqual(seqs.map((_, i) => first + i));
    });
  });

  describe('a feed', () => {
    test('is hinted to every node that follows it; the one that stored an entry knows it by its ref', async () => {
      const [here, there, elsewhere] = (await nodes(subject, 3)) as Three;
      await here.founds(ROOM, A);
      for (const place of [here, there]) await place.node.follow(LOUNGE);
      for (const place of [here, there, elsewhere]) await place.node.follow(ALL);
      const room = letter(A, inRoom(ROOM), 'in the room');
      const all = letter(A, EVERYBODY, 'to all');
      await here.node.log.append([room, all]);
      for (const [place, count] of [
        [here, 2],
        [there, 2],
        [elsewhere, 1],
      ] as const) {
        await place.heard.until(({ feeds }) => feeds.length === count, 'its hints');
      }
      expect(refs(here)).toEqual({ [LOUNGE]: room.ref, [ALL]: all.ref });
      expect(refs(there)).toEqual({ [LOUNGE]: 0, [ALL]: 0 });
      expect(refs(elsewhere)).toEqual({ [ALL]: 0 });
    });

    test('comes to all nodes in one order', async () => {
      const [here, there] = (await nodes(subject, 2)) as Three;
      for (const place of [here, there]) await place.node.follow(ALL);
      await Promise.all(Array.from({ length: 50 }, (_, i) => [here, there][i % 2]!.says(A, EVERYBODY, `${i}`)));
      for (const place of [here, there]) await place.heard.until(({ feeds }) => feeds.length === 50, 'all hints');
      const items = await here.items(ALL);
      for (const place of [here, there]) expect(place.heard.feeds.map(({ item }) => item)).toEqual(items);
    });

    test('has its membership hinted where the member is, before the entry', async () => {
      const [here, there] = (await nodes(subject, 2)) as Three;
      await here.founds(ROOM, A);
      await there.arrives(B);
      await there.node.follow(LOUNGE);
      const seq = await here.joins(B, ROOM);
      await there.heard.until(({ feeds }) => feeds.length === 1, 'the entry');
      expect(there.heard.calls).toEqual(['membership', 'feed']);
      expect(there.heard.memberships).toEqual([{ uid: B, conv: LOUNGE, since: seq - 1 }]);
      expect(here.heard.memberships).toEqual([]);
    });

    test('is joined once though it is tried on two nodes at the same moment', async () => {
      const [here, there] = (await nodes(subject, 2)) as Three;
      await here.founds(ROOM, A);
      const outcomes = await Promise.all([here, there].map((place) => place.node.rooms.change(joining(B, ROOM))));
      expect(outcomes.filter((outcome) => outcome === 'changed')).toHaveLength(1);
    });
  });

  describe('a receipt between nodes', () => {
    test('is hinted to the other side, and to one’s own other sockets', async () => {
      const [here, there, elsewhere] = (await nodes(subject, 3)) as Three;
      await here.arrives(A);
      await there.arrives(B);
      await elsewhere.arrives(B, PHONE);
      const { seq } = await here.says(A, to(B), 'hello');
      await there.acks(B, AB, seq);
      const receipt = { type: 'receipt', conv: AB, uid: B, delivered: seq, read: 0 };
      for (const [place, uid] of [
        [here, A],
        [elsewhere, B],
      ] as const) {
        await place.heard.until(({ frames }) => frames.some((frame) => frame.uid === uid), 'the receipt');
        expect(receiptsHeard(place)).toEqual([{ uid, receipt }]);
      }
      expect(there.heard.frames).toEqual([]);
    });

    test('comes to nobody whom its user blocks, yet to one’s own other sockets', async () => {
      const [here, there, elsewhere] = (await nodes(subject, 3)) as Three;
      await here.arrives(A);
      await elsewhere.arrives(B, PHONE);
      const { seq } = await here.says(A, to(B), 'one');
      await there.node.devices.mark([{ uid: B, conv: AB, read: seq, silent: true }]);
      await elsewhere.heard.until(({ frames }) => frames.length === 1, 'the receipt of one’s own');
      const { seq: two } = await here.says(A, to(B), 'two');
      await there.node.devices.mark([{ uid: B, conv: AB, read: two }]);
      await here.heard.until(({ frames }) => frames.length > 0, 'the receipt that is not silent');
      expect(receiptsHeard(here).map(({ receipt }) => receipt.read)).toEqual([two]);
    });
  });

  describe('whoever changes the node', () => {
    test('goes on where their device was', async () => {
      const [here, there] = (await nodes(subject, 2)) as Three;
      await here.arrives(B, PHONE, 'here');
      const { seq } = await here.says(A, to(B), 'one');
      await here.acks(B, AB, seq, PHONE);
      await here.leaves(B, 'here');
      const { seq: two } = await there.says(A, to(B), 'two');
      const { pending } = await there.arrives(B, PHONE);
      expect(pending).toEqual([{ conv: AB, cursor: seq, head: two }]);
    });

    test('stays online when the old node notices late', async () => {
      const [here, there] = (await nodes(subject, 2)) as Three;
      await here.arrives(A, DEFAULT_DEVICE, 'old');
      await there.arrives(A, DEFAULT_DEVICE, 'new');
      await here.leaves(A, 'old');
      for (const place of [here, there]) {
        expect(await place.node.presence.online([A])).toMatchObject([{ uid: A, online: true }]);
      }
    });

    test('finds their poll there', async () => {
      const [here, there] = (await nodes(subject, 2)) as Three;
      const reader = { uid: A, device: PHONE };
      const poll = await here.node.devices.savePoll(reader, [[AB, 7]]);
      expect(await there.node.devices.openPoll(reader, poll)).toEqual([[AB, 7]]);
      expect(await there.node.devices.savePoll(reader, [])).toBeGreaterThan(poll);
    });

    test('meets the same secret', async () => {
      const [here, there] = (await nodes(subject, 2)) as Three;
      expect(await here.node.secret()).toBe(await there.node.secret());
    });
  });

  describe('a node among others', () => {
    test('leaves nobody online behind', async () => {
      const [here, there] = (await nodes(subject, 2)) as Three;
      await here.arrives(A);
      await there.arrives(B);
      await here.node.close();
      await until(async () => {
        const [alice, bob] = await there.node.presence.online([A, B]);
        return alice?.online === false && bob?.online === true;
      }, 'Alice to be offline and Bob not');
    });

    test('whispers to users on other nodes, and to a room on all', async () => {
      const [here, there, elsewhere] = (await nodes(subject, 3)) as Three;
      await here.arrives(B);
      await there.arrives(B);
      await there.arrives(C);
      for (const place of [here, elsewhere]) await place.node.follow(LOUNGE);
      await here.node.whispers.toUsers([B, C], '{"type":"typing","sender":"Alice"}');
      await there.heard.until(({ frames }) => frames.length === 2, 'the frame for Bob and for Carol');
      expect(new Set(there.heard.frames.map(({ uid }) => uid))).toEqual(new Set([B, C]));
      await here.node.whispers.toRoom(LOUNGE, A, '{"type":"typing","room":"lounge"}');
      for (const place of [here, elsewhere]) {
        await place.heard.until(({ roomFrames }) => roomFrames.length === 1, 'the frame for the room');
        expect(place.heard.roomFrames[0]).toMatchObject({ conv: LOUNGE, sender: A });
      }
      expect([...here.heard.frames, ...elsewhere.heard.frames, ...there.heard.roomFrames]).toEqual([]);
    });
  });
}

const refs = (place: Place): Record<string, number> =>
  Object.fromEntries(place.heard.feeds.map(({ conv, ref }) => [conv, ref]));

const receiptsHeard = (place: Place): { uid: string; receipt: ReceiptFrame }[] =>
  place.heard.frames.map(({ uid, frame }) => ({ uid, receipt: JSON.parse(frame) as ReceiptFrame }));
