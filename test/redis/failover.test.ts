import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { TcpProxy } from '../../loadtest/chaos/tcp-proxy.js';
import { hasMark, MARK, seqOf } from '../../src/chat/item.js';
import { Unavailable } from '../../src/chat/ports.js';
import { ALL, DEFAULT_DEVICE, dmOf, roomConv, type Uid } from '../../src/protocol/index.js';
import type { RedisBackendOptions } from '../../src/redis/backend.js';
import { amends, edit, isMarkedRightly, listed, messageOf, react } from '../contract/social-town.js';
import {
  A,
  AB,
  B,
  C,
  EVERYBODY,
  inRoom,
  LOUNGE,
  letter,
  PHONE,
  Place,
  ROOM,
  seqsOf,
  stored,
  textOf,
  to,
  user,
} from '../contract/town.js';
import { Failover } from '../support/failover.js';
import { Recorder } from '../support/recorder.js';
import { Notes, RedisNodes } from '../support/redis-node.js';
import { until } from '../support/until.js';

const RETURN_MS = 15_000;
const D = user('Dave');
const PROBE = user('Probe');
const CLUB = 'club' as typeof ROOM;

let pair: Failover;
beforeEach(async () => {
  pair = await Failover.ready();
});
afterEach(() => pair.closes());

type Noted = { readonly place: Place; readonly notes: Notes };

/** `urls`: where a node finds its Redis, if not where all do. */
async function noted(
  count: number,
  options: Partial<RedisBackendOptions> = {},
  urls: readonly (string | undefined)[] = [],
): Promise<Noted[]> {
  const nodes = new RedisNodes(pair.primary, { url: pair.store.url, ...options });
  onTestFinished(() => nodes.close());
  const all: Noted[] = [];
  for (let i = 0; i < count; i++) {
    const [heard, notes] = [new Recorder(), new Notes()];
    all.push({ place: new Place(await nodes.node(heard, notes, urls[i]), heard), notes });
  }
  return all;
}

async function places(count: number, options: Partial<RedisBackendOptions> = {}): Promise<Place[]> {
  return (await noted(count, options)).map(({ place }) => place);
}

/** Tries again while the store is away. */
async function whenBack<T>(work: () => Promise<T>): Promise<T> {
  const attempt = async () => {
    try {
      return { done: await work() };
    } catch (error) {
      if (error instanceof Unavailable) return undefined;
      throw error;
    }
  };
  return (await until(attempt, 'the store to be back', RETURN_MS)).done;
}

/** Both ways to the store are open again, and what the nodes kept is back. */
async function back(...all: readonly (Place | undefined)[]): Promise<void> {
  for (const place of all) {
    await whenBack(() => place!.node.log.heads([AB]));
    await whenBack(() => place!.says(PROBE, to(PROBE), 'back'));
  }
}

const heard = (place: Place, item: string): boolean => place.heard.direct.includes(item);

describe('after a failover to a replica that had not got the newest', () => {
  test('everything acknowledged is there under its number, and what follows begins a new run', async () => {
    const [here] = await places(1);
    const before = await here!.says(A, to(B), 'before', '1');
    await pair.isLevel();
    pair.cuts();
    await here!.says(B, to(A), 'lost 1', '1');
    await here!.says(A, to(B), 'lost 2', '2');
    const items = await here!.items(AB);
    await pair.fails();
    await back(here);
    expect(await here!.items(AB)).toEqual(items);
    const after = await here!.says(A, to(B), 'after', '3');
    expect(items.map(seqOf)).toEqual([before.seq, before.seq + 1, before.seq + 2]);
    expect(after.seq).toBeGreaterThan(before.seq + 3);
    expect(await here!.texts(AB)).toEqual(['before', 'lost 1', 'lost 2', 'after']);
  });

  test('and the same without what a node keeps: it is lost, and no number names two messages', async () => {
    const [here] = await places(1, { ringBytes: 0 });
    await here!.says(A, to(B), 'before', '1');
    await pair.isLevel();
    pair.cuts();
    const lost = await here!.says(A, to(B), 'lost', '2');
    await pair.fails();
    await back(here);
    const after = await here!.says(A, to(B), 'after', '3');
    expect(await here!.texts(AB)).toEqual(['before', 'after']);
    expect(after.seq).toBeGreaterThan(lost.seq);
  });

  test('a repetition gets its first place', async () => {
    const [here, there] = await places(2);
    await pair.isLevel();
    pair.cuts();
    const first = await here!.says(A, to(B), 'once', 'an "id" \\ with');
    const inRoomOnce = await here!.says(A, EVERYBODY, 'once', 'x');
    await pair.fails();
    await back(here, there);
    const again = await there!.says(A, to(B), 'once', 'an "id" \\ with');
    expect(again).toMatchObject({ seq: first.seq, ts: first.ts, dup: true });
    expect(await here!.says(A, EVERYBODY, 'once', 'x')).toMatchObject({ seq: inRoomOnce.seq, dup: true });
    expect(await here!.texts(AB)).toEqual(['once']);
  });

  test('what several nodes stored stands in its order, in logs that are new, old, long and everybody’s', async () => {
    const nodes = await places(3);
    await nodes[0]!.founds(ROOM, A, [B, C]);
    for (let n = 0; n < 5; n++) await nodes[0]!.says(A, to(B), `old ${n}`);
    await pair.isLevel();
    pair.cuts();
    for (let n = 0; n < 40; n++) {
      const place = nodes[n % 3]!;
      const many = Array.from({ length: 12 }, (_, k) => letter(C, EVERYBODY, `${n} ${k}`, `${n} ${k}`));
      await place.says(n % 2 ? A : B, to(n % 2 ? B : A), `${n}`, `${n}`);
      await place.says(B, to(C), `${n}`, `${n}`);
      await place.says(A, inRoom(ROOM), `${n}`, `${n}`);
      await place.node.log.append(many);
    }
    const convs = [AB, dmOf(B, C), LOUNGE, 'all'] as const;
    const items = await Promise.all(convs.map((conv) => nodes[0]!.items(conv as typeof AB)));
    await pair.fails();
    await back(...nodes);
    await nodes[0]!.says(A, to(B), 'after');
    for (const [i, conv] of convs.entries()) {
      expect((await nodes[1]!.items(conv as typeof AB)).slice(0, items[i]!.length)).toEqual(items[i]);
    }
    expect(await nodes[2]!.items(LOUNGE)).toEqual(items[2]);
  });

  test('counts are what they were: pending, unread, positions, the list of conversations', async () => {
    const [here, there] = await places(2);
    await there!.arrives(B);
    await here!.says(A, to(B), 'old');
    await there!.acks(B, AB, (await here!.items(AB)).map(seqOf)[0]!);
    await pair.isLevel();
    pair.cuts();
    for (let n = 0; n < 3; n++) await here!.says(A, to(B), `new ${n}`);
    await there!.says(C, to(B), 'from Carol');
    const pending = await here!.pendingFor(B);
    const before = await listed(here!, B, AB);
    await pair.fails();
    await back(here, there);
    expect(await there!.pendingFor(B)).toEqual(pending);
    expect(await listed(there!, B, AB)).toEqual(before);
    await here!.says(A, to(B), 'after');
    const [head] = await here!.node.log.heads([AB]);
    await there!.acks(B, AB, head!);
    await there!.hasRead(B, AB, head!);
    expect((await there!.pendingFor(B)).has(AB)).toBe(false);
    expect(await listed(there!, B, AB)).toMatchObject({ unread: 0 });
  });

  test('numbers whose node died, too, stay empty; the others stand where they were, and can be acknowledged', async () => {
    const [here, there, doomed] = await places(3, { ringBytes: 1_000_000 });
    await here!.arrives(B);
    await here!.says(A, to(B), '1');
    await pair.isLevel();
    pair.cuts();
    const seqs: number[] = [];
    for (const [i, place] of [here!, there!, doomed!, here!, doomed!, there!].entries()) {
      seqs.push((await place.says(A, to(C), `${i}`)).seq);
    }
    await doomed!.node.close();
    await pair.fails();
    await back(here, there);
    const items = await here!.items(dmOf(A, C));
    expect(seqsOf(items)).toEqual([0, 1, 3, 5].map((i) => seqs[i]));
    await here!.arrives(C);
    for (const at of seqs) {
      const { items: above } = await here!.node.log.read(dmOf(A, C), at, 100, 100_000);
      expect(seqsOf(above)).toEqual(seqsOf(items).filter((seq) => seq > at));
    }
    await here!.acks(C, dmOf(A, C), seqs[3]!);
    expect((await here!.pendingFor(C)).get(dmOf(A, C))).toBe(seqs[3]);
    await here!.says(A, to(C), 'after');
    const { items: after } = await here!.node.log.read(dmOf(A, C), seqs[3]!, 100, 100_000);
    expect(after.map(textOf)).toEqual(['5', 'after']);
  });

  test('what was heard of a node that died with the primary is put back by who heard it', async () => {
    const [here, doomed] = await places(2);
    await here!.arrives(B);
    await pair.isLevel();
    pair.cuts();
    const { seq } = await doomed!.says(A, to(B), 'seen', '1');
    await here!.heard.until(({ direct }) => direct.length === 1, 'the hint');
    await doomed!.node.close();
    await pair.fails();
    await back(here);
    expect((await here!.items(AB)).map(seqOf)).toEqual([seq]);
    expect(await here!.says(A, to(B), 'seen', '1')).toMatchObject({ seq, dup: true });
  });

  test('a repetition that was answered is kept by the node that answered it', async () => {
    const [here, doomed] = await places(2);
    await pair.isLevel();
    pair.cuts();
    const { seq } = await doomed!.says(A, to(B), 'first', '1');
    await here!.says(A, to(B), 'other words', '1');
    await doomed!.node.close();
    await pair.fails();
    await back(here);
    const items = await here!.items(AB);
    expect(items.map((item) => [seqOf(item), textOf(item)])).toEqual([[seq, 'first']]);
  });

  test('changes are put back with what they made of messages; what was withdrawn does not return', async () => {
    const [here, there] = await places(2);
    const old = await here!.says(A, to(B), 'old');
    const older = await here!.says(A, to(B), 'older');
    await pair.isLevel();
    pair.cuts();
    const secret = await here!.says(A, to(B), 'a secret');
    const typo = await here!.says(A, to(B), 'a typo');
    await amends(here!, A, AB, secret.seq, edit('a secret edited'));
    await amends(there!, A, AB, secret.seq, { op: 'recall' }, 'r');
    await amends(there!, A, AB, old.seq, { op: 'recall' });
    await amends(there!, A, AB, typo.seq, edit('edited once'));
    await amends(here!, A, AB, typo.seq, edit('edited twice'));
    await amends(there!, B, AB, typo.seq, react('👍'));
    await amends(there!, B, AB, older.seq, react('👍'));
    await amends(here!, A, AB, older.seq, react('👍'));
    const items = await here!.items(AB);
    const original = await here!.node.amendments.original(AB, typo.seq);
    const list = await listed(here!, B, AB);
    await pair.fails();
    await back(here, there);
    expect(await here!.items(AB)).toEqual(items);
    expect(items.filter((item) => item.includes('secret'))).toEqual([]);
    expect(await here!.node.amendments.original(AB, typo.seq)).toEqual(original);
    expect(await listed(here!, B, AB)).toEqual(list);
    expect((await here!.items(AB)).every(isMarkedRightly)).toBe(true);
  });

  test('rooms are as they were, and their logs say the same', async () => {
    const [here, there] = await places(2);
    await here!.founds(ROOM, A, [B]);
    await here!.founds(CLUB, A, [B]);
    await pair.isLevel();
    pair.cuts();
    await there!.joins(C, ROOM);
    await here!.quits(B, ROOM);
    await there!.says(C, inRoom(ROOM), 'hello');
    await here!.joins(B, ROOM);
    await here!.founds('new' as typeof ROOM, D, [A], true);
    await there!.says(A, inRoom('new' as typeof ROOM), 'hello');
    await there!.node.rooms.change({
      room: CLUB,
      expect: { exists: true, private: false, roles: [[A, 'owner']] },
      roles: [],
      sender: A,
      tails: [],
      delete: true,
    });
    await here!.founds('again' as typeof ROOM, D, [B]);
    await there!.says(B, inRoom('again' as typeof ROOM), 'of the room before');
    await there!.quits(B, 'again' as typeof ROOM);
    await here!.quits(D, 'again' as typeof ROOM, 'owner');
    await there!.founds('again' as typeof ROOM, C, [A]);
    const look = async (room: typeof ROOM) => ({
      facts: await here!.node.rooms.facts(room, [A, B, C, D]),
      members: await here!.node.rooms.members(room, undefined, 10),
      items: await here!.items(roomConv(room)),
      heir: await here!.node.rooms.heir(room, A),
    });
    const rooms = [ROOM, CLUB, 'new' as typeof ROOM, 'again' as typeof ROOM];
    const before = await Promise.all(rooms.map(look));
    expect(before[1]).toMatchObject({ facts: { exists: false }, items: [] });
    await pair.fails();
    await back(here, there);
    await here!.items(LOUNGE);
    expect(await Promise.all(rooms.map(look))).toEqual(before);
    expect(await there!.tries(B, inRoom(CLUB), 'anybody?')).toEqual({ refused: 'not_found' });
    expect(stored(await here!.tries(C, inRoom(ROOM), 'still here')).seq).toBeGreaterThan(0);
  });

  test('nothing returns that was deleted or erased before, though a node still keeps it', async () => {
    const [here] = await places(1);
    await here!.founds(CLUB, A, [B]);
    await here!.says(A, inRoom(CLUB), 'for members');
    await here!.says(C, to(B), 'erase me');
    await here!.says(C, to(C), 'a note');
    await here!.quits(B, CLUB);
    await here!.quits(A, CLUB, 'owner');
    await here!.node.erasure.erase(C, user('gone'));
    await pair.isLevel();
    await pair.fails();
    await back(here);
    await here!.says(A, to(B), 'after');
    expect(await here!.items(roomConv(CLUB))).toEqual([]);
    expect(await here!.items(dmOf(B, C))).toEqual([]);
    expect(await here!.items(dmOf(C, C))).toEqual([]);
    expect(await here!.texts(dmOf(B, user('gone')))).toEqual(['erase me']);
    await here!.founds(CLUB, D);
    expect((await here!.items(roomConv(CLUB))).map((item) => hasMark(item, MARK.first))).toEqual([true]);
  });

  test('whoever is online hears of it, in case the first hint died with the primary', async () => {
    const [here, there] = await places(2);
    await there!.arrives(B);
    await pair.isLevel();
    pair.cuts();
    await here!.says(A, to(B), 'listen');
    const [item] = await here!.items(AB);
    await there!.heard.until(({ direct }) => direct.length === 1, 'the first hint');
    there!.heard.direct.length = 0;
    await pair.fails();
    await back(here, there);
    await until(() => heard(there!, item!) || there!.heard.lost.length > 0, 'to be told', RETURN_MS);
    expect(await there!.texts(AB)).toEqual(['listen']);
  });

  test('bans and blocks are as they were, set and lifted, in the order of all nodes', async () => {
    const [here, there] = await places(2);
    const lifted = { uid: D, tokenId: '"{p0}" \ud800' };
    await here!.node.bans.set(lifted, true);
    await here!.node.blocks.block(A, D, true);
    await pair.isLevel();
    pair.cuts();
    await there!.node.bans.set({ uid: C }, false);
    await here!.node.bans.set({ uid: C }, true);
    await there!.node.bans.set({ uid: D, device: PHONE }, true);
    await there!.node.bans.set(lifted, false);
    await here!.node.blocks.block(A, B, true);
    await here!.node.blocks.block(A, C, true);
    await there!.node.blocks.block(A, C, false);
    await there!.node.blocks.block(A, D, false);
    await pair.fails();
    await back(here, there);
    const bans = await here!.node.bans.all();
    expect(bans).toHaveLength(2);
    expect(bans).toEqual(expect.arrayContaining([{ uid: C }, { uid: D, device: PHONE }]));
    expect(await there!.node.blocks.blocked(A)).toEqual([B]);
  });

  test('a ban that somebody else lifted does not come back', async () => {
    const [here, doomed] = await places(2);
    await here!.node.bans.set({ uid: C }, true);
    await here!.node.blocks.block(A, B, true);
    await doomed!.node.bans.set({ uid: C }, false);
    await doomed!.node.blocks.block(A, B, false);
    await doomed!.node.close();
    await pair.isLevel();
    await pair.fails();
    await back(here);
    expect(await here!.node.bans.all()).toEqual([]);
    expect(await here!.node.blocks.blocked(A)).toEqual([]);
  });

  test('without what a node keeps a ban is undone, and what was acknowledged is pending', async () => {
    const [here] = await places(1, { ringBytes: 0 });
    const { seq } = await here!.says(A, to(B), 'read this');
    await here!.arrives(B);
    await pair.isLevel();
    pair.cuts();
    await here!.node.bans.set({ uid: C }, true);
    await here!.acks(B, AB, seq);
    await pair.fails();
    await back(here);
    expect(await here!.node.bans.all()).toEqual([]);
    expect((await here!.pendingFor(B)).get(AB)).toBeLessThan(seq);
  });

  test('what was acknowledged and read is so still, of direct messages, rooms and everybody’s', async () => {
    const [here, there] = await places(2);
    await there!.arrives(B);
    await here!.founds(ROOM, A, [B]);
    await here!.says(A, to(B), 'one');
    const { seq } = await here!.says(A, to(B), 'two');
    const inLounge = await here!.says(A, inRoom(ROOM), 'hello');
    const forAll = await here!.says(A, EVERYBODY, 'hello all');
    await pair.isLevel();
    pair.cuts();
    await there!.acks(B, AB, seq);
    await there!.hasRead(B, AB, seq);
    await there!.acks(B, LOUNGE, inLounge.seq);
    await there!.hasRead(B, LOUNGE, inLounge.seq);
    await there!.acks(B, ALL, forAll.seq);
    await pair.fails();
    await back(here, there);
    expect((await there!.pendingFor(B)).has(AB)).toBe(false);
    const { feeds } = await there!.node.devices.pending({ uid: B, device: DEFAULT_DEVICE }, 0);
    expect(feeds.filter(({ cursor, head }) => cursor < head)).toEqual([]);
    expect(await listed(there!, B, AB)).toMatchObject({ unread: 0, read: seq });
    expect(await listed(there!, B, LOUNGE)).toMatchObject({ unread: 0, read: inLounge.seq });
    expect(await listed(here!, A, AB)).toMatchObject({ peer: { delivered: seq, read: seq } });
  });

  test('somebody who was erased is not remembered by what they acknowledged', async () => {
    const [here] = await places(1);
    await here!.arrives(C);
    const { seq } = await here!.says(A, EVERYBODY, 'hello all');
    await here!.acks(C, ALL, seq);
    await here!.node.erasure.erase(C, user('gone'));
    await pair.isLevel();
    await pair.fails();
    await back(here);
    const left = await pair.replica.ask((client) => client.keys(`*:${C}*`));
    expect(left).toEqual([]);
  });

  test('a node that never returns holds the others up for two seconds, and no longer', async () => {
    const [here, there] = await places(2);
    await pair.isLevel();
    // It is in the list of nodes, and will not come.
    await pair.primary.ask(async (client) => {
      const [key] = await client.keys('*:nodes');
      await client.zadd(key!, Date.now(), 'dead');
    });
    await pair.isLevel();
    pair.cuts();
    await there!.says(A, to(B), 'lost');
    await pair.fails();
    const began = performance.now();
    await whenBack(() => here!.says(A, to(B), 'after'));
    const took = performance.now() - began;
    expect(took).toBeGreaterThan(1_000);
    expect(took).toBeLessThan(4_000);
    await back(here);
    expect(await here!.texts(AB)).toEqual(['lost', 'after']);
  });

  test('a node that is there is waited for longer: nothing new is stored before what it brings', async () => {
    const slow = await TcpProxy.to(pair.primary.port);
    onTestFinished(() => slow.closes());
    const [here, there] = (await noted(2, {}, [undefined, slow.url])).map(({ place }) => place);
    await pair.isLevel();
    pair.cuts();
    // More than it can bring in the two seconds that are given to who does not show up.
    const many = Array.from({ length: 10 }, (_, n) => `${n}`.padEnd(250_000));
    for (const text of many) await there!.says(A, to(B), text);
    slow.delays(150);
    await pair.fails();
    slow.turnsTo(pair.replica.port);
    await whenBack(() => here!.says(A, to(B), 'after'));
    await back(here);
    expect(await here!.texts(AB)).toEqual([...many, 'after']);
  });

  test('what a cut-off primary took alone comes to its place; what was repeated on the other side stays there', async () => {
    const other = await TcpProxy.to(pair.primary.port);
    onTestFinished(() => other.closes());
    const [here, there] = (await noted(2, {}, [undefined, other.url])).map(({ place }) => place);
    const first = await here!.says(A, to(B), 'first');
    await pair.isLevel();
    pair.cuts();
    const alone = await here!.says(A, to(B), 'alone', '1');
    await here!.says(A, to(B), 'repeated', '2');
    await pair.replica.ask((client) => client.call('REPLICAOF', 'NO', 'ONE'));
    other.turnsTo(pair.replica.port);
    await back(there);
    const repeated = await there!.says(A, to(B), 'repeated', '2');
    expect(repeated.dup).toBe(false);
    await pair.fails();
    await back(here, there);
    await here!.says(A, to(B), 'after');
    const items = await there!.items(AB);
    expect(items.map(textOf)).toEqual(['first', 'alone', 'repeated', 'after']);
    expect(seqsOf(items).slice(0, 3)).toEqual([first.seq, alone.seq, repeated.seq]);
    const { items: above } = await there!.node.log.read(AB, alone.seq, 10, 10_000);
    expect(above.map(textOf)).toEqual(['repeated', 'after']);
  });

  test('how much came back, and how long it took, is told', async () => {
    const [here] = await noted(1);
    await pair.isLevel();
    pair.cuts();
    for (let n = 0; n < 10; n++) await here!.place.says(A, to(B), `${n}`);
    await pair.fails();
    await back(here!.place);
    await here!.place.says(A, to(B), 'after');
    expect(here!.notes.cell('skein_restored_total').value).toBe(10);
    expect(here!.notes.observed.get('skein_restore_seconds ')).toBe(1);
    expect(here!.notes.said).toContain('Redis had lost entries: they were put back');
  });

  test('a second failover finds what the first put back', async () => {
    const [here] = await places(1);
    await pair.isLevel();
    pair.cuts();
    const { seq } = await here!.says(A, to(B), 'lost twice');
    await pair.fails();
    await back(here);
    await pair.recovers();
    await pair.isLevel();
    pair.cuts();
    const next = await here!.says(A, to(B), 'lost once');
    await pair.fails();
    await back(here);
    expect((await here!.items(AB)).map(seqOf)).toEqual([seq, next.seq]);
  });
});

test('after a plain restart there is nothing to put back', async () => {
  const [here] = await noted(1);
  const first = await here!.place.says(A, to(B as Uid), 'one');
  await pair.primary.kill();
  await pair.primary.restart();
  await back(here!.place);
  const second = await here!.place.says(A, to(B), 'two');
  expect((await here!.place.items(AB)).map(seqOf)).toEqual([first.seq, second.seq]);
  expect(here!.notes.cell('skein_restored_total').value).toBe(0);
  expect(messageOf((await here!.place.items(AB))[0]!)).toMatchObject({ data: 'one' });
});
