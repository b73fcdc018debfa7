import { afterAll, beforeAll, expect, test } from 'vitest';
import { hasMark, MARK, seqOf } from '../../src/chat/item.js';
import { ALL, type Uid } from '../../src/protocol/index.js';
import { amendment, amends, edit, messageAt, messageOf, RECALL, react } from '../contract/social-town.js';
import { A, AB, B, EVERYBODY, inRoom, LOUNGE, ROOM, stored, to, user } from '../contract/town.js';
import { RedisServer } from '../support/redis.js';
import { socialTown } from './social-town.js';

let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start({ appendonly: 'no' });
});
afterAll(() => server.stop());

test('reactions, edits and messages from three nodes at the same moment: none is lost, and the log has no gap', async () => {
  const { places } = await socialTown(server, 3);
  const crowd = Array.from({ length: 24 }, (_, i) => user(`user${i}`));
  await places[0]!.founds(ROOM, A, crowd);
  const { seq } = await places[0]!.says(A, inRoom(ROOM), 'zero');
  const at = (i: number) => places[i % places.length]!;
  const works = crowd.map(async (uid, i) => {
    await amends(at(i), uid, LOUNGE, seq, react('👍'));
    await at(i + 1).says(uid, inRoom(ROOM), `from ${uid}`);
    if (i % 2 === 1) await amends(at(i + 2), uid, LOUNGE, seq, react('👍', false));
  });
  const edits = Array.from({ length: 8 }, (_, i) => amends(at(i), A, LOUNGE, seq, edit(`edit ${i}`)));
  await Promise.all([...works, ...edits]);
  const { reactions, edited, data } = await messageAt(places[0]!, LOUNGE, seq);
  expect([...reactions!['👍']!].sort()).toEqual(crowd.filter((_, i) => i % 2 === 0).sort());
  expect(edited).toBe(true);
  const items = await places[0]!.items(LOUNGE);
  const first = seqOf(items[0]!);
  expect(items.map(seqOf)).toEqual(items.map((_, i) => first + i));
  const lastEdit = items.map(messageOf).findLast(({ op }) => op === 'edit');
  expect(data).toBe(lastEdit!.data);
  await amends(places[1]!, A, LOUNGE, seq, RECALL);
  expect((await places[2]!.items(LOUNGE)).join()).not.toMatch(/"data":"(zero|edit \d)"/);
});

test('a change is heard on the nodes of both sides, once each, as its entry', async () => {
  const { places } = await socialTown(server, 3);
  const [here, there, elsewhere] = [places[0]!, places[1]!, places[2]!];
  await here.arrives(A);
  await there.arrives(B);
  await elsewhere.arrives(A);
  const { seq } = await here.says(A, to(B), 'helo');
  await amends(here, A, AB, seq, edit('hello'));
  for (const place of [there, elsewhere]) {
    await place.heard.until(({ direct }) => direct.length === 2, 'the message and its edit');
    expect(place.heard.direct).toHaveLength(2);
    const item = place.heard.direct[1]!;
    expect(item).toBe((await here.items(AB))[1]);
    expect(hasMark(item, MARK.op)).toBe(true);
  }
  expect(here.heard.direct).toEqual([]);
});

test('a message has 128 edits, and not one more; it can still be recalled with all of them', async () => {
  const { places } = await socialTown(server, 1);
  const here = places[0]!;
  const { seq } = await here.says(A, to(B), 'edit');
  for (let i = 0; i < 128; i++) await amends(here, A, AB, seq, edit(`edit ${i}`));
  const original = await here.node.amendments.original(AB, seq);
  expect(original.edits).toHaveLength(128);
  const tooMany = amendment(A, AB, seq, original, edit('edit 128'));
  expect(await here.node.amendments.amend(tooMany)).toEqual({ refused: 'too_large' });
  await amends(here, A, AB, seq, RECALL);
  expect((await here.items(AB)).join()).not.toContain('"data":"edit');
});

test('a log that nothing may be taken from has an end for changes, too', async () => {
  const { places } = await socialTown(server, 1, { pendingMessages: 10, retentionMessages: 20 });
  const here = places[0]!;
  const { seq } = await here.says(A, to(B), 'hello');
  const changes = async (i: number) => {
    const original = await here.node.amendments.original(AB, seq);
    return here.node.amendments.amend(amendment(A, AB, seq, original, react('👍', i % 2 === 0)));
  };
  for (let i = 0; i < 40; i++) stored((await changes(i)) as never);
  expect(await changes(40)).toEqual({ refused: 'too_large' });
  await here.acks(B, AB, seq + 40);
  // There is room again, and the message is what made it.
  expect(await changes(40)).toBe('changed');
  const { seq: next } = await here.says(A, to(B), 'again');
  await amends(here, B, AB, next, react('👍'));
});

test('what is known of ops and edits is trimmed with the log, and expires with it', async () => {
  const { places, keys } = await socialTown(server, 1, { retentionMessages: 16 });
  const here = places[0]!;
  const { seq } = await here.says(A, EVERYBODY, 'one');
  await amends(here, A, ALL, seq, edit('two'));
  const indexes = [keys.ops(ALL), keys.edits(ALL)];
  const sizes = () => server.ask((client) => Promise.all(indexes.map((key) => client.zcard(key))));
  expect(await sizes()).toEqual([1, 1]);
  for (const key of indexes) expect(await server.ask((client) => client.pttl(key))).toBeGreaterThan(0);
  for (let i = 0; i < 40; i++) await here.says(A, EVERYBODY, `${i}`);
  expect(await sizes()).toEqual([0, 0]);
});

test('the next node finds a change pending whose message was acknowledged long ago', async () => {
  const { places, keys } = await socialTown(server, 2);
  const [here, there] = [places[0]!, places[1]!];
  await there.arrives(B);
  const { seq } = await here.says(A, to(B), 'helo');
  await there.acks(B, AB, seq);
  await server.ask(async (client) => {
    for (const uid of [A, B] as Uid[]) await client.zadd(keys.box(uid), Date.now() - 3_600_000, AB);
  });
  await there.arrives(B);
  await amends(here, A, AB, seq, edit('hello'));
  expect((await there.arrives(B)).pending).toEqual([{ conv: AB, cursor: seq, head: seq + 1 }]);
  const { ts } = await there.node.devices.pending({ uid: B, device: 'default' as never }, 0);
  const recent = await there.node.devices.pending({ uid: B, device: 'default' as never }, ts - 60_000);
  expect(recent.pending).toEqual([{ conv: AB, cursor: seq, head: seq + 1 }]);
});
