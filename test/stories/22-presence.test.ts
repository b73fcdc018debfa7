import { describe, expect, test } from 'vitest';
import type { Frame } from '../support/frame.js';
import type { Person } from '../support/person.js';
import { shapesWith, town, townFor } from '../support/town.js';
import { until } from '../support/until.js';

const presenceOf = (watcher: Person, watched: Person): Frame[] =>
  watcher.line.frames.filter((frame) => frame.type === 'presence' && frame.uid === watched.uid);

const isSeen = (watcher: Person, watched: Person, online: boolean, deadline = 12_000): Promise<unknown> =>
  until(
    () => presenceOf(watcher, watched).at(-1)?.online === online,
    () => `${watched.uid} to be seen ${online ? 'online' : 'offline'}: ${JSON.stringify(presenceOf(watcher, watched))}`,
    deadline,
  );

/** Watches people and waits for what each of them is now. */
async function watches(watcher: Person, ...people: readonly Person[]): Promise<void> {
  watcher.line.send({ type: 'watch', uids: people.map((person) => person.uid) });
  const areTold = (): boolean => people.every((person) => presenceOf(watcher, person).length > 0);
  await until(areTold, `a presence frame for each of ${people.map((person) => person.uid)}`);
}

describe.concurrent.each(shapesWith({}))('watching on %s', (_shape, plan) => {
  const t = townFor(plan);

  test('one is told at once how each is, with the id, and then of every change', async () => {
    const bob = await t.user('bob').comesTo(2);
    const carol = t.user('carol');
    const nobody = t.user('nobody');
    const alice = await t.user('alice').comesTo(1);
    const uids = [bob, carol, nobody].map((person) => person.uid);
    alice.line.send({ type: 'watch', id: 'w1', uids });
    const isTold = (): boolean => uids.every((uid) => alice.line.frames.some((frame) => frame.uid === uid && frame.id));
    await until(isTold, 'a frame for each');
    const now = alice.line.frames.filter((frame) => frame.type === 'presence');
    expect(now.map((frame) => frame.uid).toSorted()).toEqual(uids.toSorted());
    for (const frame of now) expect(frame).toMatchObject({ id: 'w1', online: frame.uid === bob.uid });
    await carol.comesTo(2);
    await isSeen(alice, carol, true);
    expect(presenceOf(alice, carol).at(-1)).not.toHaveProperty('id');
    expect(Math.abs(presenceOf(alice, carol).at(-1)!.lastSeen! - Date.now())).toBeLessThan(60_000);
  });

  test('whoever leaves is offline about 5 s later, and whoever loads again meanwhile never was', async () => {
    const alice = await t.user('alice').comesTo(1);
    const dave = await t.user('dave').comesTo(1);
    const reloading = await t.user('reloading').comesTo(2);
    const leaving = await t.user('leaving').comesTo(2);
    const phone = await t.user('twofold').device('phone').comesTo(1);
    const laptop = await phone.device('laptop').comesTo(2);
    const losing = await t.user('losing').comesTo(2);
    for (const watcher of [alice, dave]) await watches(watcher, reloading, leaving, phone, losing);
    for (const person of [reloading, leaving, phone, losing]) await isSeen(alice, person, true);
    await reloading.leaves();
    await phone.leaves();
    await reloading.returnsTo(1);
    const start = performance.now();
    await leaving.leaves();
    await losing.vanishes();
    await isSeen(alice, leaving, false);
    expect(performance.now() - start).toBeGreaterThan(3_500);
    await isSeen(dave, leaving, false);
    await isSeen(alice, losing, false);
    expect(Math.abs(presenceOf(alice, leaving).at(-1)!.lastSeen! - Date.now())).toBeLessThan(60_000);
    // They had left before, so that their going would have been seen before.
    for (const person of [reloading, phone]) {
      expect(presenceOf(alice, person).filter((frame) => !frame.online)).toEqual([]);
    }
    await laptop.line.settles();
  });

  test('whoever loads again and again is never seen to go, however it falls', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = await t.user('bob').comesTo(2);
    await watches(alice, bob);
    await isSeen(alice, bob, true);
    const start = performance.now();
    const isOver = async (): Promise<boolean> => {
      await bob.leaves();
      await alice.line.settles();
      await bob.returnsTo(1 + (Math.floor(performance.now()) % 2));
      return performance.now() - start > 7_000;
    };
    await until(isOver, 'seven seconds of loading', 12_000);
    expect(presenceOf(alice, bob).filter((frame) => !frame.online)).toEqual([]);
  });

  test('who is watched no more is told of no more', async () => {
    const alice = await t.user('alice').comesTo(1);
    const bob = t.user('bob');
    const carol = t.user('carol');
    await watches(alice, bob, carol);
    alice.line.send({ type: 'unwatch', uids: [bob.uid] });
    await alice.line.settles();
    const before = presenceOf(alice, bob).length;
    await bob.comesTo(2);
    await carol.comesTo(2);
    await isSeen(alice, carol, true);
    expect(presenceOf(alice, bob)).toHaveLength(before);
    expect(alice.line.frames.filter((frame) => frame.type === 'error')).toEqual([]);
  });

  test('500 are watched at a time and no more', async () => {
    const alice = await t.user('alice').comesTo(1);
    const uids = Array.from({ length: 500 }, (_, index) => `${alice.uid}.${index}`);
    alice.line.send({ type: 'watch', uids });
    const told = (): number => alice.line.frames.filter((frame) => frame.type === 'presence').length;
    await until(
      () => told() === 500,
      () => `500 presence frames; ${told()} came`,
    );
    const tooMany = await alice.asks({ type: 'watch', uids: [`${alice.uid}.more`] });
    expect(tooMany.type).toBe('error');
    alice.line.send({ type: 'unwatch', uids: uids.slice(0, 1) });
    await alice.line.settles();
    const fits = await alice.asks({ type: 'watch', uids: [`${alice.uid}.more`] });
    expect(fits).toMatchObject({ type: 'presence', online: false });
  });

  test.each([{}, { uids: 'B' }, { uids: [7] }, { uids: ['a b'] }, { uids: [null] }])(
    'watching %j is a bad request',
    async (wrong) => {
      const alice = await t.user('alice').comesTo(1);
      expect(await alice.asks({ type: 'watch', ...wrong })).toMatchObject({ type: 'error', code: 'bad_request' });
      expect(await alice.asks({ type: 'unwatch', ...wrong })).toMatchObject({ type: 'error', code: 'bad_request' });
    },
  );

  test('over HTTP presence is asked for by name, and only by somebody', async () => {
    const alice = await t.user('alice').comesTo(1);
    expect(await alice.calls(2, 'GET', `/presence?of=${alice.uid}`)).toMatchObject({
      status: 200,
      body: { presence: [{ uid: alice.uid, online: true, lastSeen: expect.any(Number) }] },
    });
    expect((await alice.calls(1, 'GET', '/presence?of=a%20b')).status).toBe(400);
    expect((await t.asks(1, `/v1/presence?of=${alice.uid}`)).status).toBe(401);
  });
});

describe.concurrent('a node that is killed', () => {
  test('leaves its people offline within 15 s for who watches from another', async () => {
    const t = await town({ nodes: 2, redis: true });
    try {
      const alice = await t.user('alice').comesTo(2);
      const staying = await t.user('staying').comesTo(2);
      const bob = await t.user('bob').comesTo(1);
      const phone = await t.user('carol').device('phone').comesTo(1);
      await phone.device('laptop').comesTo(2);
      await watches(alice, bob, phone, staying);
      const start = performance.now();
      await t.node(1).kill('SIGKILL');
      await isSeen(alice, bob, false, 20_000);
      expect(performance.now() - start).toBeLessThan(15_500);
      await alice.line.settles();
      for (const person of [phone, staying]) expect(presenceOf(alice, person).at(-1)!.online).toBe(true);
      const { body } = await alice.calls<{ presence: Frame[] }>(2, 'GET', `/presence?of=${bob.uid}&of=${phone.uid}`);
      expect(body.presence.map((entry) => entry.online)).toEqual([false, true]);
    } finally {
      await t.closes();
    }
  });
});
