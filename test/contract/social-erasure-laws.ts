import { describe, expect, test } from 'vitest';
import { messageTail, seqOf } from '../../src/chat/item.js';
import type { RawJson } from '../../src/protocol/decode.js';
import { ALL, dmOf, type RoomId, roomConv, type Uid } from '../../src/protocol/index.js';
import { amends, edit, isMarkedRightly, listed, listOf, messageAt, messageOf, RECALL, react } from './social-town.js';
import {
  A,
  AB,
  aNode,
  B,
  C,
  EVERYBODY,
  inRoom,
  LOUNGE,
  letter,
  nodes,
  PHONE,
  type Place,
  ROOM,
  type Subject,
  seqsOf,
  textOf,
  to,
  user,
} from './town.js';

const CLUB = 'club' as RoomId;
/** One that stands on the same side of a dm with Bob as Alice does, and one that stands on the other. */
const ALIASES: readonly (readonly [string, Uid])[] = [
  ['a lower name', user('-gone')],
  ['a higher name', user('gone')],
];

export function erasureLaws(subject: Subject): void {
  describe.each(ALIASES)('a user who is erased to %s', (_, alias) => {
    const conv = dmOf(alias, B);

    test('stays for the other side under that name: same messages, same places, same marks', async () => {
      const here = await aNode(subject);
      await aLife(here);
      const before = (await here.items(AB)).map(messageOf);
      await here.node.erasure.erase(A, alias);
      const items = await here.items(conv);
      expect(items.map(messageOf)).toEqual(before.map((message) => underAlias(message, alias)));
      expect(items.every(isMarkedRightly)).toBe(true);
      const seq = seqOf(items[0]!);
      const { items: page } = await here.node.log.page(conv, { after: seq, limit: 2, bytes: 1e6, floor: 0 });
      expect(page).toEqual(items.slice(1, 3));
    });

    test('leaves the other side’s list as it was: head, read, unread, order', async () => {
      const here = await aNode(subject);
      await aLife(here);
      const before = await listOf(here, B);
      const pending = await here.pendingFor(B, PHONE);
      await here.node.erasure.erase(A, alias);
      const facts = (list: typeof before) => list.map(({ head, read, unread, at }) => ({ head, read, unread, at }));
      const after = await listOf(here, B);
      expect(facts(after)).toEqual(facts(before));
      expect(after.map((each) => each.conv)).toEqual(before.map((each) => (each.conv === AB ? conv : each.conv)));
      expect((await listed(here, B, conv))!.unread).toBe(3);
      const moved = [...pending].map(([each, cursor]) => [each === AB ? conv : each, cursor] as const);
      expect(await here.pendingFor(B, PHONE)).toEqual(new Map(moved));
    });

    test('goes on as a conversation: the next message has the next place', async () => {
      const here = await aNode(subject);
      await aLife(here);
      const { head } = (await listed(here, B, AB))!;
      await here.node.erasure.erase(A, alias);
      expect(await here.says(B, to(alias), 'are you there?')).toMatchObject({ seq: head + 1, first: false });
      expect(await listed(here, B, conv)).toMatchObject({ head: head + 1, unread: 0 });
    });

    test('leaves waiting what waits for the other side, and counts nothing as such that it wrote itself', async () => {
      const here = await aNode(subject, { pendingMessages: 4 });
      for (const uid of [A, B]) await here.arrives(uid, PHONE);
      const { seq } = await here.says(A, to(B), 'acknowledged');
      for (const text of ['one', 'two', 'three']) await here.says(A, to(B), text);
      await here.acks(B, AB, seq, PHONE);
      for (const text of ['four', 'five']) await here.says(B, to(A), text);
      await here.node.erasure.erase(A, alias);
      await here.says(alias, to(B), 'six');
      expect(await here.tries(alias, to(B), 'too many')).toEqual({ refused: 'box_full' });
      await here.acks(B, conv, seq + 1, PHONE);
      await here.says(alias, to(B), 'seven');
      expect(await here.tries(alias, to(B), 'too many')).toEqual({ refused: 'box_full' });
    });

    test('is nowhere any more: not in a log, not in a list, not in what people find when they arrive', async () => {
      const here = await aNode(subject);
      await aLife(here);
      await here.node.erasure.erase(A, alias);
      expect(await traces(here, alias)).not.toMatch(/Alice/);
    });

    test('keeps what was said in rooms and to everybody, under that name', async () => {
      const here = await aNode(subject);
      await aLife(here);
      const before = await Promise.all([LOUNGE, roomConv(CLUB), ALL].map((each) => here.items(each)));
      await here.node.erasure.erase(A, alias);
      const after = await Promise.all([LOUNGE, roomConv(CLUB), ALL].map((each) => here.items(each)));
      expect(after.map(seqsOf)).toEqual(before.map(seqsOf));
      const senders = after.flat().map((item) => messageOf(item).sender);
      expect(senders).toEqual(
        before.flat().map((item) => (messageOf(item).sender === A ? alias : messageOf(item).sender)),
      );
      const [, , joined] = after[0]!.map(messageOf);
      expect(joined!.data).toMatchObject({ event: 'joined', uid: alias, by: alias });
    });

    test('is erased once: again changes nothing', async () => {
      const here = await aNode(subject);
      await aLife(here);
      await here.node.erasure.erase(A, alias);
      const once = await traces(here, alias);
      await here.node.erasure.erase(A, alias);
      expect(await traces(here, alias)).toBe(once);
    });
  });

  describe('after a user is erased', () => {
    const [, [, alias]] = ALIASES as [unknown, (typeof ALIASES)[number]];

    test('somebody who comes by that name is new, and what they write has new places', async () => {
      const here = await aNode(subject);
      await aLife(here);
      const { head } = (await listed(here, B, AB))!;
      await here.node.erasure.erase(A, alias);
      const [presence] = await here.node.presence.online([A]);
      expect(presence).toEqual({ uid: A, online: false, lastSeen: 0 });
      const arrival = await here.arrives(A);
      expect(arrival).toMatchObject({ pending: [], receipts: [], blocks: [] });
      expect(arrival.feeds.map(({ conv }) => conv)).toEqual([ALL]);
      expect((await listOf(here, A)).map(({ conv }) => conv)).toEqual([ALL]);
      expect((await here.says(A, to(B), 'hello', 'id-1')).seq).toBeGreaterThan(head);
      expect(await here.texts(AB)).toEqual(['hello']);
      await here.joins(A, ROOM);
      expect(await here.says(A, inRoom(ROOM), 'hello', 'id-1')).toMatchObject({ dup: false });
      expect(await here.says(A, EVERYBODY, 'hello', 'id-1')).toMatchObject({ dup: false });
    });

    test('what others wrote stays as they wrote it, whatever it says', async () => {
      const here = await aNode(subject);
      const data = '{"sender":"Alice","conv":"dm:Alice:Bob","reactions":{"👍":["Alice"]},"data":"1.50"}';
      const tail = messageTail(undefined, B, to(A), data as RawJson);
      await here.node.log.append([{ ...letter(B, to(A), ''), tail }]);
      const { seq } = await here.says(B, to(A), ',"reactions":{"x":["Alice"]}}');
      await amends(here, A, AB, seq, react('1'));
      await here.node.erasure.erase(A, alias);
      const [first, second] = await here.items(dmOf(alias, B));
      expect(first).toContain(`"receiver":"${alias}","data":${data}}`);
      expect(textOf(second!)).toBe(',"reactions":{"x":["Alice"]}}');
      expect(messageOf(second!).reactions).toEqual({ '1': [alias] });
    });

    test('the other side can still change what they said, and no change was lost', async () => {
      const here = await aNode(subject);
      const { seq } = await here.says(B, to(A), 'one');
      await amends(here, B, AB, seq, edit('two'));
      await here.node.erasure.erase(A, alias);
      const conv = dmOf(alias, B);
      await amends(here, B, conv, seq, edit('three'));
      const { edits } = await here.node.amendments.original(conv, seq);
      expect(edits.map(({ item }) => textOf(item))).toEqual(['two', 'three']);
      await amends(here, B, conv, seq, RECALL);
      expect((await messageAt(here, conv, seq)).recalled).toBe(true);
    });

    test('others are as they were', async () => {
      const here = await aNode(subject);
      await aLife(here);
      const bobAndCarol = dmOf(B, C);
      await here.says(B, to(C), 'between us');
      const before = [await listed(here, C, bobAndCarol), await here.items(bobAndCarol)];
      await here.node.erasure.erase(A, alias);
      expect([await listed(here, C, bobAndCarol), await here.items(bobAndCarol)]).toEqual(before);
      expect(await here.node.blocks.blocked(B)).toContain(C);
    });

    test('a user who was never there is erased as well', async () => {
      const here = await aNode(subject);
      await here.says(B, to(C), 'hello');
      await here.node.erasure.erase(A, alias);
      expect(await here.texts(dmOf(B, C))).toEqual(['hello']);
      await here.says(B, to(A), 'into the blue');
      await here.node.erasure.erase(A, alias);
      expect(await here.texts(dmOf(alias, B))).toEqual(['into the blue']);
    });

    test('it is so on every node', async () => {
      const places = await nodes(subject, subject.manyNodes ? 2 : 1);
      await aLife(places[0]!);
      await places[0]!.node.erasure.erase(A, alias);
      const there = places.at(-1)!;
      expect(await there.items(dmOf(alias, B))).toEqual(await places[0]!.items(dmOf(alias, B)));
      expect(await there.items(AB)).toEqual([]);
    });
  });
}

/** What Alice leaves behind: said, read, changed, joined and left, blocked and banned. */
async function aLife(here: Place): Promise<void> {
  await here.arrives(A, PHONE, 'alice');
  await here.arrives(B, PHONE);
  const { seq } = await here.says(A, to(B), 'one', 'id-1');
  await here.says(B, to(A), 'two', 'id-1');
  await here.acks(A, AB, seq, PHONE);
  await here.acks(B, AB, seq, PHONE);
  await here.hasRead(B, AB, seq);
  for (const text of ['three', 'four', 'five']) await here.says(A, to(B), text);
  await amends(here, A, AB, seq, edit('one, better'), 'id-2');
  await amends(here, A, AB, seq + 1, react('👍'));
  await here.says(A, to(A), 'a note');
  await here.says(C, to(A), 'hello');

  await here.founds(ROOM, C, [B]);
  await here.joins(A, ROOM);
  const { seq: inLounge } = await here.says(B, inRoom(ROOM), 'welcome');
  await amends(here, A, LOUNGE, inLounge, react('👍'));
  await amends(here, B, LOUNGE, inLounge, react('👍'));
  await here.says(A, inRoom(ROOM), 'hello, lounge', 'id-1');
  await here.hasRead(A, LOUNGE, inLounge);
  await here.quits(A, ROOM);
  await here.founds(CLUB, C, [A]);
  await here.quits(A, CLUB);
  const { seq: broadcast } = await here.says(A, EVERYBODY, 'hello, all', 'id-1');
  await amends(here, A, ALL, broadcast, react('👍'));

  const { blocks, bans } = here.node;
  await blocks.block(A, C, true);
  await blocks.block(B, A, true);
  await blocks.block(B, C, true);
  await bans.set({ uid: A, device: PHONE }, true);
  await here.leaves(A, 'alice');
}

/** All that can be asked for, as one text. */
async function traces(here: Place, alias: Uid): Promise<string> {
  const convs = [AB, dmOf(A, A), dmOf(A, C), dmOf(alias, B), dmOf(alias, C), LOUNGE, roomConv(CLUB), ALL];
  const { blocks, bans } = here.node;
  const found: unknown[] = [await bans.all(), (await blocks.blocked(A)).length];
  for (const conv of convs) {
    const slice = await here.node.log.read(conv, 0, 1_000, 1e6);
    found.push(slice.items, slice.head > 0 && slice.origin);
  }
  for (const uid of [B, C]) {
    const { pending, feeds, receipts } = await here.arrives(uid, PHONE);
    found.push(
      pending,
      feeds,
      receipts.map((receipt) => [receipt.conv, receipt.uid]).filter(([, who]) => who !== uid),
    );
    found.push(await listOf(here, uid), (await blocks.blocked(uid)).toSorted());
    for (const room of [ROOM, CLUB]) found.push(await here.node.rooms.members(room, undefined, 100));
  }
  return JSON.stringify(found);
}

type Read = ReturnType<typeof messageOf>;

function underAlias(message: Read, alias: Uid): Read {
  const named = (uid: Uid) => (uid === A ? alias : uid);
  const { reactions, ...rest } = message;
  const reacted = Object.entries(reactions ?? {}).map(([emoji, uids]) => [emoji, uids.map(named)]);
  return {
    ...rest,
    conv: dmOf(alias, B),
    sender: named(message.sender),
    receiver: named(message.receiver!),
    ...(reactions && { reactions: Object.fromEntries(reacted) }),
  };
}
