import { describe, expect, test } from 'vitest';
import { type Source, sourcesIn, withoutComments } from './sources.js';

const sources = sourcesIn('src', '.ts', '.tsx', '.lua');
const code = sources.filter(({ path }) => !path.endsWith('.lua'));

const LINES_MAX = 300;
/** Where the process itself is spoken to: the machinery, the command line, and what starts the node. */
const OUTSIDE = /^src\/(ops|cli)\/|^src\/main\.ts$/;

function holders(pattern: RegExp, among: readonly Source[]): readonly string[] {
  return among.filter(({ text }) => pattern.test(withoutComments(text))).map(({ path }) => path);
}

describe('a file in src', () => {
  test(`has at most ${LINES_MAX} lines`, () => {
    const long = sources.filter(({ text }) => text.split('\n').length > LINES_MAX + 1);
    expect(long.map(({ path }) => path)).toEqual([]);
  });

  test.each([
    ['process.env', /\bprocess\s*\.\s*env\b|\benv\b[^;]*from\s+'node:process'/],
    ['console', /\bconsole\s*\./],
    ['signals', /\bprocess\s*\.\s*(on|once|addListener|kill)\s*\(/],
    ['process.exit', /\bprocess\s*\.\s*(exit|abort|reallyExit)\b/],
  ])('does not touch %s inside', (_, pattern) => {
    expect(
      holders(
        pattern,
        code.filter(({ path }) => !OUTSIDE.test(path)),
      ),
    ).toEqual([]);
  });

  test('never silences a check', () => {
    expect(sources.filter(({ text }) => /biome-ignore|@ts-(ignore|expect-error|nocheck)/.test(text))).toEqual([]);
  });

  test('never lets go of an error unseen', () => {
    expect(
      holders(/catch\s*(\([^)]*\))?\s*\{\s*\}|\.catch\(\s*\(\w*\)\s*=>\s*(\{\s*\}|undefined|null)\s*\)/, code),
    ).toEqual([]);
  });

  test('leaves nothing for later', () => {
    expect(sources.filter(({ text }) => /\b(TODO|FIXME|XXX|HACK)\b/.test(text)).map(({ path }) => path)).toEqual([]);
  });
});

test('no test is skipped, and none is the only one', () => {
  const silenced = sourcesIn('test', '.ts').filter(({ text }) =>
    /\b(test|it|describe)\.(skip|only|todo)\b/.test(withoutComments(text)),
  );
  expect(silenced.map(({ path }) => path)).toEqual([]);
});
