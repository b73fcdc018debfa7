import { describe, expect, test } from 'vitest';
import { SHAPES, townFor } from '../support/town.js';

describe.each(SHAPES)('two consoles on %s', (_shape, plan) => {
  const t = townFor(plan);

  test('a bare receiver and data is a message to somebody on another node', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    alice.line.send(`{"receiver":"${bob.uid}","data":"hi"}`);
    const heard = await bob.hears('hi');
    expect(heard).toMatchObject({ type: 'message', sender: alice.uid, receiver: bob.uid, data: 'hi' });
    expect(heard.conv).toBe(alice.convWith(bob));
    expect(heard.seq).toBeGreaterThan(1_600_000_000_000_000);
    expect(Math.abs(Date.now() - heard.ts!)).toBeLessThan(60_000);
    expect(heard).not.toHaveProperty('room');
    expect(heard).not.toHaveProperty('broadcast');
    const sent = await alice.line.firstOf('sent');
    expect(sent).toMatchObject({ conv: heard.conv, seq: heard.seq, ts: heard.ts });
    expect(sent).not.toHaveProperty('dup');
  });

  test('a forged sender is overwritten', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const carol = t.user('carol');
    alice.line.send({ receiver: bob.uid, sender: carol.uid, data: 'from carol, honestly', ts: 1, seq: 1, conv: 'all' });
    expect((await bob.hears('from carol, honestly')).sender).toBe(alice.uid);
  });

  test('whoever is logged in is told who, where and with which limits', async () => {
    const alice = await t.user('alice').device('phone').comesTo(1);
    const [welcome] = alice.line.frames;
    expect(welcome).toMatchObject({
      type: 'welcome',
      uid: alice.uid,
      device: 'phone',
      node: expect.any(String),
      conn: expect.any(String),
      ts: expect.any(Number),
      heartbeat: 25,
      limits: { frame: 65_536, rate: 100_000, dedup: 600 },
      protocol: 1,
    });
    expect((await t.user('bob').comesTo(1)).line.frames[0]).toMatchObject({ device: 'default' });
  });

  test('a server frame has its type first and no white space between members', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    alice.line.send(` { "id" : "x1" , "receiver" : "${bob.uid}" , "data" : { "a" : [ 1 , "two words" ] } } `);
    await bob.hears({ a: [1, 'two words'] });
    await alice.line.firstOf('sent');
    alice.line.send('nonsense');
    await alice.line.firstOf('error');
    for (const text of [...alice.line.texts, ...bob.line.texts]) {
      expect(text).toMatch(/^\{"type":"[a-z]+"/);
      expect(text).toBe(JSON.stringify(JSON.parse(text)));
    }
  });

  test('data may be any JSON value, and comes out as it went in', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const values: unknown[] = [
      null,
      false,
      0,
      -1.5e-7,
      '',
      'é\u0000\u2028"\\/ 👍🏽 \ud83d',
      [],
      {},
      { toString: 1, constructor: null, type: 'sent', sender: 'mallory', '': [[]] },
      [null, [true]],
    ];
    const convoluted = '{"__proto__":{"polluted":true},"data":"x"}';
    await alice.saysAll(bob, values);
    alice.line.send(`{"receiver":"${bob.uid}","data":${convoluted}}`);
    const heard = await bob.hearsMany(values.length + 1, alice.convWith(bob));
    expect(heard.slice(0, -1).map((frame) => frame.data)).toEqual(values);
    expect(bob.line.texts.at(-1)).toContain(`"data":${convoluted}`);
  });

  test('a ping gets a pong with the time', async () => {
    const alice = await t.user('alice').comesTo(1);
    alice.line.send({ type: 'ping' });
    expect(Math.abs((await alice.line.firstOf('pong')).ts! - Date.now())).toBeLessThan(60_000);
  });

  test('what the answer to a request is comes with its id', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = t.user('bob');
    expect(await alice.tries(bob, 1, { id: 'one' })).toMatchObject({ type: 'sent', id: 'one' });
    expect(await alice.asks({ type: 'join', id: 'two', room: t.room('den').name })).toMatchObject({ id: 'two' });
    expect(await alice.asks({ type: 'nothing', id: 'three' })).toMatchObject({
      type: 'error',
      id: 'three',
      code: 'bad_request',
      message: expect.any(String),
    });
  });
});
