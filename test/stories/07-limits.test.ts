import { describe, expect, test } from 'vitest';
import type { Frame } from '../support/frame.js';
import { type TownPlan, townFor } from '../support/town.js';
import { until } from '../support/until.js';

const numbers = (count: number, from = 0): number[] => Array.from({ length: count }, (_, index) => from + index);

/** A limit is the same on both backends. */
const shapesWith = (env: Record<string, string>): [string, TownPlan][] => [
  ['two nodes on one Redis', { nodes: 2, redis: true, env }],
  ['one embedded node', { nodes: 1, redis: false, env }],
];

describe.each(shapesWith({ SKEIN_PENDING_MAX: '20' }))('a full box on %s', (_shape, plan) => {
  const t = townFor(plan);

  test('exactly as many are taken as may be pending, and acknowledging makes room for as many', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2, { ack: 'manual' });
    await alice.saysAll(bob, numbers(20));
    expect(await alice.tries(bob, 'one more')).toMatchObject({ type: 'error', code: 'box_full' });
    expect((await alice.posts(2, bob, 'one more')).status).toBe(507);
    const heard = await bob.hearsMany(20, alice.convWith(bob));
    bob.acks(heard[4]!);
    const isAccepted = async (): Promise<boolean> => (await alice.tries(bob, 20)).type === 'sent';
    await until(isAccepted, 'room in the box after acknowledging');
    for (const n of numbers(4, 21)) await alice.says(bob, n);
    expect(await alice.tries(bob, 'one too many')).toMatchObject({ type: 'error', code: 'box_full' });
    await bob.leaves();
    await bob.returnsTo(1);
    expect(bob.heard()).toEqual(numbers(20, 5));
  });

  test('a full box of one conversation holds up no other', async () => {
    const alice = await t.user('alice').comesTo(1);
    const carol = await t.user('carol').comesTo(2);
    const bob = await t.user('bob').comesTo(1);
    await bob.leaves();
    await alice.saysAll(bob, numbers(20));
    expect((await alice.tries(bob, 'no')).code).toBe('box_full');
    await carol.says(bob, 'from another');
    await alice.says(carol, 'to another');
    await carol.hears('to another');
  });

  test('a repetition of what is in the full box is answered as ever', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(1);
    await bob.leaves();
    const first = await alice.says(bob, 0, { id: 'first' });
    await alice.saysAll(bob, numbers(19));
    expect(await alice.tries(bob, 0, { id: 'first' })).toMatchObject({ type: 'sent', dup: true, seq: first.seq });
  });

  test('rooms and broadcasts fill no box', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const den = t.room('den');
    await alice.joins(den);
    await bob.joins(den);
    await bob.leaves();
    await alice.saysAll(den, numbers(50));
    await alice.saysAll('everybody', numbers(50));
    await bob.returnsTo(1);
    expect(bob.heard(den.conv)).toEqual(numbers(50));
  });
});

describe.each(shapesWith({ SKEIN_RETENTION_MESSAGES: '10' }))('retention on %s', (_shape, plan) => {
  const t = townFor(plan);

  /** `truncated` comes right before the first message and ends just below it. */
  const expectAnnouncedGap = (gap: Frame | undefined, from: number, next: Frame | undefined): void => {
    expect(gap).toMatchObject({ type: 'truncated', reason: 'retention', conv: next!.conv });
    expect(gap!.from).toBeLessThanOrEqual(from);
    expect(gap!.to).toBe(next!.seq! - 1);
  };

  test('it never takes a direct message that is still pending', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    await bob.leaves();
    await alice.saysAll(bob, numbers(80));
    await bob.returnsTo(1);
    expect(bob.heard()).toEqual(numbers(80));
    expect(bob.line.frames.filter((frame) => frame.type === 'truncated')).toEqual([]);
  });

  test('a device that lags behind the others is served as far as it goes, and told of the gap', async () => {
    const alice = await t.user('alice').comesTo(1);
    const phone = await t.user('bob').device('phone').comesTo(2, { ack: 'manual' });
    const laptop = await phone.device('laptop').comesTo(1, { ack: 'manual' });
    await laptop.leaves();
    const conv = alice.convWith(phone);
    const sent: Frame[] = [];
    for (const round of numbers(4)) {
      sent.push(...(await alice.saysAll(phone, numbers(20, round * 20))));
      phone.acks((await phone.hearsMany((round + 1) * 20, conv)).at(-1)!);
      const rest = t.poller(phone.uid, 'phone');
      await until(async () => (await rest.polls(1)).messages.length === 0, 'the acknowledgement to count');
    }
    await laptop.returnsTo(2);
    const messages = laptop.line.messages(conv);
    expect(messages.length).toBeGreaterThanOrEqual(10);
    expect(messages.length).toBeLessThan(80);
    expect(messages.at(-1)!.data).toBe(79);
    const gap = laptop.line.frames.find((frame) => frame.type === 'truncated');
    expectAnnouncedGap(gap, sent[0]!.seq!, messages[0]);
  });

  test('a member of a room who was away too long is told of the gap', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const den = t.room('den');
    await alice.joins(den);
    await bob.joins(den);
    await bob.leaves();
    const sent: Frame[] = [];
    for (const round of numbers(5)) sent.push(...(await alice.saysAll(den, numbers(20, round * 20))));
    await bob.returnsTo(1);
    const messages = bob.line.messages(den.conv);
    expect(messages.length).toBeGreaterThanOrEqual(10);
    expect(messages.length).toBeLessThan(100);
    expect(messages.at(-1)!.data).toBe(99);
    const gap = bob.line.frames.find((frame) => frame.type === 'truncated');
    expectAnnouncedGap(gap, sent[0]!.seq!, messages[0]);
  });
});

describe.each(shapesWith({ SKEIN_RATE: '5' }))('the rate on %s', (_shape, plan) => {
  const t = townFor(plan);

  test('who sends too fast is told when to come back, and then may', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const answers = await Promise.all(numbers(20).map((n) => alice.tries(bob, n, { id: `r${n}` })));
    const refused = answers.filter((answer) => answer.type === 'error');
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(20);
    for (const answer of refused) {
      expect(answer).toMatchObject({ code: 'rate_limited', retry: expect.any(Number) });
      expect(answer.retry).toBeGreaterThan(0);
      expect(answer.retry).toBeLessThanOrEqual(60_000);
    }
    const isAccepted = async (): Promise<boolean> =>
      (await alice.tries(bob, 'later', { id: refused[0]!.id })).type === 'sent';
    await until(isAccepted, 'a send to be accepted again');
    await bob.hears('later');
    expect(bob.heard()).toHaveLength(20 - refused.length + 1);
  });

  test('pings have a bound of their own', async () => {
    const alice = await t.user('alice').comesTo(1);
    for (const _ of numbers(20)) alice.line.send({ type: 'ping' });
    await until(() => alice.line.frames.filter((frame) => frame.type === 'pong').length === 20, '20 pongs');
  });

  test('over HTTP it is 429 with Retry-After in seconds', async () => {
    const alice = t.user('alice');
    const bob = t.user('bob');
    const refused = await until(async () => {
      const answers = await Promise.all(numbers(10).map((n) => alice.posts(1, bob, n)));
      return answers.find((answer) => answer.status === 429);
    }, 'a 429');
    expect(refused.body.error.code).toBe('rate_limited');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  });
});

describe.each(shapesWith({}))('strangers on %s', (_shape, plan) => {
  const t = townFor(plan);

  test('to a uid never seen a sender may have 100 pending', async () => {
    const alice = await t.user('alice').comesTo(1);
    const stranger = t.user('stranger');
    await alice.saysAll(stranger, numbers(100));
    expect(await alice.tries(stranger, 'one more')).toMatchObject({ type: 'error', code: 'box_full' });
    await t.user('carol').says(stranger, 'from somebody else');
    await stranger.comesTo(2);
    expect(stranger.heard(alice.convWith(stranger))).toEqual(numbers(100));
    await alice.says(stranger, 'now that we met');
    await stranger.hears('now that we met');
  });
});

describe('two requests in hand', () => {
  const t = townFor({ nodes: 1, redis: true, env: { SKEIN_QUERIES: '2' } });

  test('are answered, a third one is told to come again; what is sent meanwhile is not counted', async () => {
    const alice = await t.user('alice').comesTo(1);
    const asked = [
      { type: 'history', conv: 'all' },
      { type: 'conversations' },
      { type: 'history', conv: 'all' },
      { type: 'send', receiver: 'bob', data: 1 },
      { type: 'ping' },
    ];
    const answers = await Promise.all(asked.map((frame) => alice.line.request(frame)));
    expect(answers.map(({ type, code }) => code ?? type)).toEqual([
      'history',
      'conversations',
      'rate_limited',
      'sent',
      'pong',
    ]);
    expect(answers[2]?.retry).toBeGreaterThan(0);
    expect((await alice.line.request({ type: 'history', conv: 'all' })).type).toBe('history');
  });
});

describe.each(shapesWith({ SKEIN_USER_ROOMS: '3', SKEIN_ROOM_MEMBERS: '2' }))('rooms on %s', (_shape, plan) => {
  const t = townFor(plan);

  test('a user is in as many as they may be, by whatever way, and in another one when they left one', async () => {
    const [alice, bob] = [await t.user('alice').comesTo(1), await t.user('bob').comesTo(1)];
    const rooms = numbers(4).map((n) => t.room(`r${n}`));
    for (const room of rooms.slice(0, 3)) await alice.joins(room);
    const last = rooms[3]!;
    const tooLarge = { type: 'error', code: 'too_large' };
    expect(await alice.asks({ type: 'join', room: last.name })).toMatchObject(tooLarge);
    expect((await alice.calls(1, 'POST', '/rooms', { room: last.name })).status).toBe(413);
    expect((await bob.calls(1, 'POST', '/rooms', { room: last.name, members: [alice.uid] })).status).toBe(413);
    await bob.joins(last);
    expect((await bob.calls(1, 'PUT', `/rooms/${last.name}/members/${alice.uid}`, {})).status).toBe(413);
    await alice.asks({ type: 'leave', room: rooms[0]!.name });
    await alice.joins(last);
    const carol = await t.user('carol').comesTo(1);
    expect(await carol.asks({ type: 'join', room: last.name })).toMatchObject(tooLarge);
  });
});
