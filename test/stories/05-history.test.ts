import { describe, expect, test } from 'vitest';
import type { Frame } from '../support/frame.js';
import type { ErrorBody } from '../support/http.js';
import { SHAPES, townFor } from '../support/town.js';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const dataOf = (messages: readonly Frame[] | undefined): unknown[] => messages!.map((entry) => entry.data);

describe.each(SHAPES)('history on %s', (_shape, plan) => {
  const t = townFor(plan);

  test('it pages backward from the newest, oldest first within a page', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    await alice.saysAll(bob, numbers(55));
    const conv = alice.convWith(bob);
    const pages: unknown[][] = [];
    for (let before: number | undefined; ; ) {
      const page = await bob.asks({ type: 'history', conv, limit: 20, ...(before && { before }) });
      expect(page).toMatchObject({ type: 'history', conv });
      pages.push(dataOf(page.messages));
      if (!page.more) break;
      before = page.messages![0]!.seq;
    }
    expect(pages).toEqual([numbers(55).slice(35), numbers(35).slice(15), numbers(15)]);
  });

  test('it pages forward from a place', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const [first] = await alice.saysAll(bob, numbers(45));
    const conv = alice.convWith(bob);
    const read: unknown[] = [];
    for (let after = first!.seq! - 1; ; ) {
      const page = await alice.asks({ type: 'history', conv, limit: 20, after });
      expect(page.messages!.length).toBeLessThanOrEqual(20);
      read.push(...dataOf(page.messages));
      if (!page.more) break;
      after = page.messages!.at(-1)!.seq!;
    }
    expect(read).toEqual(numbers(45));
  });

  test('an entry is the message as it was delivered', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const sent = await alice.says(bob, { text: 'as it was' }, { id: 'h1' });
    const heard = await bob.hears({ text: 'as it was' });
    const { messages } = await bob.asks({ type: 'history', conv: sent.conv });
    expect(messages).toEqual([heard]);
  });

  test('without a limit a page holds 50, and 200 at most', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    await alice.saysAll(bob, numbers(205));
    const conv = alice.convWith(bob);
    expect(dataOf((await alice.asks({ type: 'history', conv })).messages)).toEqual(numbers(205).slice(155));
    const most = await alice.asks({ type: 'history', conv, limit: 200 });
    expect(dataOf(most.messages)).toEqual(numbers(205).slice(5));
    expect(most.more).toBe(true);
  });

  test.each([0, 201, -1, 1.5, '20', null])('the limit %j is a bad request', async (limit) => {
    const alice = await t.user('alice').comesTo(1);
    const bob = t.user('bob');
    await alice.says(bob, 1);
    const conv = alice.convWith(bob);
    const answer = await alice.asks({ type: 'history', conv, limit });
    expect(answer).toMatchObject({ type: 'error', code: 'bad_request' });
  });

  test.each(['dm', 'dm:a', 'room:', 'room:a b', 'everything', '', 7])(
    'the conversation %j is a bad request',
    async (conv) => {
      const alice = await t.user('alice').comesTo(1);
      expect(await alice.asks({ type: 'history', conv })).toMatchObject({ type: 'error', code: 'bad_request' });
    },
  );

  test('a page ends early at 1 MB, with more', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = t.user('bob');
    const big = 'x'.repeat(60_000);
    for (const turn of numbers(30)) await alice.says(bob, `${turn} ${big}`);
    const conv = alice.convWith(bob);
    const page = await alice.asks({ type: 'history', conv, limit: 200 });
    expect(page.more).toBe(true);
    expect(page.messages!.length).toBeLessThan(20);
    expect(page.messages!.length).toBeGreaterThan(10);
    expect(String(page.messages!.at(-1)!.data)).toMatch(/^29 /);
  });

  test("somebody else's conversation is closed to whoever asks, whether it exists or not", async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = t.user('bob');
    const eve = await t.user('eve').comesTo(2, { ack: 'manual' });
    await alice.says(bob, 'secret');
    for (const conv of [alice.convWith(bob), bob.convWith(t.user('nobody'))]) {
      for (const type of ['history', 'ack', 'read']) {
        const answer = await eve.asks({ type, conv, seq: 1 });
        expect(answer.type).toBe('error');
        expect(['forbidden', 'not_found']).toContain(answer.code);
      }
    }
  });

  test('over HTTP it is the same', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = t.user('bob');
    const eve = t.user('eve');
    await alice.saysAll(bob, numbers(12));
    const path = `/v1/conversations/${encodeURIComponent(alice.convWith(bob))}/messages`;
    const page = await t.asks<Frame & ErrorBody>(2, `${path}?uid=${bob.uid}&limit=5`);
    expect(page.status).toBe(200);
    expect(dataOf(page.body.messages)).toEqual(numbers(12).slice(7));
    expect(page.body.more).toBe(true);
    const earlier = `${path}?uid=${bob.uid}&limit=50&before=${page.body.messages![0]!.seq}`;
    expect(dataOf((await t.asks<Frame>(3, earlier)).body.messages)).toEqual(numbers(7));
    expect([403, 404]).toContain((await t.asks(1, `${path}?uid=${eve.uid}`)).status);
    expect((await t.asks(1, `${path}?uid=${bob.uid}&limit=201`)).status).toBe(400);
    expect((await t.asks(1, path)).status).toBe(401);
  });
});
