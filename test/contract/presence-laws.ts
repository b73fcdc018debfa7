import { describe, expect, test } from 'vitest';
import { DEFAULT_DEVICE } from '../../src/protocol/index.js';
import { A, aNode, B, C, LAPTOP, PHONE, type Place, type Subject } from './town.js';

export function presenceLaws(subject: Subject): void {
  describe('a user', () => {
    test('is online while one of their connections is there', async () => {
      const here = await aNode(subject);
      await here.arrives(A, PHONE, 'phone');
      await here.arrives(A, LAPTOP, 'laptop');
      expect(await isOnline(here, A)).toBe(true);
      await here.leaves(A, 'phone');
      expect(await isOnline(here, A)).toBe(true);
      await here.leaves(A, 'laptop');
      expect(await isOnline(here, A)).toBe(false);
    });

    test('stays online when an old connection of the same device leaves late', async () => {
      const here = await aNode(subject);
      await here.arrives(A, DEFAULT_DEVICE, 'old');
      await here.arrives(A, DEFAULT_DEVICE, 'new');
      await here.leaves(A, 'old');
      await here.leaves(A, 'old');
      await here.leaves(A, 'never there');
      expect(await isOnline(here, A)).toBe(true);
    });

    test('was last seen when they left, or never', async () => {
      const here = await aNode(subject);
      const { ts } = await here.arrives(A, DEFAULT_DEVICE, 'conn');
      await here.leaves(A, 'conn');
      const [alice, bob] = await here.node.presence.online([A, B]);
      expect(alice?.online).toBe(false);
      expect(alice?.lastSeen).toBeGreaterThanOrEqual(ts);
      expect(bob).toEqual({ uid: B, online: false, lastSeen: 0 });
    });

    test('is told of in the order of the question', async () => {
      const here = await aNode(subject);
      await here.arrives(B);
      const answer = await here.node.presence.online([C, B, A]);
      expect(answer.map(({ uid, online }) => [uid, online])).toEqual([
        [C, false],
        [B, true],
        [A, false],
      ]);
      expect(await here.node.presence.online([])).toEqual([]);
    });

    test('is put back by the node that holds them, as often as it likes', async () => {
      const here = await aNode(subject);
      await here.arrives(A, DEFAULT_DEVICE, 'conn');
      await here.node.devices.assert([
        { uid: A, conn: 'conn' },
        { uid: B, conn: 'unheard of' },
      ]);
      expect([await isOnline(here, A), await isOnline(here, B)]).toEqual([true, true]);
      await here.leaves(A, 'conn');
      await here.leaves(B, 'unheard of');
      expect([await isOnline(here, A), await isOnline(here, B)]).toEqual([false, false]);
    });
  });
}

async function isOnline(here: Place, uid: typeof A): Promise<boolean | undefined> {
  return (await here.node.presence.online([uid]))[0]?.online;
}
