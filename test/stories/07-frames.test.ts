import { describe, expect, test } from 'vitest';
import { SHAPES, townFor } from '../support/town.js';
import { until } from '../support/until.js';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

describe.each(SHAPES)('frames on %s', (_shape, plan) => {
  const t = townFor(plan);

  test('a frame of exactly the limit is accepted, and one byte more closes', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const limit = alice.line.frames[0]!.limits!.frame;
    const frameOf = (bytes: number): string => {
      const empty = JSON.stringify({ receiver: bob.uid, data: '' });
      return JSON.stringify({ receiver: bob.uid, data: 'x'.repeat(bytes - empty.length) });
    };
    expect(Buffer.byteLength(frameOf(limit))).toBe(limit);
    alice.line.send(frameOf(limit));
    await alice.line.firstOf('sent');
    await until(() => bob.heard().length === 1, 'the largest message');
    alice.line.send(frameOf(limit + 1));
    expect([1009, 1006]).toContain((await alice.line.closed).code);
    await alice.returnsTo(1);
    await alice.says(bob, 'back');
    await bob.hears('back');
    expect(bob.heard()).toHaveLength(2);
  });

  test('three bad frames in a row close with 4400, and each is answered', async () => {
    const alice = await t.user('alice').comesTo(1);
    for (const frame of ['nonsense', '[]', '{"type":"send"}']) alice.line.send(frame);
    expect((await alice.line.closed).code).toBe(4400);
    const errors = alice.line.frames.filter((frame) => frame.type === 'error');
    expect(errors.map((error) => error.code)).toEqual(['bad_request', 'bad_request', 'bad_request']);
  });

  test('a good frame between bad ones keeps the connection', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = t.user('bob');
    for (const _ of numbers(4)) {
      alice.line.send('{');
      alice.line.send('{"type":"what"}');
      await alice.says(bob, 'fine');
    }
    expect(alice.line.frames.filter((frame) => frame.code === 'bad_request')).toHaveLength(8);
  });

  test.each<[string, string | Buffer]>([
    ['nothing', ''],
    ['no JSON', '{"type":"ping"'],
    ['a number', '5'],
    ['null', 'null'],
    ['an array', '[{"type":"ping"}]'],
    ['an unknown type', '{"type":"toString"}'],
    ['a type that is no string', '{"type":["ping"]}'],
    ['neither type nor receiver', '{"data":1}'],
    ['no data', '{"receiver":"B"}'],
    ['two targets', '{"receiver":"B","room":"r","data":1}'],
    ['a broadcast that is not true', '{"type":"send","broadcast":false,"data":1}'],
    ['a receiver out of form', '{"receiver":"a b","data":1}'],
    ['a receiver that is no string', '{"receiver":["B"],"data":1}'],
    ['a room out of form', '{"room":"{r}","data":1}'],
    ['an ack without seq', '{"type":"ack","conv":"all"}'],
    ['an ack of a fraction', '{"type":"ack","conv":"all","seq":1.5}'],
    ['an ack below nothing', '{"type":"ack","conv":"all","seq":-1}'],
    ['an ack beyond safe integers', '{"type":"ack","conv":"all","seq":9007199254740992}'],
    ['a join without a room', '{"type":"join"}'],
    ['a binary frame', Buffer.from('{"type":"ping"}')],
    ['binary noise', Buffer.from([0, 255, 254, 1])],
  ])('a frame of %s is a bad request and no more', async (_what, frame) => {
    const alice = await t.user('alice').comesTo(1);
    alice.line.send(frame);
    expect((await alice.line.firstOf('error')).code).toBe('bad_request');
    await alice.line.settles();
    expect(alice.line.isOpen).toBe(true);
  });

  test('data may nest 32 levels and not 33', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const arrays = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
    const objects = (levels: number): string => `${'{"a":'.repeat(levels)}0${'}'.repeat(levels)}`;
    for (const nest of [arrays, objects]) {
      expect(await alice.tries(bob, JSON.parse(nest(32)))).toMatchObject({ type: 'sent' });
      expect(await alice.tries(bob, JSON.parse(nest(33)))).toMatchObject({ type: 'error', code: 'bad_request' });
    }
    alice.line.send(`{"receiver":"${bob.uid}","data":${arrays(20_000)}}`);
    await until(() => alice.line.frames.filter((frame) => frame.code === 'bad_request').length === 3, 'the refusal');
    await alice.says(bob, 'still here');
    await bob.hears('still here');
    expect(bob.heard()).toHaveLength(3);
  });

  test('an unknown member is ignored', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    await alice.says(bob, 'with extras', { colour: 'blue', op: 'recall', ref: 5, blocked: true, recalled: true });
    const heard = await bob.hears('with extras');
    for (const member of ['colour', 'op', 'ref', 'blocked', 'recalled']) expect(heard).not.toHaveProperty(member);
  });
});
