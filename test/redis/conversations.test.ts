import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tsOf } from '../../src/chat/item.js';
import type { Conversed } from '../../src/chat/social-ports.js';
import { ALL, dmOf, type Uid } from '../../src/protocol/index.js';
import { amends, listed, react } from '../contract/social-town.js';
import { A, AB, B, type Place, textOf, to, user } from '../contract/town.js';
import { RedisServer } from '../support/redis.js';
import { until } from '../support/until.js';
import { socialTown } from './social-town.js';

let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start({ appendonly: 'no' });
});
afterAll(() => server.stop());

async function walk(here: Place, uid: Uid, limit: number): Promise<Conversed[]> {
  const all: Conversed[] = [];
  for (let before: number | undefined; ; before = all.at(-1)?.at) {
    const { conversations, more } = await here.node.conversations.list(uid, before, limit);
    all.push(...conversations);
    if (!more) return all;
    expect(conversations.length).toBeGreaterThan(0);
  }
}

test('pages are by the very last message, though the box lags behind it by up to a second', async () => {
  const { places } = await socialTown(server, 1);
  const here = places[0]!;
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat({ max: 12 }), { minLength: 5, maxLength: 60 }),
      fc.integer({ min: 1, max: 7 }),
      async (order, limit) => {
        const me = user(`me.${++runs}`);
        const last = new Map<string, number>();
        for (const n of order) {
          const peer = user(`peer.${n}`);
          last.set(dmOf(me, peer), (await here.says(peer, to(me), 'hello')).ts);
        }
        const list = (await walk(here, me, limit)).filter(({ conv }) => conv !== ALL);
        expect(new Map(list.map(({ conv, at }) => [conv as string, at]))).toEqual(last);
        expect(list.map(({ at }) => at)).toEqual([...last.values()].sort((one, other) => other - one));
      },
    ),
    { numRuns: 15 },
  );
});

test('a dm whose messages all made room for reactions stands where it began, on one page only', async () => {
  const { places } = await socialTown(server, 1, { retentionMessages: 8 });
  const here = places[0]!;
  const { seq, ts } = await here.says(A, to(B), 'hello');
  await here.acks(B, AB, seq);
  for (let i = 0; i < 3; i++) await here.says(user(`u${i}`), to(B), 'later');
  const original = await here.node.amendments.original(AB, seq);
  for (let i = 0; (await here.items(AB)).some((item) => item === original.item) || i === 0; i++) {
    await here.acks(B, AB, (await listed(here, B, AB))!.head);
    const letter = {
      conv: AB,
      sender: A,
      ref: 1,
      tail: `"sender":"${A}","receiver":"${B}","op":"react","ref":${seq}}`,
    };
    await here.node.amendments.amend({ letter, op: 'react', ref: seq, replace: [] });
  }
  expect(await listed(here, B, AB)).toMatchObject({ at: ts, last: undefined, unread: 0 });
  for (const limit of [1, 2, 5]) {
    const convs = (await walk(here, B, limit)).map(({ conv }) => conv);
    expect(convs.filter((conv) => conv === AB)).toEqual([AB]);
    expect(convs).toHaveLength(5);
  }
  const { ts: now } = await here.says(B, to(A), 'again');
  expect((await walk(here, B, 2))[0]).toMatchObject({ conv: AB, at: now });
});

test('dms of which nothing is left are on no page, however many', async () => {
  const { places, keys } = await socialTown(server, 1);
  const here = places[0]!;
  const peers = Array.from({ length: 250 }, (_, i) => user(`u${i}`));
  for (const peer of peers) await here.says(peer, to(A), 'hello');
  const [kept, ...gone] = peers.map((peer) => dmOf(peer, A));
  await server.ask((client) => client.del(...gone.map((conv) => keys.log(conv))));
  expect((await walk(here, A, 3)).map(({ conv }) => conv)).toEqual([kept, ALL]);
});

test('a reaction to an old message makes its dm pending again, and leaves it where it is in the list', async () => {
  const { places } = await socialTown(server, 2);
  const [here, there] = [places[0]!, places[1]!];
  await there.arrives(B);
  const { seq, ts } = await here.says(A, to(B), 'old');
  await there.acks(B, AB, seq);
  const { ts: later } = await until(async () => {
    const stored = await here.says(user('Dora'), to(B), 'new');
    return stored.ts > ts + 1_000 && stored;
  }, 'more than a second to pass');
  await amends(here, A, AB, seq, react('👍'));
  expect((await there.arrives(B)).pending.map(({ conv }) => conv)).toContain(AB);
  const [first, second] = await walk(there, B, 1);
  expect([first!.at, second!.at]).toEqual([later, ts]);
  expect(tsOf(second!.last!)).toBe(ts);
});

test('a head that an earlier version wrote is read, and written, as far as it goes', async () => {
  const { places, keys } = await socialTown(server, 1);
  const here = places[0]!;
  const { seq, ts } = await here.says(A, to(B), 'one');
  await server.ask(async (client) => {
    const head = await client.getBuffer(keys.head(AB));
    await client.set(keys.head(AB), head!.subarray(0, 17 * 8), 'KEEPTTL');
  });
  expect(await listed(here, B, AB)).toMatchObject({ head: seq, unread: 1, at: ts });
  await here.says(A, to(B), 'two');
  const bobs = await listed(here, B, AB);
  expect(bobs).toMatchObject({ head: seq + 1, unread: 2 });
  expect(textOf(bobs!.last!)).toBe('two');
});
