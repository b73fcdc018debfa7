/** From a key back to its kind and the names in it. */
import { KEYS } from './keys.js';

export type ParsedKey = {
  readonly kind: keyof typeof KEYS;
  /** By what the table calls them: `conv`, `uid`, `node`… */
  readonly names: ReadonlyMap<string, string>;
};

const CONV = /^(?:all|room:[^:]+|dm:[^:]+:[^:]+)/;
const NAME = /^[^:]*/;

/** Undefined where the table has no such key. */
export function parseKey(root: string, key: string): ParsedKey | undefined {
  const [kind = '', ...rest] = key.slice(root.length + 1).split(':');
  if (!key.startsWith(`${root}:`) || !isKind(kind)) return undefined;
  let text = rest.join(':');
  const names = new Map<string, string>();
  for (const name of KEYS[kind] as readonly string[]) {
    const found = (name === 'conv' ? CONV : NAME).exec(text)?.[0] ?? '';
    names.set(name, found);
    text = text.slice(found.length + 1);
  }
  return { kind, names };
}

const isKind = (kind: string): kind is keyof typeof KEYS => Object.hasOwn(KEYS, kind);
