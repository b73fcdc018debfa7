import { describe, expect, test } from 'vitest';
import { EventReader } from '../server/event-reader.js';
import { Connection } from '../support/client.js';
import type { Frame } from '../support/frame.js';
import type { Answer, ErrorBody } from '../support/http.js';
import type { Person } from '../support/person.js';
import { shapesWith, townFor } from '../support/town.js';
import { until } from '../support/until.js';

const KEY = 'the-key-of-the-server-which-nobody-else-has';

describe.each(shapesWith({ SKEIN_SERVER_KEY: KEY }))('what a server may do on %s', (_shape, plan) => {
  const t = townFor(plan);

  const does = <Body = Frame & ErrorBody>(
    node: number,
    method: string,
    path: string,
    body?: object,
  ): Promise<Answer<Body>> => t.asks<Body>(node, `/v1/server/${path}`, { method, ...(body && { body }), token: KEY });
  const closesWith = (person: Person, code: number): Promise<unknown> =>
    until(
      () => person.line.closing?.code === code,
      () => `${person.deviceName} of ${person.uid} to be closed with ${code}: ${person.line.closing?.code}`,
      1_000,
    );
  /** How an attempt to come ends: with `in`, or with a close code. */
  const attempt = async (person: Person, node: number): Promise<number | 'in'> => {
    const line = await Connection.open(t.node(node).wsUrl({ uid: person.uid, device: person.deviceName }));
    await until(() => line.closing || line.frames.length > 0, 'a welcome or a close');
    if (line.frames.length === 0) return line.closing!.code;
    await line.close();
    return 'in';
  };
  const isKeptOut = (person: Person, node: number): Promise<unknown> =>
    until(async () => (await attempt(person, node)) === 4403, `${person.uid} to be kept out of node ${node}`, 1_000);
  const comesIn = (person: Person, node: number): Promise<unknown> =>
    until(async () => (await attempt(person, node)) === 'in', `${person.uid} to be let in on node ${node}`, 2_000);

  test.each([
    ['POST', 'messages', { sender: 'a', receiver: 'b', data: 1 }],
    ['POST', 'broadcast', { data: 1 }],
    ['POST', 'disconnect', { uid: 'a' }],
    ['PUT', 'bans/a', {}],
    ['DELETE', 'bans/a', undefined],
    ['DELETE', 'users/a', undefined],
    ['GET', 'stats', undefined],
  ] as const)('%s %s is for the server key only', async (method, path, body) => {
    for (const token of [undefined, 'wrong', `${KEY}x`]) {
      const request = { method, ...(body && { body }), ...(token !== undefined && { token }) };
      const answer = await t.asks(1, `/v1/server/${path}?uid=a`, request);
      expect(answer).toMatchObject({ status: 401, body: { error: { code: 'unauthorized' } } });
    }
  });

  test('it sends in the name of anybody, and once what it repeats', async () => {
    const bob = await t.user('bob').comesTo(2);
    const body = { sender: t.user('shop').uid, receiver: bob.uid, data: { order: 7 }, id: 'o7' };
    const sent = await does(1, 'POST', 'messages', body);
    expect(sent).toMatchObject({ status: 200, body: { type: 'sent', id: 'o7' } });
    expect(await bob.hears({ order: 7 })).toMatchObject({ sender: body.sender, seq: sent.body.seq });
    expect((await does(2, 'POST', 'messages', body)).body).toMatchObject({ seq: sent.body.seq, dup: true });
    for (const wrong of [{ receiver: bob.uid, data: 1 }, { ...body, sender: 'a b' }, { sender: 'a', data: 1 }, {}]) {
      expect((await does(1, 'POST', 'messages', wrong)).status).toBe(400);
    }
  });

  test('it sends to a room in the name of anybody, who is no member for it', async () => {
    const bob = await t.user('bob').comesTo(2);
    const shop = await t.user('shop').comesTo(1);
    const den = t.room('den');
    await bob.joins(den);
    const body = { sender: shop.uid, room: den.name, data: 'from outside', id: 'r1' };
    const sent = await does(1, 'POST', 'messages', body);
    expect(sent).toMatchObject({ status: 200, body: { type: 'sent', conv: den.conv } });
    expect(await bob.hears('from outside')).toMatchObject({ sender: shop.uid, room: den.name, seq: sent.body.seq });
    expect((await does(2, 'POST', 'messages', body)).body).toMatchObject({ seq: sent.body.seq, dup: true });
    expect(await shop.line.request({ type: 'send', room: den.name, data: 1 })).toMatchObject({ code: 'not_member' });
    expect(await shop.line.request({ type: 'history', conv: den.conv })).toMatchObject({ code: 'not_member' });
    const { conversations } = await shop.line.request({ type: 'conversations' });
    expect(conversations?.some(({ conv }) => conv === den.conv)).toBe(false);
    await shop.joins(den);
    expect(await shop.line.request({ type: 'send', room: den.name, data: 'inside' })).toMatchObject({ type: 'sent' });
    expect(await bob.hears('inside')).toMatchObject({ sender: shop.uid });
    const nowhere = await does(1, 'POST', 'messages', { ...body, room: t.room('nowhere').name });
    expect(nowhere).toMatchObject({ status: 404, body: { error: { code: 'not_found' } } });
  });

  test('it speaks to everybody, as the system or as whom it says', async () => {
    const bob = await t.user('bob').comesTo(2);
    expect(await does(1, 'POST', 'broadcast', { data: `to ${bob.uid}` })).toMatchObject({ status: 200 });
    expect(await bob.hears(`to ${bob.uid}`)).toMatchObject({ conv: 'all', broadcast: true, sender: 'system' });
    await does(1, 'POST', 'broadcast', { data: `again to ${bob.uid}`, sender: 'herald' });
    expect((await bob.hears(`again to ${bob.uid}`)).sender).toBe('herald');
    expect((await does(1, 'POST', 'broadcast', {})).status).toBe(400);
  });

  test('it disconnects a user everywhere, or one device, with the code it likes; they may come again', async () => {
    const phone = await t.user('bob').device('phone').comesTo(1);
    const laptop = await phone.device('laptop').comesTo(2);
    const alice = await t.user('alice').comesTo(2);
    expect(await does(1, 'POST', 'disconnect', { uid: phone.uid, device: 'laptop', code: 4777 })).toMatchObject({
      status: 200,
    });
    await closesWith(laptop, 4777);
    await phone.line.settles();
    await laptop.returnsTo(2);
    await does(2, 'POST', 'disconnect', { uid: phone.uid });
    await closesWith(phone, 4403);
    await closesWith(laptop, 4403);
    await alice.line.settles();
    await phone.returnsTo(2);
    for (const wrong of [
      {},
      { uid: 'a b' },
      { uid: 'a', code: 12 },
      { uid: 'a', code: 'x' },
      { uid: 'a', device: 7 },
    ]) {
      expect((await does(1, 'POST', 'disconnect', wrong)).status).toBe(400);
    }
    expect((await does(1, 'POST', 'disconnect', { uid: t.user('nobody').uid })).status).toBe(200);
  });

  test('a banned user is out on every node and transport within a second, until the ban is lifted', async () => {
    const bob = await t.user('bob').comesTo(1);
    const laptop = await bob.device('laptop').comesTo(2);
    const alice = await t.user('alice').comesTo(2);
    const stream = await EventReader.open(t.node(2).url, bob.uid, { device: 'stream' });
    await stream.first('synced');
    const poller = t.poller(bob.uid, 'poller');
    const waiting = poller.polls(2, { wait: 15, ack: (await poller.polls(2)).cursor });
    await t.poller(bob.uid, 'probe').polls(2);
    expect([200, 201]).toContain((await does(1, 'PUT', `bans/${bob.uid}`, {})).status);
    await Promise.all([closesWith(bob, 4403), closesWith(laptop, 4403), stream.ends(1_000)]);
    for (const node of [1, 2]) await isKeptOut(bob, node);
    await alice.says(bob, 'not for a poll that waits');
    expect((await waiting).messages).toEqual([]);
    for (const node of [1, 2]) {
      for (const path of ['/messages?wait=0', '/conversations', '/stream']) {
        expect((await bob.calls(node, 'GET', path)).status).toBe(403);
      }
      expect(await bob.posts(node, alice, 'let me in')).toMatchObject({
        status: 403,
        body: { error: { code: 'forbidden' } },
      });
      const line = await Connection.open(t.node(node).wsUrl());
      line.send({ type: 'hello', uid: bob.uid });
      expect((await line.closed).code).toBe(4403);
    }
    await alice.says(bob, 'when you are back');
    expect((await does(2, 'DELETE', `bans/${bob.uid}`)).status).toBe(200);
    for (const node of [1, 2]) await comesIn(bob, node);
    await bob.device('new').comesTo(2);
  });

  test('whoever comes back the moment they are banned is not overlooked', async () => {
    const bob = await t.user('bob').comesTo(1);
    const lines: Connection[] = [];
    const returning = setInterval(() => {
      if (lines.length > 40) return;
      const opening = Connection.open(t.node(1 + (lines.length % 2)).wsUrl({ uid: bob.uid }));
      opening.then(
        (line) => lines.push(line),
        () => clearInterval(returning),
      );
    }, 5);
    try {
      await until(() => lines.length > 5, 'some connections');
      await does(1, 'PUT', `bans/${bob.uid}`, {});
      for (const node of [1, 2]) await isKeptOut(bob, node);
    } finally {
      clearInterval(returning);
    }
    await until(() => lines.every(({ closing }) => closing?.code === 4403), 'every one of them to be closed', 2_000);
    expect(lines.length).toBeGreaterThan(5);
  });

  test('a banned device is out, and the others of the user stay', async () => {
    const phone = await t.user('bob').device('phone').comesTo(1);
    const laptop = await phone.device('laptop').comesTo(2);
    await does(2, 'PUT', `bans/${phone.uid}`, { device: 'phone' });
    await closesWith(phone, 4403);
    for (const node of [1, 2]) await isKeptOut(phone, node);
    expect((await phone.calls(1, 'GET', '/messages?wait=0&device=phone')).status).toBe(403);
    expect((await phone.calls(1, 'GET', '/messages?wait=0&device=tablet')).status).toBe(200);
    await laptop.line.settles();
    await does(1, 'DELETE', `bans/${phone.uid}`, { device: 'phone' });
    await comesIn(phone, 2);
    for (const wrong of [{ device: 'a b' }, { device: 7 }, { jti: 7 }]) {
      expect((await does(1, 'PUT', `bans/${phone.uid}`, wrong)).status).toBe(400);
    }
    expect((await does(1, 'PUT', 'bans/a%20b', {})).status).toBe(400);
  });

  test('an erased user is gone; what was said to others stays with them, without the name', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const carol = await t.user('carol').comesTo(1);
    const den = t.room('den');
    for (const person of [carol, alice, bob]) await person.joins(den);
    await alice.says(bob, 'my last words');
    await bob.says(alice, 'goodbye');
    await alice.says(den, 'farewell, den');
    await alice.says(alice, 'a note to self');
    await bob.hears('farewell, den');
    await alice.calls(1, 'PUT', `/blocks/${carol.uid}`);
    await bob.leaves();
    await does(1, 'POST', 'messages', { sender: carol.uid, receiver: alice.uid, data: 'pending' });
    expect((await does(2, 'DELETE', `users/${alice.uid}`)).status).toBe(200);
    await until(() => !alice.line.isOpen, 'her connection to be closed', 2_000);

    await bob.returnsTo(1);
    const list = await bob.calls<Frame>(2, 'GET', '/conversations');
    expect(list.text).not.toContain(alice.uid);
    const pages = await Promise.all(
      list.body.conversations!.map(({ conv }) => bob.asks({ type: 'history', conv, limit: 200 })),
    );
    const said = pages.flatMap((page) => page.messages!).map((message) => message.data);
    for (const words of ['my last words', 'goodbye', 'farewell, den']) expect(said).toContain(words);
    expect(JSON.stringify(pages)).not.toContain(alice.uid);
    const { members } = await bob.asks({ type: 'members', room: den.name });
    expect(members!.map(({ uid }) => uid).toSorted()).toEqual([bob.uid, carol.uid].toSorted());

    const again = await alice.device('new').comesTo(2);
    expect(again.heard().filter((data) => data !== undefined && data !== null)).toEqual([]);
    expect((await again.calls<unknown>(1, 'GET', '/blocks')).text).not.toContain(carol.uid);
    const left = (await again.asks({ type: 'conversations' })).conversations!.filter(({ conv }) => conv !== 'all');
    expect(left).toEqual([]);
    await again.says(bob, 'somebody new under an old name');
    await bob.hears('somebody new under an old name');
  });

  test('it is told how it goes, and what there is not', async () => {
    const stats = await does<unknown>(1, 'GET', 'stats');
    expect(stats.status).toBe(200);
    expect(stats.body).toBeTypeOf('object');
    expect((await does(1, 'GET', 'nothing')).status).toBe(404);
    expect([404, 405]).toContain((await does(1, 'POST', 'stats', {})).status);
  });
});
