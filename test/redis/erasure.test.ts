import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { seqOf } from '../../src/chat/item.js';
import { ALL, dmOf, roomConv, type Uid } from '../../src/protocol/index.js';
import { parseKey } from '../../src/redis/key-names.js';
import { KEYS, keysOf } from '../../src/redis/keys.js';
import { amends, edit, isMarkedRightly, listed, messageOf, react } from '../contract/social-town.js';
import {
  B,
  C,
  EVERYBODY,
  inRoom,
  letter,
  PHONE,
  type Place,
  ROOM,
  seqsOf,
  textOf,
  to,
  user,
} from '../contract/town.js';
import { RedisServer } from '../support/redis.js';
import { everything, socialTown } from './social-town.js';

let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start({ appendonly: 'no' });
});
afterAll(() => server.stop());

/** A name that is special wherever names might be patterns. */
const X = user('Ünal.+-@1');
const XB = dmOf(X, B);
const ALIASES = ['-gone', 'ß-gone'].map(user);
const CLUB = 'club' as typeof ROOM;

/** Leaves a trace in every kind of key that knows of users. */
async function aLife(here: Place, there: Place): Promise<void> {
  await here.arrives(X, PHONE, 'x');
  await there.arrives(B, PHONE, 'b');
  await there.arrives(C, PHONE, 'c');
  const { seq } = await here.says(X, to(B), 'one', 'id: "1"');
  await there.says(B, to(X), 'two', 'id: "2"');
  await amends(here, X, XB, seq, edit('one, better'), 'id: 3');
  await amends(there, B, XB, seq, react('"👍'));
  await here.node.devices.mark([{ uid: X, conv: XB, device: PHONE, delivered: seq, read: seq, silent: true }]);
  await there.node.devices.mark([{ uid: B, conv: XB, device: PHONE, delivered: seq, read: seq, silent: true }]);
  await there.node.devices.savePoll({ uid: B, device: PHONE }, [
    [ALL, 1],
    [XB, seq],
  ]);
  await here.node.devices.savePoll({ uid: X, device: PHONE }, [[XB, seq]]);
  await here.says(X, to(X), 'a note', 'note');
  await here.says(X, to(user('stranger')), 'is anybody there?');
  await there.says(C, to(user('stranger')), 'hello');
  await there.node.blocks.block(B, X, true);
  await here.node.blocks.block(X, C, true);
  await here.node.bans.set({ uid: X, tokenId: 't' }, true);
  await here.node.bans.set({ uid: C }, true);
  const inLounge = (await here.founds(ROOM, X, [B])) && (await there.says(B, inRoom(ROOM), 'hello')).seq;
  await amends(here, X, roomConv(ROOM), inLounge, react('👍'));
  await amends(there, B, roomConv(ROOM), inLounge, react('👍'));
  await here.says(X, inRoom(ROOM), 'hello', 'id');
  await here.acks(X, roomConv(ROOM), inLounge, PHONE);
  await here.founds(CLUB, C, [X, B]);
  await here.says(X, EVERYBODY, 'hello', 'id');
}

const isOfNobody = (lines: readonly string[]): boolean => lines.every((line) => !line.includes(X));

describe('after a user is erased, with all that is in Redis', () => {
  test.each(ALIASES)('no key and no value holds the name (to %s)', async (alias) => {
    const { places, root } = await socialTown(server, 2);
    const [here, there] = [places[0]!, places[1]!];
    await aLife(here, there);
    expect(isOfNobody(await everything(server, root))).toBe(false);
    await there.node.erasure.erase(X, alias);
    const lines = await everything(server, root);
    expect(lines.filter((line) => line.includes(X))).toEqual([]);
    await there.node.erasure.erase(X, alias);
    expect(await everything(server, root)).toEqual(lines);
  });

  test.each(ALIASES)('the other side has kept all of it (%s)', async (alias) => {
    const { places } = await socialTown(server, 2);
    const [here, there] = [places[0]!, places[1]!];
    await aLife(here, there);
    const conv = dmOf(alias, B);
    const before = await listed(there, B, XB);
    const poll = await there.node.devices.savePoll({ uid: B, device: PHONE }, [[XB, before!.head]]);
    const seqs = seqsOf(await here.items(XB));
    await here.node.erasure.erase(X, alias);
    const items = await there.items(conv);
    expect(seqsOf(items)).toEqual(seqs);
    expect(items.every(isMarkedRightly)).toBe(true);
    expect(new Set(items.map((item) => messageOf(item).sender))).toEqual(new Set([alias, B]));
    const { last: _, ...facts } = before!;
    expect(await listed(there, B, conv)).toMatchObject({ ...facts, conv });
    expect(await there.node.devices.openPoll({ uid: B, device: PHONE }, poll)).toEqual([[conv, before!.head]]);
    expect(await there.says(B, to(alias), 'two', 'id: "2"')).toMatchObject({ dup: true, seq: seqs[1] });
    const { edits } = await there.node.amendments.original(conv, seqs[0]!);
    expect(edits.map(({ item }) => textOf(item))).toEqual(['one, better']);
    const { blocks } = await there.arrives(B, PHONE);
    expect(blocks).toEqual([alias]);
    expect(await here.node.bans.all()).toEqual([{ uid: C }]);
    expect((await here.node.rooms.facts(ROOM, [X])).asked[0]?.role).toBeUndefined();
  });
});

describe('erasing', () => {
  const [alias] = ALIASES as [Uid];

  test('takes logs of many thousand entries in parts, and misses none', async () => {
    const { places, root } = await socialTown(server, 1, { pendingMessages: 5_000, retentionMessages: 5_000 });
    const here = places[0]!;
    for (let i = 0; i < 3_000; i += 500) {
      const numbers = Array.from({ length: 500 }, (_, k) => i + k);
      await here.node.log.append(numbers.map((n) => letter(n % 3 ? B : X, to(n % 3 ? X : B), `${n}`)));
      await here.node.log.append(numbers.map((n) => letter(n % 3 ? B : X, EVERYBODY, `${n}`)));
    }
    await here.node.erasure.erase(X, alias);
    expect(isOfNobody(await everything(server, root))).toBe(true);
    const texts = Array.from({ length: 3_000 }, (_, n) => `${n}`);
    for (const conv of [dmOf(alias, B), ALL]) {
      const items = await here.items(conv);
      expect(items.map(textOf)).toEqual(texts);
      expect(items.map((item) => messageOf(item).sender)).toEqual(texts.map((_, n) => (n % 3 ? B : alias)));
    }
  }, 20_000);

  test('looks at all of a large store', async () => {
    const { places, root, keys } = await socialTown(server, 1);
    const here = places[0]!;
    await server.ask(async (client) => {
      for (let i = 0; i < 20_000; i += 2_000) {
        const pipeline = client.pipeline();
        for (let k = i; k < i + 2_000; k++) pipeline.sadd(keys.blocks(`user${k}`), X);
        await pipeline.exec();
      }
    });
    await here.node.erasure.erase(X, alias);
    expect(isOfNobody(await everything(server, root))).toBe(true);
    expect(await here.node.blocks.blocked(user('user19999'))).toEqual([alias]);
  }, 20_000);

  test('loses no message and no change that the other side makes at that moment', async () => {
    const { places } = await socialTown(server, 2);
    const [here, there] = [places[0]!, places[1]!];
    await here.arrives(X);
    const { seq } = await here.says(X, to(B), 'first');
    let isOver = false;
    const said: number[] = [];
    const goesOn = async () => {
      while (!isOver) {
        said.push((await there.says(B, to(X), 'more')).seq);
        await there.node.amendments.original(XB, seq).then(async ({ item }) => {
          if (item !== undefined) await amends(there, B, XB, seq, react(`${said.length}`)).catch(onlyGone);
        });
      }
    };
    const going = goesOn();
    try {
      await here.node.erasure.erase(X, alias);
    } finally {
      isOver = true;
      await going;
    }
    // What came after the conversation had moved began a new one, which is erased as well.
    await here.node.erasure.erase(X, alias);
    const items = await there.items(dmOf(alias, B));
    const kept = items.filter((item) => messageOf(item).op === undefined).map(seqOf);
    expect(kept).toEqual([seq, ...said]);
    expect(items.map(seqOf)).toEqual(items.map(seqOf).toSorted((one, other) => one - other));
    expect((await listed(there, B, dmOf(alias, B)))?.head).toBe(items.map(seqOf).at(-1));
    expect(await listed(there, B, XB)).toBeUndefined();
  });

  test('to somebody who is the other side, or whose conversation goes on, does not happen', async () => {
    const { places } = await socialTown(server, 1);
    const here = places[0]!;
    await here.says(X, to(B), 'hello');
    await expect(here.node.erasure.erase(X, B)).rejects.toThrow('other side');
    await here.says(C, to(B), 'hello');
    await expect(here.node.erasure.erase(X, C)).rejects.toThrow('already');
    expect(await here.texts(XB)).toEqual(['hello']);
  });
});

test('a key is read as it was made', () => {
  const keys = keysOf('x{p0}') as unknown as Record<string, (...names: string[]) => string>;
  const NAMES: Record<string, string> = { conv: XB, id: 'a: b:c', uid: X, sender: B };
  for (const [kind, names] of Object.entries(KEYS) as [keyof typeof KEYS, readonly string[]][]) {
    const expected = names.map((name) => [name, NAMES[name] ?? name] as const);
    const key = keys[kind]!(...expected.map(([, value]) => value));
    expect(parseKey('x{p0}', key)).toEqual({ kind, names: new Map(expected) });
  }
  for (const other of ['y{p0}:box:A', 'x{p0}:toString:A', 'x{p0}']) expect(parseKey('x{p0}', other)).toBeUndefined();
});

/** The message moved between two looks at it. */
function onlyGone(error: unknown): void {
  if (!(error instanceof TypeError)) throw error;
}
