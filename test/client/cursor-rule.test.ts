import fc from 'fast-check';
import { test } from 'vitest';
import { type Entry, Inbox } from '../../src/client/inbox.js';
import type { Conv, MessageFrame } from '../../src/protocol/index.js';

const CONV = 'dm:alice:bob' as Conv;

/** A log with jumps in it, as new runs make them. */
const logs = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 40 }).map((steps) => {
  let seq = 100;
  return steps.map((step) => {
    seq += step === 3 ? 1_000 : 1;
    return { type: 'message', conv: CONV, seq } as MessageFrame;
  });
});

test('whatever is lost, repeated or out of order on the way, the application sees the log, once and in order', async () => {
  await fc.assert(
    fc.asyncProperty(logs, fc.array(fc.tuple(fc.nat(), fc.boolean()), { maxLength: 80 }), async (log, pushes) => {
      const seen: Entry[] = [];
      const acked: number[] = [];
      const inbox = new Inbox({
        hand: (entry) => {
          seen.push(entry);
          return entry.type === 'message' && entry.seq % 5 === 0 ? Promise.resolve() : undefined;
        },
        done: (_, seq) => acked.push(seq),
        page: async (conv, place) => {
          const after = 'after' in place ? place.after : 0;
          const matching = log.filter(({ seq }) => seq > after && !('before' in place && seq >= place.before));
          const messages = 'after' in place ? matching.slice(0, 3) : matching.slice(-1);
          return { type: 'history', conv, messages, more: matching.length > messages.length };
        },
        trouble: (error) => {
          throw error;
        },
      });
      inbox.receive(log[0]!);
      for (const [place, isPatient] of pushes) {
        inbox.receive(log[place % log.length]!);
        if (isPatient) await inbox.settled();
      }
      inbox.receive(log.at(-1)!);
      await inbox.settled();

      const messages = seen.filter((entry) => entry.type === 'message');
      expectSame(
        messages.map(({ seq }) => seq),
        log.map(({ seq }) => seq),
      );
      expectSame(
        acked,
        [...acked].sort((a, b) => a - b),
      );
      expectSame([acked.at(-1)!], [log.at(-1)!.seq]);
      // What is not a message is announced, so that no number is skipped in silence.
      let cursor = log[0]!.seq - 1;
      for (const entry of seen) {
        expectSame([entry.type === 'message' ? entry.seq : entry.from], [cursor + 1]);
        cursor = entry.type === 'message' ? entry.seq : entry.to;
      }
    }),
    { numRuns: 300 },
  );
});

function expectSame(got: readonly number[], wanted: readonly number[]): void {
  if (got.join() !== wanted.join()) throw new Error(`${got.join()} instead of ${wanted.join()}`);
}
