import { afterEach, describe, expect, test, vi } from 'vitest';
import type { StoreLimits } from '../../src/chat/store-limits.js';
import { createMemoryBackend } from '../../src/memory/backend.js';
import { createBlocks } from '../../src/memory/blocks.js';
import { createDevices } from '../../src/memory/devices.js';
import { Hints } from '../../src/memory/hints.js';
import { createLog } from '../../src/memory/log.js';
import { Store } from '../../src/memory/store.js';
import { sweep } from '../../src/memory/sweep.js';
import { ALL, DEFAULT_DEVICE, dmOf } from '../../src/protocol/index.js';
import { Recorder } from '../support/recorder.js';
import { amending, react } from './social-town.js';
import { A, AB, B, EVERYBODY, inRoom, letter, PHONE, Place, ROOM, stored, to, user } from './town.js';

const HOUR = 3_600_000;
const LIMITS: StoreLimits = {
  pendingMessages: 10,
  pendingBytes: 1_000_000,
  strangerMessages: 10,
  strangers: 10,
  conversations: 1_000,
  retentionMessages: 16,
  retentionMs: 10 * HOUR,
  dedupMs: HOUR,
  devices: 32,
  deviceMs: 10 * HOUR,
};

/** A backend whose clock the test turns. */
async function aClock(limits: Partial<StoreLimits> = {}): Promise<{ here: Place; pass: (ms: number) => void }> {
  let now = 1_760_000_000_000;
  const backend = createMemoryBackend({ limits: { ...LIMITS, ...limits }, now: () => now });
  return {
    here: new Place(backend, new Recorder()),
    pass: (ms) => {
      now += ms;
    },
  };
}

describe('the embedded backend', () => {
  test('forgets a device that was away too long, and only that one', async () => {
    const { here, pass } = await aClock();
    await here.arrives(B, PHONE, 'phone');
    await here.leaves(B, 'phone');
    await here.arrives(B, DEFAULT_DEVICE);
    const { seq } = await here.says(A, to(B), 'hello');
    pass(10 * HOUR);
    await here.says(A, to(B), 'hello again');
    await here.acks(B, AB, seq);
    expect(await here.pendingFor(B)).toEqual(new Map([[AB, seq]]));
    expect(await here.pendingFor(B, PHONE)).toEqual(new Map([[AB, seq]]));
  });

  test('never gives a number twice, even if a room ends and begins within one tick of the clock', async () => {
    const { here } = await aClock();
    const founded = await here.founds(ROOM, A);
    const { seq } = await here.says(A, inRoom(ROOM), 'hello');
    const left = await here.quits(A, ROOM, 'owner');
    expect([seq, left]).toEqual([founded + 1, founded + 2]);
    expect(await here.founds(ROOM, A)).toBe(left + 1);
  });

  test('gives a log that nothing may be taken from an end for what changes its messages', async () => {
    const { here } = await aClock();
    const { seq } = await here.says(A, to(B), 'never acknowledged');
    const { amendments } = here.node;
    const reacts = async () => {
      const { item } = await amendments.original(AB, seq);
      return amendments.amend({
        letter: amending(A, AB, seq, react('x')),
        op: 'react',
        ref: seq,
        replace: [same(item)],
      });
    };
    const same = (item: string | undefined) => ({ seq, was: item!, becomes: item! });
    let stored = 0;
    while (stored < 1_000 && !('refused' in Object(await reacts()))) stored++;
    expect(stored).toBe(LIMITS.retentionMessages + 1 + 2 * LIMITS.pendingMessages - 1);
    expect(await reacts()).toEqual({ refused: 'too_large' });
    await here.acks(B, AB, seq);
    await here.says(B, to(A), 'goes on');
  });

  test('does not erase a user to a name that has a conversation already', async () => {
    const { here } = await aClock();
    const alias = user('alias');
    await here.says(A, to(B), 'one');
    await here.says(alias, to(B), 'two');
    await expect(here.node.erasure.erase(A, alias)).rejects.toThrow('already');
    expect(await here.texts(AB)).toEqual(['one']);
  });

  test('lets go of what waited for a user who is erased', async () => {
    const { here } = await aClock();
    await here.arrives(A);
    for (let i = 0; i < LIMITS.pendingMessages; i++) await here.says(B, to(A), `${i}`);
    expect(await here.tries(B, to(A), 'too many')).toEqual({ refused: 'box_full' });
    await here.node.erasure.erase(A, user('alias'));
    for (let i = 0; i < LIMITS.pendingMessages; i++) await here.says(B, to(user('alias')), `${i}`);
    expect((await here.items(dmOf(B, user('alias')))).length).toBe(LIMITS.pendingMessages * 2);
  });

  test('never gives a number twice, even if a user is erased and comes back within one tick of the clock', async () => {
    const { here } = await aClock();
    await here.says(A, to(B), 'one');
    const { seq } = await here.says(A, to(B), 'two');
    await here.node.erasure.erase(A, user('alias'));
    expect((await here.says(A, to(B), 'three')).seq).toBe(seq + 1);
  });

  test('remembers whom somebody blocks who is not there for long', async () => {
    let now = 1_760_000_000_000;
    const store = new Store(LIMITS, () => now);
    await createBlocks(store).block(A, B, true);
    now += 100 * HOUR;
    sweep(store);
    expect(await createBlocks(store).blockers(B, [A])).toEqual([A]);
  });

  test('lets a user begin a conversation again when nothing is left of another', async () => {
    let now = 1_760_000_000_000;
    const store = new Store({ ...LIMITS, conversations: 1 }, () => now);
    const log = createLog(store, new Hints());
    const tries = async (name: string) => (await log.append([letter(A, to(user(name)), 'hello')]))[0];
    await tries('X');
    expect(await tries('Y')).toEqual({ refused: 'box_full' });
    now += 100 * HOUR;
    sweep(store);
    expect(await tries('Y')).toMatchObject({ dup: false });
  });

  test('keeps nothing of who was not there for long, nor of what they wrote', async () => {
    let now = 1_760_000_000_000;
    const store = new Store(LIMITS, () => now);
    const log = createLog(store, new Hints());
    const devices = createDevices(store);
    await devices.enter({ uid: A, device: PHONE }, 'conn');
    const names = Array.from({ length: 100 }, (_, i) => user(`u${i}`));
    const outcomes = await log.append(names.map((name) => letter(name, to(A), 'hello', 'id')));
    await devices.mark([{ uid: A, conv: AB, read: 0 }]);
    await devices.leave(A, 'conn');
    const [head] = outcomes.map((outcome) => stored(outcome).seq);
    now += 10 * HOUR;
    sweep(store);
    expect(store.journals.size).toBe(100);
    expect([...store.journals.values()].every((journal) => journal.length === 0)).toBe(true);
    now += 10 * HOUR;
    sweep(store);
    sweep(store);
    expect([store.journals.size, store.users.size]).toEqual([0, 0]);
    const again = stored((await log.append([letter(names[0]!, to(A), 'hello', 'id')]))[0]);
    expect(again.seq).toBeGreaterThan(head!);
  });

  test('keeps everybody’s head, however idle', async () => {
    let now = 1_760_000_000_000;
    const store = new Store(LIMITS, () => now);
    const log = createLog(store, new Hints());
    const { seq } = stored((await log.append([letter(A, EVERYBODY, 'hello')]))[0]);
    now += 100 * HOUR;
    sweep(store);
    expect(await log.read(ALL, 0, 10, 1e6)).toMatchObject({ items: [], head: seq, gone: seq, goneBy: 'expired' });
  });
});

describe('its timer', () => {
  afterEach(() => vi.useRealTimers());

  test('is gone when it is closed', async () => {
    vi.useFakeTimers();
    const backend = createMemoryBackend({ limits: LIMITS });
    await backend.start('the only one', new Recorder());
    expect([vi.getTimerCount(), backend.health().ready]).toEqual([1, true]);
    await expect(backend.start('another', new Recorder())).rejects.toThrow('one node');
    await backend.close();
    await backend.close();
    expect([vi.getTimerCount(), backend.health().ready]).toEqual([0, false]);
  });
});
