import { posix } from 'node:path';
import { describe, expect, test } from 'vitest';
import { FAULT_NAMES } from '../../loadtest/chaos/faults/index.js';
import { METRICS } from '../../src/chat/meter.js';
import { CLI_SETTINGS } from '../../src/ops/cli-settings.js';
import { SETTINGS, type Setting } from '../../src/ops/settings.js';
import { CLIENT_FRAMES } from '../../src/protocol/frames.js';
import { CLOSE, ERRORS } from '../../src/protocol/index.js';
import { KEYS } from '../../src/redis/keys.js';
import { exists, readText, sourcesIn } from './sources.js';

const operations = readText('docs/operations.md');
const protocol = readText('docs/protocol.md');

/** The part of a page under a heading, up to the next one of the same rank. */
function section(page: string, heading: string): string {
  const [, after] = page.split(`\n${heading}\n`);
  const rank = heading.split(' ')[0] ?? '';
  return (after ?? '').split(`\n${rank} `)[0] ?? '';
}

/** Rows of the first table in a part of a page, without the two of its head. */
function rows(part: string): readonly string[] {
  const table = /(?:^\|.*\|\n)+/m.exec(part)?.[0] ?? '';
  return table.trimEnd().split('\n').slice(2);
}

/** A table of settings as a page shows it. */
function settingRows(table: Readonly<Record<string, Setting<unknown>>>): readonly string[] {
  return Object.values(table).map(({ name, kind, fallback, absent, help, secret }) => {
    const file = secret ? `, or \`${name}_FILE\`` : '';
    const standard = fallback === undefined ? absent : `\`${fallback}\``;
    return `| \`${name}\`${file} | ${kind.form} | ${standard} | ${help} |`;
  });
}

test('docs/terminal.md shows the variables of the command line as the table in the code has them', () => {
  expect(rows(section(readText('docs/terminal.md'), '## Where, and as whom'))).toEqual(settingRows(CLI_SETTINGS));
});

describe('docs/operations.md', () => {
  test('shows the settings as the table in the code has them', () => {
    expect(rows(section(operations, '## Settings'))).toEqual(settingRows(SETTINGS));
  });

  test('tells of each key in Redis how large it gets and how long it stays, and of no other', () => {
    const shown = rows(section(operations, '### In Redis')).flatMap((row) =>
      [...(row.split('|')[1] ?? '').matchAll(/`([a-z]+)`/g)].map(([, key]) => key),
    );
    const channels = new Set(['words', 'to', 'feed']);
    expect(shown.sort()).toEqual(
      Object.keys(KEYS)
        .filter((key) => !channels.has(key))
        .sort(),
    );
  });

  test('names each metric, with its kind and labels, and no other', () => {
    const expected = Object.entries(METRICS).map(([name, spec]) => {
      const labels = 'labels' in spec ? spec.labels.map((label) => `\`${label}\``).join(', ') : '';
      return [name, spec.kind, labels];
    });
    const shown = rows(section(operations, '## Metrics')).map((row) =>
      row
        .split('|')
        .slice(1, 4)
        .map((cell) => cell.trim()),
    );
    expect(shown.map(([name, ...rest]) => [name?.replaceAll('`', ''), ...rest])).toEqual(expected);
  });
});

describe('docs/guarantees.md', () => {
  const table = rows(section(readText('docs/guarantees.md'), '## Failure by failure'));

  test('tells of every failure how it is shown', () => {
    const shown = table.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/[FT]\d+/g)].map(([name]) => name));
    const numbers = (letter: string, count: number) => Array.from({ length: count }, (_, i) => `${letter}${i + 1}`);
    expect(shown.sort()).toEqual([...numbers('F', 28), ...numbers('T', 17)].sort());
  });

  test('names files and faults that there are', () => {
    const faults = table.flatMap((row) => [...row.matchAll(/ \*([a-z-]+)\*/g)].map(([, name]) => name ?? ''));
    expect(faults.filter((name) => !FAULT_NAMES.some((known) => known === name))).toEqual([]);
    const files = table.flatMap((row) => [...row.matchAll(/`([a-z]+(?:\/[\w-]+)?)`/g)].map(([, path]) => path ?? ''));
    const isThere = (path: string) => exists(`test/${path}`) || exists(`test/${path}.test.ts`);
    expect(files.filter((path) => !isThere(path))).toEqual([]);
  });
});

test('every page that names a setting names one that exists', () => {
  const known = new Set(
    [...Object.values(SETTINGS), ...Object.values(CLI_SETTINGS)].flatMap(({ name, secret }) =>
      secret ? [name, `${name}_FILE`] : [name],
    ),
  );
  const pages = [...sourcesIn('docs', '.md'), { path: 'README.md', text: readText('README.md') }];
  const unknown = pages.flatMap(({ path, text }) =>
    (text.match(/\bSKEIN_[A-Z_]*[A-Z]\b/g) ?? []).filter((name) => !known.has(name)).map((name) => `${path}: ${name}`),
  );
  expect(unknown).toEqual([]);
});

test('every link from one page to another leads somewhere', () => {
  const pages = [
    ...sourcesIn('docs', '.md'),
    ...['README.md', 'CHANGELOG.md'].map((path) => ({ path, text: readText(path) })),
  ];
  const broken = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\((?!https?:)([^)#]*)(?:#[^)]*)?\)/g)]
      .map(([, target]) => posix.join(posix.dirname(path), target ?? ''))
      .filter((target) => !exists(target))
      .map((target) => `${path} → ${target}`),
  );
  expect(broken).toEqual([]);
});

test('the map in the README shows directories that exist', () => {
  const shown = [...readText('README.md').matchAll(/`((?:src|test|docs)\/[a-z/]*)`/g)].map(([, path]) => path ?? '');
  expect(shown.length).toBeGreaterThan(5);
  expect(shown.filter((path) => !exists(path))).toEqual([]);
});

describe('docs/protocol.md', () => {
  test('names every error code of the table, and no other', () => {
    const list = /^Error codes:(.*?)\. Somebody/ms.exec(protocol)?.[1] ?? '';
    const shown = [...list.replace(/\([^)]*\)/g, '').matchAll(/`([a-z_]+)`/g)].map(([, code]) => code);
    expect(shown.sort()).toEqual(Object.keys(ERRORS).sort());
  });

  test('names every close code of the table, and no other', () => {
    const shown = rows(section(protocol, '## 7 Closing and errors')).map((row) => Number(/\d+/.exec(row)?.[0]));
    expect(shown.sort()).toEqual(
      Object.values(CLOSE)
        .map(({ code }) => code)
        .sort(),
    );
  });

  test('names every frame that a client may send, and no other', () => {
    const shown = rows(section(protocol, '## 3 Client to server')).flatMap((row) => {
      const frames = row.split('|')[1] ?? '';
      return [...frames.matchAll(/"type":"([a-z]+)"|\/ `?"([a-z]+)"/g)].map(([, whole, other]) => whole ?? other);
    });
    // `hello` is told of in section 2, where connecting is.
    const named = new Set([...shown, 'hello']);
    expect([...named].sort()).toEqual(Object.keys(CLIENT_FRAMES).sort());
  });
});
