import { describe, expect, test } from 'vitest';
import { importsOf, type Source, sourcesIn, targetsOf } from './sources.js';

const sources = sourcesIn('src', '.ts', '.tsx');

/** Who may import whom; every layer may import itself. */
const MAY: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  chat: ['protocol'],
  client: ['protocol'],
  // Talks to a server as any client does; for the operator's commands see INSIDE.
  cli: ['client', 'ops', 'protocol', 'redis', 'server'],
  web: ['client', 'protocol'],
  memory: ['chat', 'protocol'],
  redis: ['chat', 'protocol'],
  server: ['chat', 'protocol'],
  // Injected into the others, never imported by them; it knows the metrics' table and their types only.
  ops: ['chat', 'protocol'],
  'node.ts': ['chat', 'memory', 'redis', 'server', 'ops', 'protocol'],
  'main.ts': ['node.ts', 'chat', 'memory', 'redis', 'server', 'ops', 'protocol'],
};

/** Packages with one home. */
const HOMES: Readonly<Record<string, RegExp>> = {
  'uWebSockets.js': /^src\/server\/[^/]+$/,
  ws: /^src\/(server|cli)\//,
  ioredis: /^src\/redis\//,
  jose: /^src\/(server\/|cli\/token\.ts$)/,
  yargs: /^src\/cli\//,
  pino: /^src\/ops\//,
  'prom-client': /^src\/ops\//,
};

/** The parts of the command line that look inside: the doctor at Redis, the token's maker at the table of keys. */
const INSIDE: readonly (readonly [RegExp, RegExp])[] = [
  [/^src\/redis\//, /^src\/cli\/doctor\/redis\.ts$/],
  [/^src\/server\//, /^src\/cli\/token\.ts$/],
];

/** What runs in a browser, too, and so imports nothing from outside. */
const ANYWHERE = /^src\/(protocol|client)\//;

const layerOf = (path: string): string => path.split('/')[1] ?? '';
const isLocal = (specifier: string): boolean => specifier.startsWith('src/');

describe('imports', () => {
  test('are found at all', () => {
    expect(sources.flatMap(targetsOf).filter(isLocal).length).toBeGreaterThan(10);
  });

  test('name files that exist', () => {
    const known = new Set(sources.flatMap(({ path }) => [path, path.replace(/\.tsx$/, '.ts')]));
    const lost = sources.flatMap((source) =>
      targetsOf(source)
        .filter((to) => to.endsWith('.ts') && !known.has(to))
        .map((to) => `${source.path} → ${to}`),
    );
    expect(lost).toEqual([]);
  });

  test('run one way', () => {
    const against = sources.flatMap((source) => {
      const from = layerOf(source.path);
      return targetsOf(source)
        .filter(isLocal)
        .filter((to) => layerOf(to) !== from && !MAY[from]?.includes(layerOf(to)))
        .map((to) => `${source.path} → ${to}`);
    });
    expect(against).toEqual([]);
  });

  test('of the command line look inside a server only where that is the task', () => {
    const strays = sources
      .filter(({ path }) => layerOf(path) === 'cli')
      .flatMap((source) =>
        targetsOf(source)
          .filter((to) => INSIDE.some(([inside, from]) => inside.test(to) && !from.test(source.path)))
          .map((to) => `${source.path} → ${to}`),
      );
    expect(strays).toEqual([]);
  });

  test('never run in a circle, but for types, which are gone when the program runs', () => {
    const values = (source: Source) => importsOf(source).filter(({ to, isType }) => isLocal(to) && !isType);
    const graph = new Map(sources.map((source) => [source.path, values(source).map(({ to }) => to)]));
    expect(circles(graph)).toEqual([]);
  });

  test('of a package come from the one place that it has', () => {
    const strays = sources.flatMap((source) =>
      targetsOf(source)
        .filter((to) => HOMES[to] && !HOMES[to].test(source.path))
        .map((to) => `${source.path} → ${to}`),
    );
    expect(strays).toEqual([]);
  });

  test('of uWebSockets.js stand in one file, and no other needs its binary', () => {
    expect(sources.filter((source) => targetsOf(source).includes('uWebSockets.js')).length).toBeLessThanOrEqual(1);
  });

  test('of what runs in a browser are its own', () => {
    const foreign = sources
      .filter(({ path }) => ANYWHERE.test(path))
      .flatMap((source) => targetsOf(source).filter((to) => !isLocal(to)));
    expect(foreign).toEqual([]);
  });

  test('of the domain bring no package in', () => {
    const packages = sources
      .filter(({ path }) => layerOf(path) === 'chat')
      .flatMap((source) => targetsOf(source).filter((to) => !isLocal(to) && !to.startsWith('node:')));
    expect(packages).toEqual([]);
  });
});

test('a circle of imports is seen', () => {
  expect(
    circles(
      new Map([
        ['a', ['b']],
        ['b', ['c', 'd']],
        ['c', ['a']],
        ['d', []],
      ]),
    ),
  ).toEqual(['a → b → c → a']);
});

/** Each circle that a walk along the imports runs into, once. */
function circles(graph: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const walk = (path: string, way: readonly string[]): void => {
    const start = way.indexOf(path);
    if (start >= 0) found.push([...way.slice(start), path].join(' → '));
    if (start >= 0 || done.has(path)) return;
    for (const next of graph.get(path) ?? []) walk(next, [...way, path]);
    done.add(path);
  };
  for (const path of graph.keys()) walk(path, []);
  return found;
}
