import { describe, expect, test } from 'vitest';
import { KEYS } from '../../src/redis/keys.js';
import { SCRIPTS } from '../../src/redis/scripts.js';
import { type Source, sourcesIn } from './sources.js';

const nameOf = ({ path }: Source): string => path.split('/').at(-1)?.replace('.lua', '') ?? '';
const files = sourcesIn('src/redis/lua', '.lua');
const scripts = files.filter(({ path }) => !path.includes('/lib/'));
const library = files.filter(({ path }) => path.includes('/lib/'));
const wrappers = sourcesIn('src/redis', '.ts').filter(({ path }) => !path.endsWith('/scripts.ts'));

/** What stands behind a word of a script's header. */
const told = ({ text }: Source, word: string): string | undefined =>
  new RegExp(`^-- ${word}: (.+)$`, 'm').exec(text)?.[1];
const bodyOf = ({ text }: Source): string => text.replace(/--.*$/gm, '');

test('the scripts in the table are the files', () => {
  expect(scripts.map(nameOf)).toEqual([...SCRIPTS].sort());
});

describe.each(scripts.map((script) => [nameOf(script), script] as const))('%s.lua', (name, script) => {
  test('says what it does, and its KEYS, ARGV and REPLY', () => {
    const [shebang, purpose] = script.text.split('\n');
    expect(shebang).toMatch(/^#!lua( flags=[a-z,-]+)?$/);
    expect(purpose).toMatch(/^-- [A-Z].{10,}/);
    for (const word of ['KEYS', 'ARGV', 'REPLY']) expect(told(script, word), word).toBeDefined();
  });

  test('takes the one key that its wrapper gives, and derives the others from the table of keys', () => {
    expect(told(script, 'KEYS')).toBe('1 root');
    const body = bodyOf(script);
    expect(body).not.toContain('KEYS[');
    const derived = [...body.matchAll(/\bK_(\w+)\(/g)].map(([, kind]) => kind);
    expect(derived.filter((kind) => !Object.keys(KEYS).includes(kind ?? ''))).toEqual([]);
  });

  test('includes parts that exist', () => {
    const parts = told(script, 'INCLUDE')?.split(', ') ?? [];
    expect(parts.filter((part) => !library.map(nameOf).includes(part))).toEqual([]);
  });

  test('has a wrapper in TypeScript', () => {
    expect(wrappers.some(({ text }) => text.includes(`'${name}'`))).toBe(true);
  });

  test('never lets Lua choose how a number is written', () => {
    // Lua writes 1760000000000001 as 1.76e+15; string.format is the one way that keeps it.
    expect(bodyOf(script)).not.toContain('cjson.encode');
  });
});

test('every part is included by a script, and says what it is', () => {
  const included = new Set(scripts.flatMap((script) => told(script, 'INCLUDE')?.split(', ') ?? []));
  expect(library.map(nameOf).filter((part) => !included.has(part))).toEqual([]);
  expect(library.filter(({ text }) => !/^-- [A-Z]/m.test(text)).map(({ path }) => path)).toEqual([]);
});
