import { expect, test } from 'vitest';
import { Bucket, Buckets } from '../../src/chat/bucket.js';

test('a bucket gives what it saved up, and then as much as comes in', () => {
  const bucket = new Bucket(10, 0);
  expect(Array.from({ length: 11 }, () => bucket.take(0))).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100]);
  expect(bucket.take(100)).toBe(0);
  expect(bucket.take(100)).toBe(100);
});

test('what costs more takes more, and waits longer', () => {
  const bucket = new Bucket(10, 0);
  expect(bucket.take(0, 8)).toBe(0);
  expect(bucket.take(0, 4)).toBe(200);
  expect(bucket.take(0, 2)).toBe(0);
});

test('what costs more than can be saved up is let through with a full bucket, and empties it', () => {
  const bucket = new Bucket(10, 0);
  expect(bucket.take(0, 500)).toBe(0);
  expect(bucket.take(0)).toBe(100);
  expect(bucket.take(999, 500)).toBeGreaterThan(0);
  expect(bucket.take(1_000, 500)).toBe(0);
});

test('the largest thing fits although a second brings less', () => {
  const bucket = new Bucket(1_000, 0, 65_536);
  expect(bucket.take(0, 65_536)).toBe(0);
  expect(bucket.take(0, 65_536)).toBe(65_536);
});

test('what is charged afterwards is owed, a bucketful at most; what is given back is there', () => {
  const bucket = new Bucket(10, 0);
  bucket.charge(0, 15);
  expect(bucket.take(0)).toBe(600);
  bucket.charge(0, 25);
  expect(bucket.take(0)).toBe(1_100);
  bucket.charge(0, -11);
  expect(bucket.take(0)).toBe(0);
});

test('who goes on for ten bucketfuls of refusals abuses it', () => {
  const bucket = new Bucket(10, 0);
  for (let i = 0; i < 110; i++) bucket.take(0);
  expect(bucket.isAbused).toBe(false);
  bucket.take(0);
  expect(bucket.isAbused).toBe(true);
});

test('of too many buckets the one that was unused longest is forgotten', () => {
  const buckets = new Buckets(2, () => new Bucket(1, 0));
  const [a, b] = [buckets.of('a'), buckets.of('b')];
  expect(buckets.of('a')).toBe(a);
  buckets.of('c');
  expect(buckets.of('a')).toBe(a);
  expect(buckets.of('b')).not.toBe(b);
});
