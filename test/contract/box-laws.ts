import { describe, expect, test } from 'vitest';
import { itemOf } from '../../src/chat/item.js';
import { dmOf } from '../../src/protocol/index.js';
import { A, AB, aNode, B, C, letter, type Place, type Subject, stored, to, user } from './town.js';

const FULL = { refused: 'box_full' };

export function boxLaws(subject: Subject): void {
  describe('a message box', () => {
    test('takes exactly as many messages of a conversation as it may, and refuses the next', async () => {
      const here = await withBob(subject, { pendingMessages: 5 });
      for (let i = 0; i < 5; i++) await here.says(A, to(B), `${i}`);
      expect(await here.tries(A, to(B), 'too many')).toEqual(FULL);
      expect(await here.texts(AB)).toEqual(['0', '1', '2', '3', '4']);
    });

    test('gives way by exactly what its receiver acknowledged', async () => {
      const here = await withBob(subject, { pendingMessages: 5 });
      const { seq } = await here.says(A, to(B), '0');
      for (let i = 1; i < 5; i++) await here.says(A, to(B), `${i}`);
      await here.acks(B, AB, seq + 1);
      await here.says(A, to(B), '5');
      await here.says(A, to(B), '6');
      expect(await here.tries(A, to(B), 'too many')).toEqual(FULL);
    });

    test('is of one conversation: another sender, and the receiver, still find room', async () => {
      const here = await withBob(subject, { pendingMessages: 2 });
      await here.says(A, to(B), '0');
      await here.says(A, to(B), '1');
      expect(await here.tries(A, to(B), 'too many')).toEqual(FULL);
      await here.says(C, to(B), 'from another');
      await here.says(B, to(A), 'back 0');
      await here.says(B, to(A), 'back 1');
      expect(await here.tries(B, to(A), 'too many')).toEqual(FULL);
    });

    test('counts only what its receiver did not write', async () => {
      const here = await withBob(subject, { pendingMessages: 3 });
      await here.arrives(A);
      await here.says(A, to(B), '0');
      for (let i = 0; i < 5; i++) {
        const { seq } = await here.says(B, to(A), `back ${i}`);
        await here.acks(A, AB, seq);
      }
      await here.says(A, to(B), '1');
      await here.says(A, to(B), '2');
      expect(await here.tries(A, to(B), 'too many')).toEqual(FULL);
    });

    test('gives a log an end that one unacknowledged message keeps from being trimmed', async () => {
      const here = await withBob(subject, { pendingMessages: 10, retentionMessages: 16 });
      await here.arrives(A);
      const { seq } = await here.says(A, to(B), 'never acknowledged');
      const most = 16 + 1 + 2 * 10;
      const answers = async (i: number, id?: string) => {
        const outcome = await here.tries(B, to(A), `${i}`, id);
        if (!('refused' in outcome)) await here.acks(A, AB, outcome.seq);
        return outcome;
      };
      for (let i = 1; i < most; i++) stored(await answers(i, `${i}`));
      expect(await answers(most, 'one too many')).toEqual(FULL);
      expect(await answers(most, `${most - 1}`)).toMatchObject({ seq: seq + most - 1, dup: true });
      await here.acks(B, AB, seq);
      stored(await answers(most, 'one too many'));
      expect((await here.items(AB)).length).toBe(16 + 1);
    });

    test('gives that log the same end when all comes in one batch', async () => {
      const here = await withBob(subject, { pendingMessages: 10, retentionMessages: 16 });
      await here.arrives(A);
      await here.says(A, to(B), 'never acknowledged');
      let head = 0;
      for (let batch = 0; batch < 6; batch++) {
        const outcomes = await here.node.log.append(Array.from({ length: 8 }, (_, i) => letter(B, to(A), `${i}`)));
        head = outcomes.reduce((last, outcome) => ('refused' in outcome ? last : outcome.seq), head);
        await here.acks(A, AB, head);
      }
      expect((await here.items(AB)).length).toBe(16 + 1 + 2 * 10);
    });

    test('is not emptied by reading, nor by the sender', async () => {
      const here = await withBob(subject, { pendingMessages: 2 });
      await here.says(A, to(B), '0');
      const { seq } = await here.says(A, to(B), '1');
      await here.acks(A, AB, seq);
      await here.hasRead(B, AB, seq);
      expect(await here.tries(A, to(B), 'too many')).toEqual(FULL);
    });

    test('takes exactly as many bytes as it may', async () => {
      const { tail } = letter(A, to(B), 'déjà vu 👍');
      const bytes = Buffer.byteLength(itemOf(0, AB, Date.now() * 1_000, Date.now(), tail));
      const here = await withBob(subject, { pendingBytes: 3 * bytes });
      const { seq } = await here.says(A, to(B), 'déjà vu 👍');
      for (let i = 1; i < 3; i++) await here.says(A, to(B), 'déjà vu 👍');
      expect(await here.tries(A, to(B), '')).toEqual(FULL);
      await here.acks(B, AB, seq);
      expect(await here.tries(A, to(B), 'déjà vu 👍!')).toEqual(FULL);
      await here.says(A, to(B), 'déjà vu 👍');
      expect(await here.tries(A, to(B), '')).toEqual(FULL);
    });

    test('still knows what it holds: the repetition of a stored message is no new one', async () => {
      const here = await withBob(subject, { pendingMessages: 1 });
      const first = await here.says(A, to(B), 'once', 'id');
      expect(await here.tries(A, to(B), 'another', 'id-2')).toEqual(FULL);
      expect(await here.tries(A, to(B), 'once', 'id')).toMatchObject({ seq: first.seq, dup: true });
    });

    test('that refuses leaves no trace: no place, no id, no reading, no pending', async () => {
      const here = await withBob(subject, { pendingMessages: 1 });
      const { seq } = await here.says(A, to(B), 'stored');
      const outcomes = await here.node.log.append([letter(A, to(B), 'refused', 'id'), letter(A, to(C), 'goes on')]);
      expect(outcomes[0]).toEqual(FULL);
      expect(stored(outcomes[1])).toMatchObject({ dup: false });
      expect(await here.node.log.heads([AB])).toEqual([seq]);
      await here.acks(B, AB, seq);
      expect(await here.pendingFor(B)).toEqual(new Map());
      expect(await here.says(A, to(B), 'now it fits', 'id')).toMatchObject({ seq: seq + 1, dup: false });
    });

    test('of a conversation that was refused from its beginning does not exist', async () => {
      const here = await withBob(subject, { pendingBytes: 10 });
      expect(await here.tries(A, to(B), 'longer than the box')).toEqual(FULL);
      expect(await here.node.log.heads([AB])).toEqual([0]);
      expect(await here.pendingFor(B)).toEqual(new Map());
    });

    test('holds one’s notes to self, until one of one’s devices has them', async () => {
      const here = await aNode(subject, { pendingMessages: 2 });
      await here.arrives(A);
      const notes = dmOf(A, A);
      const { seq } = await here.says(A, to(A), 'milk');
      await here.says(A, to(A), 'bread');
      expect(await here.tries(A, to(A), 'butter')).toEqual(FULL);
      expect(await here.pendingFor(A)).toEqual(new Map([[notes, 0]]));
      await here.acks(A, notes, seq);
      await here.says(A, to(A), 'butter');
      expect(await here.tries(A, to(A), 'salt')).toEqual(FULL);
    });
  });

  describe('a user with as many conversations as may be', () => {
    const [x, y, z] = ['X', 'Y', 'Z'].map(user) as [typeof A, typeof A, typeof A];

    test('begins no further one, and goes on with those that are', async () => {
      const here = await aNode(subject, { conversations: 2 });
      await here.says(A, to(x), 'hello');
      await here.says(A, to(y), 'hello');
      expect(await here.tries(A, to(z), 'hello', 'id')).toEqual(FULL);
      expect(await here.tries(A, to(A), 'a note')).toEqual(FULL);
      expect(await here.node.log.heads([dmOf(A, z)])).toEqual([0]);
      await here.says(A, to(x), 'hello again');
      await here.says(y, to(A), 'hello back');
      await here.says(B, to(z), 'another may');
    });

    test('is written to by nobody new', async () => {
      const here = await aNode(subject, { conversations: 2 });
      await here.says(x, to(A), 'hello');
      await here.says(y, to(A), 'hello');
      expect(await here.tries(z, to(A), 'hello')).toEqual(FULL);
      await here.says(x, to(A), 'hello again');
      await here.says(z, to(y), 'and you?');
    });
  });

  describe('somebody who was never there', () => {
    test('is written little by one sender, until they come', async () => {
      const here = await aNode(subject, { strangerMessages: 2 });
      await here.says(A, to(B), '0');
      await here.says(A, to(B), '1');
      expect(await here.tries(A, to(B), 'too many')).toEqual(FULL);
      await here.says(C, to(B), 'from another');
      await here.arrives(B);
      await here.says(A, to(B), '2');
      await here.says(A, to(B), '3');
    });

    test('is no stranger to whom they wrote', async () => {
      const here = await aNode(subject, { strangerMessages: 1 });
      await here.says(A, to(B), '0');
      expect(await here.tries(A, to(B), 'too many')).toEqual(FULL);
      await here.says(B, to(A), 'here I am');
      await here.says(A, to(B), '1');
    });

    test('is no stranger to whose message they read', async () => {
      const here = await aNode(subject, { strangerMessages: 1 });
      const { seq } = await here.says(A, to(B), '0');
      expect(await here.tries(A, to(B), 'too many')).toEqual(FULL);
      await here.hasRead(B, AB, seq);
      await here.says(A, to(B), '1');
    });

    test('is one of a few whom a sender may write', async () => {
      const here = await aNode(subject, { strangers: 2 });
      const [x, y, z] = ['X', 'Y', 'Z'].map(user) as [typeof A, typeof A, typeof A];
      await here.says(A, to(x), 'hello');
      await here.says(A, to(y), 'hello');
      expect(await here.tries(A, to(z), 'hello')).toEqual(FULL);
      await here.says(A, to(x), 'hello again');
      await here.says(B, to(z), 'another sender may');
      await here.arrives(x);
      await here.says(A, to(z), 'hello');
    });

    test('is never oneself', async () => {
      const here = await aNode(subject, { strangerMessages: 1, strangers: 1 });
      await here.says(A, to(B), 'hello');
      await here.says(A, to(A), 'milk');
      await here.says(A, to(A), 'bread');
    });
  });
}

/** A node that Bob visited, so that he is no stranger. */
async function withBob(subject: Subject, limits: Parameters<typeof aNode>[1]): Promise<Place> {
  const here = await aNode(subject, limits);
  await here.arrives(B);
  return here;
}
