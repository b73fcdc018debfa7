/**
 * A script's text made cheap to run. Redis runs all of a script for each call: every function in it is then made anew,
 * with whatever of its surroundings it uses, and that was most of what a short call cost. So there is no function for a
 * key and no variable for a constant, and what a script does not use of a part that it includes is left out.
 */
import { KEYS } from './keys.js';

/** The variable that holds the partition's root. */
const ROOT = 'ROOT';
const COMMENT = /^\s*--.*\n/gm;
/** Names in capitals that are given numbers or strings, at the left margin. */
const CONSTANTS = /^local ([A-Z_]+(?:, [A-Z_]+)*) = ((?:\d+|'[^'\n]*')(?:, (?:\d+|'[^'\n]*'))*)\n/gm;
const FUNCTION = /^local function (\w+)\(.*\n(?:.*\n)*?end\n/gm;

export type Constants = Readonly<Record<string, number>>;

/**
 * A script of its body, that is, of what follows the shebang: the parts it includes, then its own. It may use the
 * constants that are given beside those it has.
 */
export function compact(body: string, given: Constants = {}): string {
  return withKeys(withoutUnused(withConstants(body.replace(COMMENT, ''), given)));
}

/** `K_<kind>(a, b)` becomes what the table of keys says: `ROOT .. ':kind:' .. a .. ':' .. b`. */
export function withKeys(body: string): string {
  let text = `local ${ROOT} = KEYS[1]\n`;
  let from = 0;
  for (const call of body.matchAll(/\bK_(\w+)\(/g)) {
    const { args, end } = argumentsAt(body, call.index + call[0].length);
    text += body.slice(from, call.index) + keyOf(call[1] as keyof typeof KEYS, args);
    from = end;
  }
  return text + body.slice(from);
}

function keyOf(kind: keyof typeof KEYS, args: readonly string[]): string {
  if (args.length !== KEYS[kind]?.length) throw new Error(`K_${kind}(${args.join(', ')}) is not in the table of keys`);
  if (args.length === 0) return `(${ROOT} .. ':${kind}')`;
  return `(${ROOT} .. ':${kind}:' .. ${args.map((arg) => `(${arg})`).join(" .. ':' .. ")})`;
}

/** The arguments of a call whose first one begins at `start`, and where the call ends. */
function argumentsAt(text: string, start: number): { readonly args: readonly string[]; readonly end: number } {
  const args: string[] = [];
  let depth = 1;
  let from = start;
  let at = start;
  for (; depth > 0; at++) {
    const c = text[at];
    if (c === undefined) throw new Error(`a call without an end: ${text.slice(start - 20, start)}`);
    if ('([{'.includes(c)) depth++;
    else if (')]}'.includes(c)) depth--;
    if (depth === 0 || (depth === 1 && c === ',')) {
      args.push(text.slice(from, at).trim());
      from = at + 1;
    }
  }
  return { args: args.filter((arg) => arg !== ''), end: at };
}

function withConstants(body: string, given: Constants): string {
  const constants = new Map(Object.entries(given).map(([name, value]) => [name, `${value}`]));
  const rest = body.replace(CONSTANTS, (_, names: string, values: string) => {
    const each = values.split(', ');
    for (const [i, name] of names.split(', ').entries()) constants.set(name, each[i] ?? 'nil');
    return '';
  });
  return rest.replace(/'[^'\n]*'|\b[A-Z_]+\b/g, (word) => constants.get(word) ?? word);
}

function withoutUnused(body: string): string {
  const rest = body.replace(FUNCTION, (text, name: string) => (countOf(body, name) > countOf(text, name) ? text : ''));
  return rest === body ? body : withoutUnused(rest);
}

const countOf = (text: string, name: string): number => text.match(new RegExp(`\\b${name}\\b`, 'g'))?.length ?? 0;
