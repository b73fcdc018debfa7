/** Whether a Redis is fit to be the store. */
import type { Redis } from 'ioredis';
import type { Keys } from './keys.js';

/** The version of all keys and payloads. */
export const SCHEMA = '1';

/** What an operator should know: why it must not be used, and what is weak though it may be. */
export type Inspection = { readonly unfit: readonly string[]; readonly weak: readonly string[] };

/** `fast` takes a crash of Redis to lose the last second, `strict` asks a replica before anything counts as stored. */
export type Durability = 'fast' | 'safe' | 'strict';

export async function inspect(client: Redis, keys: Keys, durability: Durability = 'safe'): Promise<Inspection> {
  const unfit: string[] = [];
  const weak: string[] = [];
  const version = fieldOf(await client.info('server'), 'redis_version') ?? '0';
  if (Number.parseInt(version, 10) < 7) unfit.push(`Redis ${version} is too old: 7.0 or later is needed`);
  // Looked at before it is written: a Redis that is full refuses to be written to, and is still one to start with.
  const schema = (await client.get(keys.schema())) ?? (await client.set(keys.schema(), SCHEMA, 'NX', 'GET'));
  if (schema !== null && schema !== SCHEMA) {
    unfit.push(`the data in Redis has schema ${schema}, this version knows ${SCHEMA}`);
  }
  const config = await configOf(client, 'maxmemory-policy', 'appendonly', 'appendfsync');
  if (config === undefined) {
    weak.push('weak: CONFIG is forbidden, so neither the eviction policy nor the persistence could be checked');
    return { unfit, weak };
  }
  const policy = config.get('maxmemory-policy');
  if (policy !== 'noeviction') {
    unfit.push(`maxmemory-policy is ${policy}: Redis may delete messages; set it to noeviction`);
  }
  if (config.get('appendonly') !== 'yes') weak.push('weak: appendonly is no: a restart of Redis loses messages');
  else {
    const fsync = config.get('appendfsync') ?? '';
    const isEnough = fsync === 'always' || (durability === 'fast' && fsync === 'everysec');
    if (!isEnough) weak.push(`weak: appendfsync is ${fsync}: a crash of Redis may lose the last messages`);
  }
  return { unfit, weak };
}

/** Undefined where the user may not see it, or the command was renamed away. */
export async function configOf(
  client: Redis,
  ...names: readonly string[]
): Promise<ReadonlyMap<string, string> | undefined> {
  try {
    const flat = (await client.call('CONFIG', 'GET', ...names)) as string[];
    const config = new Map<string, string>();
    for (let i = 0; i < flat.length; i += 2) config.set(flat[i] as string, flat[i + 1] as string);
    return config;
  } catch (error) {
    if (error instanceof Error && /^(NOPERM|ERR unknown command)/.test(error.message)) return undefined;
    throw error;
  }
}

/** Identifies the Redis process: it changes with every restart and failover. */
export async function runIdOf(client: Redis): Promise<string> {
  const runId = fieldOf(await client.info('server'), 'run_id');
  if (runId === undefined) throw new Error('Redis does not tell its run_id');
  return runId;
}

export const fieldOf = (info: string, field: string): string | undefined =>
  new RegExp(`^${field}:(\\S+)`, 'm').exec(info)?.[1];
