import { describe, expect, test } from 'vitest';
import type { ErrorBody } from '../support/http.js';
import type { Person } from '../support/person.js';
import { SHAPES, townFor } from '../support/town.js';
import { until } from '../support/until.js';

interface Presence {
  readonly presence: readonly { readonly uid: string; readonly online: boolean; readonly lastSeen: number }[];
}

describe.each(SHAPES)('acknowledging on %s', (_shape, plan) => {
  const t = townFor(plan);

  const pendingOf = async (person: Person): Promise<unknown[]> =>
    (await t.poller(person.uid, person.deviceName).polls(2)).messages.map((message) => message.data);

  test('an ack beyond the head is an error and acknowledges nothing', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2, { ack: 'manual' });
    const sent = await alice.says(bob, 'one');
    await bob.hears('one');
    const beyond = await bob.asks({ type: 'ack', conv: sent.conv, seq: sent.seq! + 1 });
    expect(beyond).toMatchObject({ type: 'error', code: 'bad_request' });
    await bob.leaves();
    await bob.returnsTo(1);
    expect(bob.heard()).toEqual(['one']);
  });

  test('an ack over HTTP counts at once', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = t.user('bob').device('http');
    await alice.says(bob, 'one');
    const two = await alice.says(bob, 'two');
    await alice.says(bob, 'three');
    const poller = t.poller(bob.uid, 'http');
    expect((await poller.polls(1)).messages).toHaveLength(3);
    const path = `/v1/conversations/${encodeURIComponent(two.conv!)}/ack?uid=${bob.uid}&device=http`;
    expect(await t.asks(2, path, { body: { seq: two.seq } })).toMatchObject({ status: 200, body: {} });
    expect((await poller.polls(3)).messages.map((message) => message.data)).toEqual(['three']);
    expect((await t.asks(1, path, { body: { seq: two.seq! + 2 } })).status).toBe(400);
    expect((await t.asks(1, path, { body: { seq: 'x' } })).status).toBe(400);
  });

  test('with auto a message is confirmed by a pong: who never answers a ping has it still pending', async () => {
    const alice = await t.user('alice').comesTo(1);
    const deaf = await t.user('deaf').comesTo(2, { autoPong: false });
    await alice.says(deaf, 'do you hear me?');
    await deaf.hears('do you hear me?');
    await until(() => deaf.line.pings > 0, 'a ping that asks for confirmation', 4_000);
    await deaf.line.settles();
    await deaf.vanishes();
    await deaf.returnsTo(3);
    expect(deaf.heard()).toEqual(['do you hear me?']);
  });

  test('with auto whoever answered a ping after it has it no longer pending', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    await alice.says(bob, 'got it?');
    await bob.hears('got it?');
    const before = bob.line.pings;
    await until(() => bob.line.pings > before, 'a ping that asks for confirmation', 4_000);
    await until(async () => (await pendingOf(bob)).length === 0, 'the pong to count');
    await bob.vanishes();
    await bob.returnsTo(3);
    expect(bob.heard()).toEqual([]);
  });

  test('with auto an orderly close confirms what came', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2, { autoPong: false });
    await alice.says(bob, 'goodbye');
    await bob.hears('goodbye');
    await bob.leaves();
    await bob.returnsTo(3);
    expect(bob.heard()).toEqual([]);
  });

  test('with manual nothing but an ack confirms', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2, { ack: 'manual' });
    await alice.says(bob, 'kept');
    await bob.hears('kept');
    await bob.line.settles();
    await bob.leaves();
    await bob.returnsTo(1);
    expect(bob.heard()).toEqual(['kept']);
    bob.acks(await bob.hears('kept'));
    await until(async () => (await pendingOf(bob)).length === 0, 'the ack to count');
  });

  const lookAt = async (uid: string): Promise<Presence['presence'][number] | undefined> => {
    const asker = t.user('asker');
    const answer = await t.asks<Presence & ErrorBody>(3, `/v1/presence?uid=${asker.uid}&of=${uid}`);
    expect(answer.status).toBe(200);
    return answer.body.presence.find((entry) => entry.uid === uid);
  };

  test('whoever is connected is online on every node, and offline soon after leaving', async () => {
    const bob = await t.user('bob').comesTo(1);
    await until(async () => (await lookAt(bob.uid))?.online, 'bob to be online');
    await bob.leaves();
    await until(async () => (await lookAt(bob.uid))?.online === false, 'bob to be offline', 8_000);
    expect(Math.abs((await lookAt(bob.uid))!.lastSeen - Date.now())).toBeLessThan(60_000);
  });

  test('whoever polls is online, and one of two connections keeps a user online', async () => {
    const poller = t.poller(t.user('poller').uid);
    await poller.polls(1);
    await until(async () => (await lookAt(poller.uid))?.online, 'the poller to be online');
    const phone = await t.user('bob').device('phone').comesTo(1);
    const laptop = await phone.device('laptop').comesTo(2);
    await phone.leaves();
    await laptop.line.settles();
    expect((await lookAt(phone.uid))?.online).toBe(true);
  });

  test('several can be asked for at once, and who was never here is offline', async () => {
    const bob = await t.user('bob').comesTo(1);
    const nobody = t.user('nobody');
    await until(async () => (await lookAt(bob.uid))?.online, 'bob to be online');
    const path = `/v1/presence?uid=${bob.uid}&of=${bob.uid}&of=${nobody.uid}`;
    const { presence } = (await t.asks<Presence>(2, path)).body;
    expect(presence.map(({ uid, online }) => ({ uid, online }))).toEqual([
      { uid: bob.uid, online: true },
      { uid: nobody.uid, online: false },
    ]);
  });
});
