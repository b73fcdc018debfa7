/** The project's files as the laws of the house look at them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export type Source = {
  /** From the root, with slashes. */
  readonly path: string;
  readonly text: string;
};

/** All files below a directory whose names end so. */
export function sourcesIn(directory: string, ...endings: readonly string[]): readonly Source[] {
  return readdirSync(join(ROOT, directory), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && endings.some((ending) => entry.name.endsWith(ending)))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort()
    .map((path) => ({ path, text: readText(path) }));
}

export const readText = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

export const exists = (path: string): boolean => existsSync(join(ROOT, path));

/** Code with its comments cut out; good enough for our own style, which has no comment signs in strings but URLs. */
export const withoutComments = (text: string): string =>
  text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`])\/\/.*$/gm, '$1');

const SPECIFIER =
  /(?:^|[\s;}])(?:import|export)\s(?<type>type\s)?(?:[^'"`;]*?\sfrom\s*)?['"](?<fixed>[^'"]+)['"]|import\(\s*['"](?<dynamic>[^'"]+)['"]\s*\)/g;

/** `to` is a path from the root for a local import (of the source, not the output), else as written. */
type Import = { readonly to: string; readonly isType: boolean };

export function importsOf({ path, text }: Source): readonly Import[] {
  return [...withoutComments(text).matchAll(SPECIFIER)].map(({ groups }) => {
    const specifier = groups?.fixed ?? groups?.dynamic ?? '';
    const isType = groups?.type !== undefined;
    if (!specifier.startsWith('.')) return { to: specifier, isType };
    return { to: posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts'), isType };
  });
}

/** What a file imports, each once or more. */
export const targetsOf = (source: Source): readonly string[] => importsOf(source).map(({ to }) => to);
