/** What an operator may want to know of a Redis, looked at and not touched. */
import { Redis } from 'ioredis';
import { parseAddress, readAuthority } from './address.js';
import { bounded } from './connect.js';
import { configOf, SCHEMA } from './inspect.js';
import { keysOf, rootOf } from './keys.js';

export type Examined = {
  /** Where it is, without credentials. */
  readonly shown: string;
  /** Fields of INFO. */
  readonly info: ReadonlyMap<string, string>;
  /** CONFIG GET; undefined where this user may not. */
  readonly config: ReadonlyMap<string, string> | undefined;
  /** The version of the data under the prefix, if it is one that this program does not know. */
  readonly strangeSchema: string | undefined;
  /** Milliseconds there and back. */
  readonly ping: number;
  /** Its clock minus this machine's, in milliseconds. */
  readonly skew: number;
};

/** Where and how, as the node's settings have it. */
export type Examination = {
  readonly url: string;
  readonly prefix: string;
  readonly caFile: string | undefined;
  /** Milliseconds for each step. */
  readonly within: number;
};

const SETTINGS = [
  'maxmemory-policy',
  'maxmemory',
  'maxclients',
  'appendonly',
  'appendfsync',
  'client-output-buffer-limit',
  'timeout',
];
const LOOKS = 5;

/** Rejects when there is no login or no answer in time, and where the URL is out of form. */
export async function examine({ url, prefix, caFile, within }: Examination): Promise<Examined> {
  const { options, shown } = parseAddress(url, caFile === undefined ? undefined : readAuthority(caFile));
  const client = new Redis({
    ...options,
    lazyConnect: true,
    retryStrategy: () => null,
    sentinelRetryStrategy: () => null,
    maxRetriesPerRequest: 0,
    enableReadyCheck: false,
    disableClientInfo: true,
    connectTimeout: within,
  });
  // What ioredis rejects with is only that the connection is closed; the reason comes as an event.
  let reason: Error | undefined;
  client.on('error', (error) => {
    reason = error;
  });
  try {
    await bounded(client.connect(), within);
    return { shown, ...(await bounded(look(client, prefix), within)) };
  } catch (error) {
    throw reason ?? error;
  } finally {
    client.disconnect();
  }
}

async function look(client: Redis, prefix: string): Promise<Omit<Examined, 'shown'>> {
  const info = fieldsOf(await client.info());
  const schema = await client.get(keysOf(rootOf(prefix)).schema());
  const config = await configOf(client, ...SETTINGS);
  const strangeSchema = schema === null || schema === SCHEMA ? undefined : schema;
  return { info, config, strangeSchema, ...(await clockOf(client)) };
}

/** The quickest of a few looks: it tells most of the way and of the clock, and least of what else the machine does. */
async function clockOf(client: Redis): Promise<Pick<Examined, 'ping' | 'skew'>> {
  let best = { ping: Number.POSITIVE_INFINITY, skew: 0 };
  for (let look = 0; look < LOOKS; look++) {
    const began = Date.now();
    const [seconds, micros] = await client.time();
    const ping = Date.now() - began;
    const clock = Number(seconds) * 1_000 + Number(micros) / 1_000;
    if (ping < best.ping) best = { ping, skew: Math.round(clock - began - ping / 2) };
  }
  return best;
}

function fieldsOf(info: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of info.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0 && !line.startsWith('#')) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return fields;
}
