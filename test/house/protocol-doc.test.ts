/** docs/protocol.md and the tables in src/protocol name the same frames, codes and numbers. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CLOSE, ERRORS } from '../../src/protocol/codes.js';
import { CLIENT_FRAMES } from '../../src/protocol/frames.js';
import * as limits from '../../src/protocol/limits.js';

const doc = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8');
const frames = readFileSync(new URL('../../src/protocol/frames.ts', import.meta.url), 'utf8');

/** A section by its number, without its heading. */
function section(number: number): string {
  const [, text = ''] = new RegExp(`\\n## ${number} [^\\n]*\\n([\\s\\S]*?)(?=\\n## |$)`).exec(doc) ?? [];
  return text;
}

/** What stands in the cells of a column of the first table of a section. */
function column(text: string, at: number): readonly string[] {
  const rows = text.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) => row.split(/(?<!\\)\|/)[at + 1]?.trim() ?? '');
}

/** The names in a text that follow `"type":` or, after a slash, stand alone in quotes. */
const typesIn = (text: string): readonly string[] =>
  [...text.matchAll(/"type":"(\w+)"|\/ `"(\w+)"`/g)].map(([, named, alone]) => named ?? alone ?? '');

/** Without what stands in parentheses. */
const withoutAsides = (text: string): string => text.replace(/\([^)]*\)/g, '');

const sorted = (names: Iterable<string | number>): (string | number)[] => [...new Set(names)].sort();

test('every frame that a client may send', () => {
  const named = typesIn(column(section(3), 0).join('\n'));
  expect(sorted([...named, 'hello'])).toEqual(sorted(Object.keys(CLIENT_FRAMES)));
});

test('every frame that a server sends', () => {
  const union = frames.slice(frames.indexOf('export type ServerFrame ='));
  const inline = [...union.matchAll(/type: ((?:'\w+'(?: \| )?)+)/g)].flatMap(
    ([, names = '']) => names.match(/\w+/g) ?? [],
  );
  const apart = [...frames.matchAll(/export type \w+Frame = \{\n {2}readonly type: '(\w+)'/g)].map(
    ([, name = '']) => name,
  );
  const answered = withoutAsides(column(section(3), 1).join(' '));
  const answers = [...answered.matchAll(/`(\w+)`/g)].map(([, name = '']) => name);
  const written = typesIn(section(2) + column(section(4), 0).join('\n'));
  const clients = new Set<string>(['hello', 'ping']);
  expect(sorted([...written, ...answers].filter((name) => !clients.has(name)))).toEqual(sorted([...inline, ...apart]));
});

test('every error code, and its HTTP status', () => {
  const [, sentence = ''] = /\nError codes: ([\s\S]*?)\n\n/.exec(section(7)) ?? [];
  const [codes = ''] = sentence.split('. Somebody');
  expect(sorted([...withoutAsides(codes).matchAll(/`(\w+)`/g)].map(([, code = '']) => code))).toEqual(
    sorted(Object.keys(ERRORS)),
  );
  const [, statuses = ''] = /\nHTTP: ([\s\S]*?)\n/.exec(section(7)) ?? [];
  expect(sorted(statuses.match(/\b\d{3}\b/g) ?? [])).toEqual(sorted(Object.values(ERRORS).map(String)));
});

test('every close code', () => {
  const named = column(section(7), 0).map((cell) => Number(/\d{4}/.exec(cell)?.[0]));
  expect(sorted(named)).toEqual(sorted(Object.values(CLOSE).map(({ code }) => code)));
});

test('every number that no setting changes', () => {
  const names = column(section(9), 0).map((cell) => cell.replaceAll('`', ''));
  const values = column(section(9), 1).map(Number);
  expect(Object.fromEntries(names.map((name, i) => [name, values[i]]))).toEqual({ ...limits });
});
