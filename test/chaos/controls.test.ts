import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CONTROL_NAMES, CONTROLS, type Control } from '../../loadtest/chaos/controls.js';
import { slowDisk } from '../../loadtest/chaos/slow-disk.js';

const patches = CONTROL_NAMES.flatMap((name) => {
  const without = (CONTROLS[name] as Control).without();
  return typeof without === 'string' ? [] : (without.patches ?? []).map((patch) => ({ name, ...patch }));
});

test.each(patches)('what $name takes out of $file is there, once', ({ file, find }) => {
  expect(readFileSync(`dist/${file}`, 'utf8').split(find)).toHaveLength(2);
});

test('the page of guarantees names every control, and no other', () => {
  const [, table = ''] = readFileSync('docs/guarantees.md', 'utf8').split('\n| control |');
  const shown = [...table.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name]) => name);
  expect(shown).toEqual(CONTROL_NAMES);
});

test('a disk is made slow, or it is said that there is no compiler for it', () => {
  const library = slowDisk(10);
  expect(library === undefined || readFileSync(library).length > 0).toBe(true);
});
