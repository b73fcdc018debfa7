import { expect, test } from 'vitest';
import { viewOf } from '../../src/chat/answers.js';

const HEAD =
  '0{"type":"message","conv":"room:r","seq":5,"ts":1,"sender":"mia","room":"r","data":{"n":9007199254740993}';
const seenBy = (item: string, ...blocked: string[]): string => viewOf(item, new Set(blocked)).slice(HEAD.length - 1);

test('reactions of whom the viewer blocks are not shown, and the data stays as it was written', () => {
  const item = `${HEAD},"edited":true,"reactions":{"b":["sam","max"],"1":["sam"],"__proto__":["sam","abe"]}}`;
  expect(seenBy(item, 'nia')).toBe(
    ',"edited":true,"reactions":{"b":["sam","max"],"1":["sam"],"__proto__":["sam","abe"]}}',
  );
  expect(seenBy(item, 'sam')).toBe(',"edited":true,"reactions":{"b":["max"],"__proto__":["abe"]}}');
  expect(seenBy(item, 'sam', 'max', 'abe')).toBe(',"edited":true}');
  expect(viewOf(item, new Set(['sam']))).toContain('"data":{"n":9007199254740993}');
});
