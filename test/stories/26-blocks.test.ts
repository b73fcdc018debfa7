import { describe, expect, test } from 'vitest';
import { EventReader } from '../server/event-reader.js';
import type { Frame } from '../support/frame.js';
import type { Audience, Person } from '../support/person.js';
import { shapesWith, townFor } from '../support/town.js';
import { until } from '../support/until.js';

describe.each(shapesWith({}))('blocking on %s', (_shape, plan) => {
  const t = townFor(plan);

  const asks = async (who: Person, whom: Person, method: 'PUT' | 'DELETE'): Promise<void> => {
    const { status } = await who.calls(2, method, `/blocks/${whom.uid}`);
    expect([200, 201]).toContain(status);
  };
  /** From when this resolves on, every node knows: it shows in what comes to somebody who is connected. */
  const blocks = async (who: Person, whom: Person, method: 'PUT' | 'DELETE' = 'PUT'): Promise<void> => {
    await asks(who, whom, method);
    const isKnown = async (): Promise<boolean> => {
      const probe = await arrives(who, await whom.says(who, 'probe'));
      return (probe.blocked ?? false) === (method === 'PUT');
    };
    await until(isKnown, 'the block to be known', 1_000);
  };
  const expectHidden = (frame: Frame | undefined, sent: Frame): void => {
    expect(frame).toMatchObject({ conv: sent.conv, seq: sent.seq, blocked: true });
    expect(frame).not.toHaveProperty('data');
  };
  const arrives = (who: Person, sent: Frame): Promise<Frame> =>
    who.line.first(
      ({ type, conv, seq }) => type === 'message' && conv === sent.conv && seq === sent.seq,
      `${who.uid} to get ${sent.seq} of ${sent.conv}`,
    );

  test('the list of the blocked is kept, and only for oneself', async () => {
    const alice = t.user('alice');
    const [bob, carol] = [t.user('bob'), t.user('carol')];
    await asks(alice, bob, 'PUT');
    await asks(alice, bob, 'PUT');
    await asks(alice, carol, 'PUT');
    await asks(alice, carol, 'DELETE');
    const list = await alice.calls<unknown>(1, 'GET', '/blocks');
    expect(list.status).toBe(200);
    expect(list.text).toContain(`"${bob.uid}"`);
    expect(list.text).not.toContain(carol.uid);
    expect((await bob.calls<unknown>(1, 'GET', '/blocks')).text).not.toContain(alice.uid);
    expect((await alice.calls(1, 'PUT', '/blocks/a%20b')).status).toBe(400);
    expect((await t.asks(1, '/v1/blocks')).status).toBe(401);
  });

  test('what a blocked sender writes is answered and stored, and comes without its data, in every kind of conversation', async () => {
    const alice = await t.user('alice').comesTo(1);
    const laptop = await alice.device('laptop').comesTo(2);
    const bob = await t.user('bob').comesTo(2);
    const carol = await t.user('carol').comesTo(1);
    const den = t.room('den');
    for (const person of [alice, bob, carol]) await person.joins(den);
    await blocks(alice, bob);
    const targets: Audience[] = [alice, den, 'everybody'];
    for (const to of targets) {
      const words = `insult to ${bob.convWith(to)}`;
      const sent = await bob.says(to, words);
      for (const device of [alice, laptop]) expectHidden(await arrives(device, sent), sent);
      if (to !== alice) await carol.hears(words);
      // Its numbers go on as for everybody, and others' words come with their data in between.
      if (to !== alice) await carol.says(to, `kind words in ${bob.convWith(to)}`);
      if (to !== alice) await alice.hears(`kind words in ${bob.convWith(to)}`);
      const page = await alice.asks({ type: 'history', conv: sent.conv, after: sent.seq! - 1, limit: 1 });
      expectHidden(page.messages![0], sent);
      expect((await bob.asks({ type: 'history', conv: sent.conv })).messages!.at(to === alice ? -1 : -2)).toMatchObject(
        {
          data: words,
        },
      );
    }
    for (const device of [alice, laptop]) expect(device.line.texts.join()).not.toContain('insult');
  });

  test('by poll, by stream, after being away, and in the list of conversations it is the same', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    await blocks(alice, bob);
    await alice.leaves();
    const sent = await bob.says(alice, 'insult while you are away');
    const poll = await t.poller(alice.uid, 'new').asks(2, { wait: '0' });
    expectHidden(
      poll.body.messages.find(({ conv, seq }) => conv === sent.conv && seq === sent.seq),
      sent,
    );
    const stream = await EventReader.open(t.node(2).url, alice.uid, { device: 'streaming' });
    const streamed = (wanted: Frame): Promise<Frame> =>
      until(() => stream.messages.find(({ frame }) => frame.seq === wanted.seq)?.frame, `${wanted.seq} by stream`);
    expectHidden(await streamed(sent), sent);
    const live = await bob.says(alice, 'insult while you listen');
    expectHidden(await streamed(live), live);
    stream.leave();
    await alice.returnsTo(2);
    expectHidden(await arrives(alice, sent), sent);
    const list = await alice.calls<Frame>(1, 'GET', '/conversations');
    expectHidden(list.body.conversations!.find(({ conv }) => conv === sent.conv)!.last, live);
    const path = `/conversations/${encodeURIComponent(sent.conv!)}/messages`;
    const texts = [poll.text, list.text, (await alice.calls(1, 'GET', path)).text, ...alice.line.texts];
    for (const text of [...texts, JSON.stringify(stream.events)]) expect(text).not.toContain('insult');
  });

  test('an edit of a blocked sender brings no data either', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    await blocks(alice, bob);
    const sent = await bob.says(alice, 'insult');
    const edit = await bob.asks({ type: 'edit', conv: sent.conv, seq: sent.seq, data: 'worse insult' });
    await arrives(alice, edit);
    await alice.asks({ type: 'history', conv: sent.conv });
    for (const text of alice.line.texts) expect(text).not.toContain('insult');
  });

  test('the blocked sender sees no receipt, no typing and no presence; the other way round all is as ever', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    await blocks(alice, bob);
    const sent = await bob.says(alice, 'do you see me?');
    await arrives(alice, sent);
    // Until a moment ago nothing was blocked.
    const before = bob.line.frames.length;
    alice.line.send({ type: 'read', conv: sent.conv, seq: sent.seq });
    bob.line.send({ type: 'typing', receiver: alice.uid });
    expect(await bob.asks({ type: 'watch', uids: [alice.uid] })).toMatchObject({ type: 'presence', online: false });
    expect(await bob.calls(1, 'GET', `/presence?of=${alice.uid}`)).toMatchObject({
      body: { presence: [{ uid: alice.uid, online: false }] },
    });
    await alice.leaves();
    await alice.returnsTo(2);
    expect(await alice.asks({ type: 'watch', uids: [bob.uid] })).toMatchObject({ type: 'presence', online: true });
    alice.line.send({ type: 'typing', receiver: bob.uid });
    const list = await bob.asks({ type: 'conversations' });
    const line = list.conversations!.find(({ conv }) => conv === sent.conv)!;
    expect(line.peer!.read).toBeLessThan(sent.seq!);
    const bobsPhone = await bob.device('phone').comesTo(1);
    await alice.says(bob, 'I talk to you all the same');
    for (const device of [bob, bobsPhone]) {
      await device.hears('I talk to you all the same');
      await device.line.settles();
    }
    const seen = [...bob.line.frames.slice(before), ...bobsPhone.line.frames].filter(({ uid }) => uid === alice.uid);
    expect(seen.filter(({ type, read }) => type === 'receipt' && read! >= sent.seq!)).toEqual([]);
    expect(seen.filter(({ type, online }) => type === 'presence' && online)).toEqual([]);
    expect(alice.line.frames.filter(({ type }) => type === 'typing')).toEqual([]);
  });

  test('in a room that both are in, who blocks is offline for the blocked one, however the members are asked for', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    const carol = await t.user('carol').comesTo(1);
    const room = `yard.${alice.uid}`;
    expect(await alice.calls(1, 'POST', '/rooms', { room, members: [bob.uid, carol.uid] })).toMatchObject({
      status: 201,
    });
    await blocks(alice, bob);
    const isOnline = async (viewer: Person): Promise<unknown[]> => {
      const listed = await viewer.asks({ type: 'members', room });
      const looked = await viewer.calls<Frame>(1, 'GET', `/rooms/${room}`);
      return [listed, looked.body].map(({ members }) => members!.find(({ uid }) => uid === alice.uid)!.online);
    };
    expect(await isOnline(bob)).toEqual([false, false]);
    expect(await isOnline(carol)).toEqual([true, true]);
  });

  test('what is read or acknowledged over HTTP, on whatever node, is not told to the blocked sender', async () => {
    const alice = t.user('alice');
    const bob = await t.user('bob').comesTo(2);
    await asks(alice, bob, 'PUT');
    const sent = await bob.says(alice, 'do you see me?');
    for (const node of [1, 2]) {
      const poller = t.poller(alice.uid, `p${node}`);
      const { cursor } = await poller.polls(node);
      await poller.polls(node, { ack: cursor });
      const path = `/conversations/${encodeURIComponent(sent.conv!)}`;
      expect((await alice.calls(node, 'POST', `${path}/ack`, { seq: sent.seq })).status).toBe(200);
      expect((await alice.calls(node, 'POST', `${path}/read`, { seq: sent.seq })).status).toBe(200);
    }
    const list = await alice.calls<Frame>(1, 'GET', '/conversations');
    expect(list.body.conversations!.find(({ conv }) => conv === sent.conv)).toMatchObject({ read: sent.seq });
    await bob.line.settles();
    await bob.device('new').comesTo(1);
    await bob.returnsTo(2);
    expect(bob.line.frames.filter(({ type, uid }) => type === 'receipt' && uid === alice.uid)).toEqual([]);
    const line = (await bob.asks({ type: 'conversations' })).conversations!.find(({ conv }) => conv === sent.conv)!;
    expect(line.peer).toEqual({ delivered: 0, read: 0 });
  });

  test('after unblocking everything comes again', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    await blocks(alice, bob);
    await arrives(alice, await bob.says(alice, 'unheard'));
    await blocks(alice, bob, 'DELETE');
    const sent = await bob.says(alice, 'heard again');
    await alice.hears('heard again');
    alice.line.send({ type: 'read', conv: sent.conv, seq: sent.seq });
    await bob.line.first(
      ({ type, uid, read }) => type === 'receipt' && uid === alice.uid && read === sent.seq,
      'the receipt',
    );
    expect(await bob.asks({ type: 'watch', uids: [alice.uid] })).toMatchObject({ online: true });
    bob.line.send({ type: 'typing', receiver: alice.uid });
    await alice.line.firstOf('typing');
  });
});
