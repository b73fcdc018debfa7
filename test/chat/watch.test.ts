import { expect, test } from 'vitest';
import type { Delivery } from '../../src/chat/delivery.js';
import { type Online, Unavailable } from '../../src/chat/ports.js';
import type { Session } from '../../src/chat/session.js';
import { Watch, type WatchParts } from '../../src/chat/watch.js';
import type { Uid } from '../../src/protocol/index.js';
import { until } from '../support/until.js';

const BOB = 'bob' as Uid;

/** A store whose answers come when the test says so. */
function scene() {
  const asked: ((states: readonly Online[]) => void)[] = [];
  const told: string[] = [];
  const faults: unknown[] = [];
  const parts: Pick<WatchParts, 'presence' | 'blocks' | 'words' | 'fault'> & { readonly delivery: unknown } = {
    presence: { online: () => new Promise((resolve) => asked.push(resolve)) } as WatchParts['presence'],
    blocks: { blockers: async () => [] } as unknown as WatchParts['blocks'],
    words: { toNodes: async () => undefined } as unknown as WatchParts['words'],
    delivery: { answer: (_session: Session, frame: string) => told.push(frame) },
    fault: (error) => faults.push(error),
  };
  const watch = new Watch({ ...parts, delivery: parts.delivery as Delivery });
  const session = { uid: 'alice', closed: false } as Session;
  return { watch, session, asked, told, faults };
}

test('who stops watching before the answer is there hears nothing more', async () => {
  const { watch, session, asked, told } = scene();
  const watching = watch.watch(session, [BOB], undefined);
  watch.unwatch(session, [BOB]);
  asked.shift()?.([{ uid: BOB, online: false, lastSeen: 0 }]);
  await watching;
  watch.hear({ came: [BOB] });
  await new Promise((resolve) => setImmediate(resolve));
  expect(asked).toEqual([]);
  expect(told).toEqual([]);
});

test('who goes on watching hears of a change', async () => {
  const { watch, session, asked, told } = scene();
  const watching = watch.watch(session, [BOB], undefined);
  asked.shift()?.([{ uid: BOB, online: false, lastSeen: 0 }]);
  expect(await watching).toHaveLength(1);
  watch.hear({ came: [BOB] });
  const answer = await until(() => asked.shift(), 'a look at who came');
  answer([{ uid: BOB, online: true, lastSeen: 5 }]);
  await until(() => told.length === 1, 'the news');
  expect(JSON.parse(told[0]!)).toEqual({ type: 'presence', uid: BOB, online: true, lastSeen: 5 });
});

test('whom the store could not tell of takes no place among the 500', async () => {
  const { watch, session, asked, told } = scene();
  const crowd = (name: string) => Array.from({ length: 300 }, (_, i) => `${name}${i}` as Uid);
  const failing = watch.watch(session, crowd('a'), undefined);
  asked.shift()?.(Promise.reject(new Unavailable('away')) as never);
  await expect(failing).rejects.toBeInstanceOf(Unavailable);
  const watching = watch.watch(session, crowd('b'), undefined);
  asked.shift()?.(crowd('b').map((uid) => ({ uid, online: false, lastSeen: 0 })));
  expect(await watching).toHaveLength(300);
  expect(told).toEqual([]);
});
