import { expect, test } from 'vitest';
import { compact, withKeys } from '../../src/redis/lua.js';

test('a key stands where it is used, whatever its names are made of', () => {
  const text = withKeys(`call('DEL', K_words(), K_cur(of[i], first(a, b)), K_head('room:' .. room))`);
  expect(text).toContain(
    `call('DEL', (ROOT .. ':words'), (ROOT .. ':cur:' .. (of[i]) .. ':' .. (first(a, b))), (ROOT .. ':head:' .. ('room:' .. room)))`,
  );
});

test('a key that is not in the table, or has too few names, is a mistake that shows at the start', () => {
  expect(() => withKeys('K_nothing(a)')).toThrow('K_nothing(a)');
  expect(() => withKeys('K_cur(uid)')).toThrow('K_cur(uid)');
});

test('a constant is its value, but not within a text', () => {
  const text = compact(`local S, SHAPE = 1, '<S'\nreturn h[S], SHAPE, 'S'\n`);
  expect(text).toContain(`return h[1], '<S', 'S'`);
  expect(text).not.toContain('local S');
});

test('what is not used is left out, and then what only that used', () => {
  const text = compact(
    `local function one()\n  return 1\nend\nlocal function two()\n  return one()\nend\nlocal function three()\n  return three\nend\nreturn 2\n`,
  );
  expect(text).not.toContain('function');
  expect(text).toContain('return 2');
});
