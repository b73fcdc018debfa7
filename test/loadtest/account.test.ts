import { describe, expect, test } from 'vitest';
import { createHistogram, latencyOf, packed, record } from '../../loadtest/client/latency.js';
import { Ledger } from '../../loadtest/client/ledger.js';
import { Pace } from '../../loadtest/client/pace.js';
import { Sender } from '../../loadtest/client/sender.js';
import { channelOf, digitsOf, nOf, stampAt, stampOf, timeOf } from '../../loadtest/client/stamp.js';

function ledgerOf(...numbers: readonly number[]): Ledger {
  const ledger = new Ledger(1);
  for (const n of numbers) ledger.take(0, n);
  return ledger;
}

describe('a ledger', () => {
  test('finds nothing wrong with all of it in order', () => {
    expect(ledgerOf(1, 2, 3).faults([3])).toEqual({ lost: 0, doubled: 0, outOfOrder: 0 });
  });

  test('counts as lost what is missing in the middle and at the end', () => {
    expect(ledgerOf(1, 4).faults([6])).toEqual({ lost: 4, doubled: 0, outOfOrder: 0 });
  });

  test('counts what came twice, and only once as new', () => {
    const ledger = ledgerOf(1, 2);
    expect([ledger.take(0, 2), ledger.take(0, 1), ledger.take(0, 3)]).toEqual([false, false, true]);
    expect(ledger.faults([3])).toEqual({ lost: 0, doubled: 2, outOfOrder: 0 });
  });

  test('counts what came late as out of order, not as lost', () => {
    expect(ledgerOf(1, 3, 2).faults([3])).toEqual({ lost: 0, doubled: 0, outOfOrder: 1 });
  });

  test('keeps channels apart', () => {
    const ledger = new Ledger(2);
    ledger.take(0, 1);
    ledger.take(1, 1);
    expect(ledger.faults([1, 2])).toEqual({ lost: 1, doubled: 0, outOfOrder: 0 });
  });
});

test('a stamp is found in a frame and read as it was written', () => {
  const bytes = Buffer.from(`{"sender":"u1","data":"${stampOf(7, digitsOf(42), 1_234_567.4)}..."}`);
  const at = stampAt(bytes, 0, bytes.length);
  expect([channelOf(bytes, at), nOf(bytes, at), timeOf(bytes, at)]).toEqual([7, 42, 1_234_567]);
  expect(stampAt(bytes, at + 1, bytes.length)).toBe(-1);
});

describe('a schedule', () => {
  test('has as many messages as it should, however late it is looked at', () => {
    const pace = new Pace(1_000, 0, 0);
    const due: number[] = [];
    pace.run(500, (at) => due.push(at));
    pace.run(10_000, (at) => due.push(at));
    expect(due).toEqual(Array.from({ length: 11 }, (_, i) => i * 1_000));
  });

  test('tells when a message was due, not when it was sent', () => {
    const latencies: number[] = [];
    new Pace(10, 0, 0.5).run(300_000, (due) => latencies.push(300_000 - due));
    expect(latencies).toEqual([250_000, 150_000, 50_000]);
  });
});

describe('a sender', () => {
  const sender = (): Sender => new Sender(0, ['{"id":"', '","data":"', '"}']);

  test('keeps under way what is not both delivered and acknowledged', () => {
    const one = sender();
    for (let i = 0; i < 4; i++) one.next(i);
    one.acknowledged(1);
    one.acknowledged(2);
    one.delivered = 1;
    one.refused = 1;
    expect([one.underWay(true), one.underWay(false), one.unanswered]).toEqual([2, 2, 1]);
  });

  test('remembers when the acknowledged message was due', () => {
    const one = sender();
    one.next(10);
    one.next(20);
    expect([one.acknowledged(1), one.acknowledged(2)]).toEqual([10, 20]);
  });

  test('sees acknowledgements that come twice or out of turn', () => {
    const one = sender();
    for (let i = 0; i < 3; i++) one.next(i);
    for (const n of [2, 2, 1, 4]) one.acknowledged(n);
    expect(one.badAcks).toBe(3);
  });
});

test('latencies of several workers become one', () => {
  const histograms = [1_000, 3_000].map((micros) => {
    const histogram = createHistogram();
    record(histogram, micros);
    return packed(histogram);
  });
  const { count, mean, max } = latencyOf(histograms);
  expect(count).toBe(2);
  expect(mean).toBeCloseTo(2, 1);
  expect(max).toBeCloseTo(3, 1);
});

test('without any measurement there is no latency', () => {
  expect(latencyOf([packed(createHistogram())])).toMatchObject({ count: 0, p99: 0 });
});
