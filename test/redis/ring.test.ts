import { afterEach, expect, test, vi } from 'vitest';
import type { Letter, Outcome } from '../../src/chat/ports.js';
import { Ring } from '../../src/redis/ring.js';
import { A, AB, B, letter, textOf, to, user } from '../contract/town.js';
import { Notes } from '../support/redis-node.js';

afterEach(() => vi.useRealTimers());

const KB = 'x'.repeat(1_000);
const place = (seq: number): Outcome => ({ seq, ts: 1, dup: false, first: false, readMoved: false });
const textsOf = (ring: Ring): string[] => ring.entries().map(({ item }) => textOf(item));

function stores(ring: Ring, seq: number, text: string): void {
  const letters: readonly Letter[] = [letter(A, to(B), text)];
  ring.stored(letters, [place(seq)], []);
}

test('a node keeps what was stored in the ten seconds before the last reply, however long ago that is', () => {
  vi.useFakeTimers();
  const ring = new Ring(1_000_000, new Notes());
  for (let second = 0; second < 15; second++) {
    ring.advance(second);
    stores(ring, second + 1, `${second}`);
    vi.advanceTimersByTime(1_000);
  }
  vi.advanceTimersByTime(3_600_000);
  expect(textsOf(ring)).toEqual(['4', '5', '6', '7', '8', '9', '10', '11', '12', '13', '14']);
  ring.advance(15);
  expect(textsOf(ring)).toEqual([]);
});

test('nothing grows old while the replica is away that the primary had, for ten minutes', () => {
  vi.useFakeTimers();
  const ring = new Ring(1_000_000, new Notes());
  const beats = (seconds: number, replicas: number) => {
    for (let second = 0; second < seconds; second++) {
      vi.advanceTimersByTime(1_000);
      ring.copied(replicas);
      ring.advance(second);
    }
  };
  beats(5, 0);
  stores(ring, 1, 'never copied');
  beats(11, 0);
  expect(textsOf(ring)).toEqual([]);
  beats(1, 1);
  stores(ring, 2, 'alone');
  ring.marked([{ uid: A, conv: AB, read: 1 }], [{}]);
  beats(590, 0);
  expect(textsOf(ring)).toEqual(['alone']);
  expect(ring.marks).toHaveLength(1);
  beats(9, 1);
  expect(textsOf(ring)).toEqual(['alone']);
  beats(3, 1);
  expect([textsOf(ring), ring.marks]).toEqual([[], []]);
  stores(ring, 3, 'for ever');
  beats(620, 0);
  expect(textsOf(ring)).toEqual([]);
});

test('what was put back counts as new', () => {
  vi.useFakeTimers();
  const ring = new Ring(1_000_000, new Notes());
  stores(ring, 1, 'old');
  vi.advanceTimersByTime(60_000);
  ring.renew();
  vi.advanceTimersByTime(9_000);
  ring.advance(1);
  expect(textsOf(ring)).toEqual(['old']);
});

test('the oldest goes when it is too much, and that is counted', () => {
  const notes = new Notes();
  const ring = new Ring(10_000, notes);
  for (let n = 1; n <= 20; n++) stores(ring, n, `${n} ${KB}`);
  const kept = textsOf(ring).map((text) => Number.parseInt(text, 10));
  expect(kept.length).toBeGreaterThan(5);
  expect(kept.at(-1)).toBe(20);
  expect(notes.cell('skein_ring_overflow_total').value).toBe(20 - kept.length);
  expect(notes.cell('skein_ring_bytes').value).toBeLessThanOrEqual(10_000);
});

test('what was withdrawn is kept as it became', () => {
  const ring = new Ring(1_000_000, new Notes());
  stores(ring, 1, 'a secret');
  const becomes = `0{"type":"message","conv":"${AB}","seq":1,"ts":1,"sender":"${A}","receiver":"${B}","recalled":true}`;
  ring.changed([
    { conv: AB, seq: 2, item: `2{"type":"message","conv":"${AB}","seq":2,"ts":1}`, becomes: [[1, becomes]] },
  ]);
  expect(JSON.stringify(ring.entries())).not.toContain('secret');
  expect(ring.entries()[0]).toMatchObject({ seq: 1, item: becomes });
});

test('positions are kept as far as they came, bans and blocks as they were stated last, for as long as entries', () => {
  vi.useFakeTimers();
  const ring = new Ring(1_000_000, new Notes());
  ring.marked(
    [
      { uid: A, conv: AB, delivered: 5, read: 4 },
      { uid: B, conv: AB, read: 9 },
    ],
    [{}, { refused: 'bad_request' }],
  );
  ring.marked([{ uid: A, conv: AB, read: 3 }], [{}]);
  ring.sanctioned(1, ['block', A, B, true]);
  ring.sanctioned(2, ['block', A, B, false]);
  vi.advanceTimersByTime(3_600_000);
  expect(ring.marks).toEqual([{ uid: A, conv: AB, delivered: 5, read: 4 }]);
  expect(ring.sanctions).toEqual([{ at: 2, sanction: ['block', A, B, false] }]);
  ring.advance(1);
  expect(ring.marks).toEqual([]);
  expect(ring.sanctions).toEqual([]);
});

test('of positions the oldest go when there are too many', () => {
  const ring = new Ring(1_000_000, new Notes());
  for (let n = 1; n <= 20_100; n++) ring.marked([{ uid: user(`u${n}`), conv: AB, read: n }], [{}]);
  expect(ring.marks.map(({ read }) => read)).toEqual(Array.from({ length: 20_000 }, (_, i) => i + 101));
});

test('a ring of no size keeps nothing', () => {
  const ring = new Ring(0, new Notes());
  stores(ring, 1, 'one');
  ring.marked([{ uid: A, conv: AB, read: 1 }], [{}]);
  ring.sanctioned(1, ['ban', 'x', '', true]);
  expect([ring.entries(), ring.marks, ring.sanctions]).toEqual([[], [], []]);
});
