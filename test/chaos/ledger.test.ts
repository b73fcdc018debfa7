import { beforeEach, describe, expect, test } from 'vitest';
import { Ledger, violationsIn } from '../../loadtest/chaos/ledger.js';

const bob = { uid: 'bob', device: 'a' };
const phone = { uid: 'bob', device: 'b' };
const CONV = 'dm:alice:bob';

let ledger: Ledger;
beforeEach(() => {
  ledger = new Ledger();
  ledger.opens(CONV, 'alice', true, [bob, phone]);
});

const says = () => ledger.sends(CONV, 'alice');

/** Alice says so many things, all are acknowledged, and none has come yet. */
function saysAll(count: number) {
  return Array.from({ length: count }, (_, index) => {
    const entry = says();
    ledger.acked(CONV, entry, 101 + index);
    return { entry, seq: 101 + index };
  });
}

const comesTo = (reader: typeof bob, ...messages: ReturnType<typeof saysAll>) => {
  for (const { entry, seq } of messages) ledger.delivered(CONV, reader, entry, seq);
};

const verdict = () => violationsIn(ledger.account());

describe('a ledger of chaos', () => {
  test('finds nothing where everything came to every device once and in order', () => {
    const messages = saysAll(3);
    comesTo(bob, ...messages);
    comesTo(phone, ...messages);
    expect(verdict()).toEqual([]);
    expect(ledger.account()).toMatchObject({ sent: 3, acked: 3, due: 6, delivered: 6, refused: {} });
    expect(ledger.isSettled(ledger.mark)).toBe(true);
  });

  test('finds what one of two devices did not get', () => {
    const [first, second, third] = saysAll(3);
    comesTo(bob, first!, second!, third!);
    comesTo(phone, first!, third!);
    expect(verdict()).toEqual(['lost']);
    expect(ledger.account()).toMatchObject({ lost: 1, delivered: 5 });
    expect(ledger.examples).toEqual([`${CONV} alice 2 (seq 102): lost for bob/b`]);
    expect(ledger.isSettled(1)).toBe(true);
    expect(ledger.isSettled(2)).toBe(false);
  });

  test('finds what came twice', () => {
    const [only] = saysAll(1);
    comesTo(bob, only!, only!);
    comesTo(phone, only!);
    expect(verdict()).toEqual(['doubled']);
  });

  test('finds what came after a later one, of a sender who keeps order', () => {
    const [first, second] = saysAll(2);
    comesTo(bob, second!, first!);
    comesTo(phone, first!, second!);
    expect(verdict()).toEqual(['reordered']);
  });

  test('asks no order of a sender who was not promised any', () => {
    ledger.opens('all', 'carol', false, [bob]);
    const [first, second] = [ledger.sends('all', 'carol'), ledger.sends('all', 'carol')];
    ledger.acked('all', first, 8);
    ledger.acked('all', second, 7);
    ledger.delivered('all', bob, second, 7);
    ledger.delivered('all', bob, first, 8);
    expect(verdict()).toEqual([]);
  });

  test('finds a message that is told under two numbers', () => {
    const [only] = saysAll(1);
    comesTo(bob, only!);
    comesTo(phone, { ...only!, seq: 7 });
    expect(verdict()).toEqual(['displaced']);
  });

  test('finds what was never answered', () => {
    says();
    expect(verdict()).toEqual(['unanswered']);
    expect(ledger.isSettled(1)).toBe(false);
  });

  test('finds what came to somebody it was not for, and what nobody sent', () => {
    const [only] = saysAll(1);
    comesTo(bob, only!);
    comesTo(phone, only!);
    comesTo({ uid: 'eve', device: 'a' }, only!);
    ledger.delivered(CONV, bob, { from: 'alice', n: 9 }, 109);
    ledger.delivered('dm:bob:eve', bob, { from: 'eve', n: 1 }, 1);
    expect(ledger.account()).toMatchObject({ strayed: 3 });
  });

  test('counts refusals by their code; one for good must not be stored, with `unavailable` that is open', () => {
    const [full, away] = [says(), says()];
    ledger.refused(CONV, full, 'box_full');
    ledger.refused(CONV, away, 'unavailable');
    ledger.delivered(CONV, bob, away, 101);
    expect(verdict()).toEqual([]);
    expect(ledger.account()).toMatchObject({ refused: { box_full: 1, unavailable: 1 }, storedUnavailable: 1 });
    ledger.delivered(CONV, bob, full, 102);
    expect(verdict()).toContain('strayed');
  });

  test('tells the longest time without an acknowledgement, but only while one was due', () => {
    let now = 0;
    const timed = new Ledger(() => now);
    timed.opens(CONV, 'alice', true, [bob]);
    for (const [sentAt, ackedAt] of [
      [0, 10],
      [5_000, 5_300],
    ] as const) {
      now = sentAt;
      const entry = timed.sends(CONV, 'alice');
      now = ackedAt;
      timed.acked(CONV, entry, sentAt + 1);
    }
    expect(timed.account().longestSilence).toBe(300);
  });
});
