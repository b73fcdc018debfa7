import { describe, expect, test } from 'vitest';
import type { Receipt } from '../../src/chat/ports.js';
import { DEFAULT_DEVICE } from '../../src/protocol/index.js';
import { until } from '../support/until.js';
import { A, AB, aNode, B, inRoom, LAPTOP, LOUNGE, PHONE, ROOM, type Subject, to } from './town.js';

export function receiptLaws(subject: Subject): void {
  describe('a receipt', () => {
    test('tells the highest of any device, and what the user read', async () => {
      const here = await aNode(subject);
      await here.arrives(B, PHONE);
      await here.arrives(B, LAPTOP);
      const { seq: one } = await here.says(A, to(B), 'one');
      const { seq: two } = await here.says(A, to(B), 'two');
      expect(await here.acks(B, AB, two, PHONE)).toEqual({ receipt: ofBob(two, 0) });
      expect(await here.acks(B, AB, one, LAPTOP)).toEqual({});
      expect(await here.hasRead(B, AB, one)).toEqual({ receipt: ofBob(two, one) });
      expect(await here.hasRead(B, AB, one)).toEqual({});
    });

    test('may be announced though nothing moves: the sender of a message has read up to it', async () => {
      const here = await aNode(subject);
      await here.says(A, to(B), 'one');
      const { seq } = await here.says(B, to(A), 'two');
      expect(await here.hasRead(B, AB, seq)).toEqual({});
      const [outcome] = await here.node.devices.mark([{ uid: B, conv: AB, announce: true }]);
      expect(outcome).toEqual({ receipt: ofBob(0, seq) });
    });

    test('is there for rooms, too', async () => {
      const here = await aNode(subject);
      await here.founds(ROOM, A, [B]);
      const { seq } = await here.says(A, inRoom(ROOM), 'hello');
      expect(await here.hasRead(B, LOUNGE, seq)).toEqual({
        receipt: { conv: LOUNGE, uid: B, delivered: 0, read: seq },
      });
    });

    test('waits for the other side, once', async () => {
      const here = await aNode(subject);
      await here.arrives(A, DEFAULT_DEVICE, 'a1');
      const { seq } = await here.says(A, to(B), 'one');
      await here.leaves(A, 'a1');
      await here.acks(B, AB, seq);
      await here.hasRead(B, AB, seq);
      expect(of(B, (await here.arrives(A)).receipts)).toEqual([ofBob(seq, seq)]);
      await until(async () => of(B, (await here.arrives(A)).receipts).length === 0, 'the receipt to be old');
    });

    test('waits for one’s own other devices', async () => {
      const here = await aNode(subject);
      await here.arrives(B, LAPTOP, 'b1');
      await here.leaves(B, 'b1');
      await here.arrives(B, PHONE);
      const { seq } = await here.says(A, to(B), 'one');
      await here.acks(B, AB, seq, PHONE);
      await here.hasRead(B, AB, seq);
      expect(of(B, (await here.arrives(B, LAPTOP)).receipts)).toEqual([ofBob(seq, seq)]);
    });

    test('does not wait for whom its user blocks, until a later one that is not silent', async () => {
      const here = await aNode(subject);
      await here.arrives(A, DEFAULT_DEVICE, 'a1');
      const { seq: one } = await here.says(A, to(B), 'one');
      await here.leaves(A, 'a1');
      await here.arrives(B);
      const mark = { uid: B, conv: AB, device: DEFAULT_DEVICE } as const;
      await here.node.devices.mark([{ ...mark, delivered: one, read: one, silent: true }]);
      expect(of(B, (await here.arrives(A, DEFAULT_DEVICE, 'a2')).receipts)).toEqual([]);
      const { seq: two } = await here.says(A, to(B), 'two');
      await here.leaves(A, 'a2');
      await here.node.devices.mark([{ ...mark, delivered: two }]);
      expect(of(B, (await here.arrives(A)).receipts)).toEqual([ofBob(two, one)]);
    });
  });
}

const ofBob = (delivered: number, read: number): Receipt => ({ conv: AB, uid: B, delivered, read });
const of = (uid: typeof A, receipts: readonly Receipt[]): Receipt[] =>
  receipts.filter((receipt) => receipt.uid === uid);
