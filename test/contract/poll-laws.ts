import { describe, expect, test } from 'vitest';
import { ALL } from '../../src/protocol/index.js';
import { A, AB, aNode, LAPTOP, PHONE, type Subject } from './town.js';

const phone = { uid: A, device: PHONE };
const laptop = { uid: A, device: LAPTOP };

export function pollLaws(subject: Subject): void {
  describe('a poll', () => {
    test('is remembered with what its answer held', async () => {
      const { node } = await aNode(subject);
      const held = [
        [AB, 1_760_000_000_000_001],
        [ALL, Number.MAX_SAFE_INTEGER],
      ] as const;
      const poll = await node.devices.savePoll(phone, held);
      expect(await node.devices.openPoll(phone, poll)).toEqual(held);
      expect(await node.devices.openPoll(phone, poll)).toEqual(held);
      const empty = await node.devices.savePoll(phone, []);
      expect(await node.devices.openPoll(phone, empty)).toEqual([]);
    });

    test('is of one device', async () => {
      const { node } = await aNode(subject);
      const poll = await node.devices.savePoll(phone, [[AB, 7]]);
      expect(await node.devices.openPoll(laptop, poll)).toBeUndefined();
      expect(await node.devices.openPoll(phone, poll + 1)).toBeUndefined();
    });

    test('has a number that grows, and is forgotten when 32 newer ones are there', async () => {
      const { node } = await aNode(subject);
      const polls: number[] = [];
      for (let i = 0; i < 33; i++) polls.push(await node.devices.savePoll(phone, [[AB, i + 1]]));
      expect(polls).toEqual([...new Set(polls)].sort((a, b) => a - b));
      expect(await node.devices.openPoll(phone, polls[0]!)).toBeUndefined();
      for (let i = 1; i < 33; i++) expect(await node.devices.openPoll(phone, polls[i]!)).toEqual([[AB, i + 1]]);
    });
  });
}
