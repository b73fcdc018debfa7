/** What happens between a look at a room and the change that rests on it. */
import { expect, test } from 'vitest';
import { Membership } from '../../src/chat/membership.js';
import { type Backend, type RoomChange, Unavailable } from '../../src/chat/ports.js';
import { createMemoryBackend } from '../../src/memory/backend.js';
import { loadConfig } from '../../src/ops/config.js';
import type { RoomId, Uid } from '../../src/protocol/index.js';

const [ANN, BOB, CAT] = ['ann', 'bob', 'cat'] as Uid[] as [Uid, Uid, Uid];
const ROOM = 'den' as RoomId;

type Scene = {
  readonly membership: Membership;
  readonly backend: Backend;
  /** Runs once, right before the next change that fits is carried out. */
  meanwhile(fits: (change: RoomChange) => boolean, work: (others: Membership) => Promise<unknown>): void;
  owners(): Promise<readonly Uid[]>;
};

const LIMITS = { roomMembers: 100_000, userRooms: 1_000 };

function scene(): Scene {
  const loaded = loadConfig({});
  if ('errors' in loaded) throw new Error(loaded.errors.join('\n'));
  const backend = createMemoryBackend({ limits: loaded.config });
  const others = new Membership(backend, LIMITS);
  const waiting: { fits: (change: RoomChange) => boolean; work: (others: Membership) => Promise<unknown> }[] = [];
  const rooms: Backend['rooms'] = {
    ...backend.rooms,
    async change(change) {
      const at = waiting.findIndex(({ fits }) => fits(change));
      const [found] = at < 0 ? [] : waiting.splice(at, 1);
      await found?.work(others);
      return backend.rooms.change(change);
    },
  };
  return {
    backend,
    membership: new Membership({ ...backend, rooms }, LIMITS),
    meanwhile: (fits, work) => void waiting.push({ fits, work }),
    async owners() {
      const members = await backend.rooms.members(ROOM, undefined, 100);
      return members.filter(({ role }) => role === 'owner').map(({ uid }) => uid);
    },
  };
}

const isGoing =
  (uid: Uid) =>
  ({ roles }: RoomChange): boolean =>
    roles.some(([each, role]) => each === uid && role === undefined);

test('somebody who joins while the last owner goes owns the room', async () => {
  const { membership, meanwhile, owners } = scene();
  await membership.join(ANN, ROOM);
  meanwhile(isGoing(ANN), (others) => others.join(BOB, ROOM));
  expect(await membership.leave(ANN, ROOM)).toMatchObject({ seq: expect.any(Number) });
  expect(await owners()).toEqual([BOB]);
});

test('who founds the room anew while the last owner goes is its only owner', async () => {
  const { membership, meanwhile, owners } = scene();
  await membership.join(ANN, ROOM);
  meanwhile(isGoing(ANN), async (others) => {
    await others.leave(ANN, ROOM);
    await others.join(BOB, ROOM);
    await others.join(CAT, ROOM);
  });
  expect(await membership.leave(ANN, ROOM)).toEqual({ refused: 'not_member' });
  expect(await owners()).toEqual([BOB]);
});

test('an heir who leaves in between inherits nothing', async () => {
  const { membership, meanwhile, owners } = scene();
  await membership.join(ANN, ROOM);
  await membership.join(BOB, ROOM);
  await membership.join(CAT, ROOM);
  meanwhile(isGoing(ANN), (others) => others.leave(BOB, ROOM));
  await membership.leave(ANN, ROOM);
  expect(await owners()).toEqual([CAT]);
});

test('who is no admin any more when the change comes does not make it', async () => {
  const { membership, meanwhile, backend } = scene();
  await membership.join(ANN, ROOM);
  await membership.join(BOB, ROOM);
  await membership.join(CAT, ROOM);
  await membership.setRole({ uid: ANN }, ROOM, BOB, 'admin');
  meanwhile(isGoing(CAT), (others) => others.setRole({ uid: ANN }, ROOM, BOB, 'member'));
  expect(await membership.remove({ uid: BOB }, ROOM, CAT)).toEqual({ refused: 'forbidden' });
  expect((await backend.rooms.facts(ROOM, [CAT])).asked[0]?.role).toBe('member');
});

test('a door that shuts while somebody enters stays shut', async () => {
  const { membership, meanwhile } = scene();
  await membership.join(ANN, ROOM);
  meanwhile(
    () => true,
    (others) => others.rename({ uid: ANN }, ROOM, { private: true }),
  );
  expect(await membership.join(BOB, ROOM)).toEqual({ refused: 'forbidden' });
});

test('a room that never stands still is unavailable in the end', async () => {
  const { backend } = scene();
  const restless = new Membership({ ...backend, rooms: { ...backend.rooms, change: async () => 'changed' } }, LIMITS);
  await expect(restless.join(ANN, ROOM)).rejects.toBeInstanceOf(Unavailable);
});

test('a room takes as many members as it may, and nobody more', async () => {
  const { backend } = scene();
  const small = new Membership(backend, { ...LIMITS, roomMembers: 2 });
  await small.join(ANN, ROOM);
  expect(await small.join(BOB, ROOM)).toMatchObject({ seq: expect.any(Number) });
  expect(await small.join(CAT, ROOM)).toMatchObject({ refused: 'too_large' });
  expect(await small.setRole({ uid: ANN }, ROOM, CAT, 'admin')).toMatchObject({ refused: 'too_large' });
  expect(await small.setRole({ uid: ANN }, ROOM, BOB, 'admin')).toMatchObject({ seq: expect.any(Number) });
  const plan = { room: 'other' as RoomId, name: 'other', private: false, owner: ANN, members: [ANN, BOB, CAT] };
  expect(await small.create({ uid: ANN }, plan)).toMatchObject({ refused: 'too_large' });
  await small.leave(BOB, ROOM);
  expect(await small.join(CAT, ROOM)).toMatchObject({ seq: expect.any(Number) });
});
