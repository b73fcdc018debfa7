/** The Lua scripts: put together from files, loaded before a connection is used, and run by their digest only. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import type { Link } from './connect.js';
import { type Constants, compact } from './lua.js';

export const SCRIPTS = [
  'amend',
  'append',
  'assert',
  'ban',
  'beat',
  'block',
  'blockers',
  'bring',
  'brought',
  'bury',
  'change',
  'conversations',
  'enter',
  'epoch',
  'facts',
  'forget',
  'heads',
  'heir',
  'leave',
  'mark',
  'members',
  'missing',
  'move',
  'online',
  'original',
  'page',
  'pending',
  'poll',
  'read',
  'restate',
  'restore',
  'sanctions',
  'whisper',
] as const;

export type ScriptName = (typeof SCRIPTS)[number];
export type Argument = string | number;
/** What scripts answer: integers and strings, in lists. */
export type Reply = number | string | null | readonly Reply[];

type Script = { readonly source: string; readonly sha: string };

const here = new URL('./lua/', import.meta.url);
const SHEBANG = /^#!lua[^\n]*\n/;
const INCLUDE = /^-- INCLUDE: (.+)$/m;

/** The shebang (it must be the first line of all), the parts it includes, and its body. */
function assemble(name: string, limits: Constants): Script {
  const file = readFileSync(new URL(`${name}.lua`, here), 'utf8');
  const shebang = SHEBANG.exec(file)?.[0] ?? '#!lua\n';
  const parts = INCLUDE.exec(file)?.[1]?.split(', ') ?? [];
  const library = parts.map((part) => readFileSync(new URL(`lib/${part}.lua`, here), 'utf8'));
  const source = shebang + compact([...library, file.replace(SHEBANG, '')].join('\n'), limits);
  return { source, sha: createHash('sha1').update(source).digest('hex') };
}

export class Scripts {
  readonly #root: string;
  /** How often a script had to be loaded again. */
  loads = 0;
  readonly #scripts: ReadonlyMap<ScriptName, Script>;

  /** `limits` are constants of the scripts rather than arguments of each call. */
  constructor(root: string, limits: Constants) {
    this.#root = root;
    this.#scripts = new Map(SCRIPTS.map((name) => [name, assemble(name, limits)]));
  }

  async load(client: Redis): Promise<void> {
    await Promise.all([...this.#scripts.values()].map((script) => client.script('LOAD', script.source)));
  }

  /** Runs a script over a link; see Link.call. */
  run(link: Link, name: ScriptName, args: readonly Argument[]): Promise<Reply> {
    return link.call(name, (client) => this.evaluate(client, name, args));
  }

  /** After a SCRIPT FLUSH the script did not run: it is loaded again, and run again, on the same connection. */
  async evaluate(client: Redis, name: ScriptName, args: readonly Argument[]): Promise<Reply> {
    const { sha, source } = this.#scripts.get(name) as Script;
    try {
      return (await client.evalsha(sha, 1, this.#root, ...args)) as Reply;
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
    }
    this.loads++;
    await client.script('LOAD', source);
    return (await client.evalsha(sha, 1, this.#root, ...args)) as Reply;
  }
}
