/** Where the server is and who one is, from flags and environment; and the way there. */
import { readFileSync } from 'node:fs';
import { WebSocket } from 'ws';
import type { Options } from 'yargs';
import { Credentials, type Identity } from '../client/credentials.js';
import { Client, type ClientOptions, STATE } from '../client/index.js';
import { CLI_SETTINGS } from '../ops/cli-settings.js';
import { readSetting } from '../ops/config.js';
import type { Setting } from '../ops/settings.js';
import { parseDevice, parseUid } from '../protocol/index.js';
import { beforeEnd, Failure, Usage } from './ending.js';

export const URL_OPTION = {
  url: { type: 'string', requiresArg: true, describe: `Where Skein is [${CLI_SETTINGS.url.name}]` },
} as const satisfies Record<string, Options>;

export const REACH_OPTIONS = {
  ...URL_OPTION,
  uid: { type: 'string', requiresArg: true, describe: `Who you are, in open mode [${CLI_SETTINGS.uid.name}]` },
  token: {
    type: 'string',
    requiresArg: true,
    describe: `The token that says who you are; others on this machine can see it in the list of processes, so better [${CLI_SETTINGS.token.name}]`,
  },
  'token-file': { type: 'string', requiresArg: true, describe: 'A file that holds the token' },
} as const satisfies Record<string, Options>;

export const TIMEOUT_OPTION = {
  timeout: { type: 'number', requiresArg: true, default: 10, describe: 'Seconds to wait for the server' },
} as const satisfies Record<string, Options>;

/** What these flags give; a flag wins over the environment. */
export type ReachFlags = {
  readonly url?: string | undefined;
  readonly uid?: string | undefined;
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
};

export type Reach = { readonly url: string; readonly identity: Identity };

/** Throws Usage where something is missing or contradicts itself. */
export const reachOf = (flags: ReachFlags): Reach => ({ url: urlOf(flags), identity: identityOf(flags) });

/** `http(s)://host/path/`. */
export function urlOf({ url }: ReachFlags): string {
  const text = settingOf(CLI_SETTINGS.url, '--url', url) ?? '';
  if (!URL.canParse(text)) throw new Usage(`not a URL: ${text}`);
  const { origin, pathname } = new URL(text.replace(/^ws(?=s?:)/i, 'http'));
  return `${origin}${pathname.replace(/\/?$/, '/')}`;
}

/** The text of the flag that is named first, judged as the variable's would be; else the variable's. Throws Usage. */
export function settingOf<T>(setting: Setting<T>, flag?: string, text?: string): T | undefined {
  const read =
    flag === undefined || text === undefined
      ? readSetting(setting)
      : readSetting({ ...setting, name: flag }, { [flag]: text });
  if ('error' in read) throw new Usage(read.error);
  return read.value;
}

/** A name in form, or Usage. */
export function uidNamed(text: string): NonNullable<ReturnType<typeof parseUid>> {
  const uid = parseUid(text);
  if (uid === undefined) throw new Usage(`not a user name: ${text}`);
  return uid;
}

export const seconds = (timeout: number): number => {
  if (!(timeout > 0)) throw new Usage('--timeout: seconds, more than 0');
  return timeout * 1_000;
};

function identityOf(flags: ReachFlags): Identity {
  const token = tokenOf(flags);
  const uid = settingOf(CLI_SETTINGS.uid, '--uid', flags.uid);
  if (token === undefined) {
    if (uid !== undefined) return { uid: uidNamed(uid) };
    throw new Usage(
      `who are you? --uid in open mode, else a token: ${CLI_SETTINGS.token.name}, --token-file or --token`,
    );
  }
  const owner = new Credentials({ token }).uid;
  if (flags.uid !== undefined && owner !== undefined && owner !== uidNamed(flags.uid)) {
    throw new Usage(`the token is ${owner}'s, and --uid says ${flags.uid}`);
  }
  return { token };
}

function tokenOf({ token, tokenFile }: ReachFlags): string | undefined {
  if (token !== undefined && tokenFile !== undefined) throw new Usage('--token and --token-file: give one of them');
  return tokenFile === undefined
    ? settingOf(CLI_SETTINGS.token, '--token', token)
    : readSecret(tokenFile, '--token-file');
}

/** What a file holds, without the line's end. */
export function readSecret(path: string, flag: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new Usage(`${flag}: the file cannot be read (${codeOf(error)})`);
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : String(error);

/** fetch tells the reason only in the cause of its error. */
export async function reachingFetch(...request: Parameters<typeof fetch>): Promise<Response> {
  try {
    return await fetch(...request);
  } catch (error) {
    throw error instanceof Error && error.cause !== undefined ? new Error(reasonOf(error.cause)) : error;
  }
}

function reasonOf(cause: unknown): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) return reasonOf(cause.errors[0]);
  return cause instanceof Error ? cause.message || codeOf(cause) : String(cause);
}

export type Line = {
  readonly client: Client;
  /**
   * Resolves when there is a connection. Rejects with a Failure when the server refuses for good, or when there was none
   * `within` so many milliseconds; undefined: waits for ever.
   */
  opened(within?: number): Promise<void>;
  /** Rejects when the connection is over and no other will come. */
  readonly over: Promise<never>;
  /** Why the last try failed, as far as the network said so. */
  trouble(): string | undefined;
};

/** A client that is closed in order before the process ends. Connects nothing yet. */
export function lineTo(
  { url, identity }: Reach,
  device: string,
  more: Pick<ClientOptions, 'acks' | 'transports'> = {},
): Line {
  let trouble: string | undefined;
  class Socket extends WebSocket {
    constructor(address: string) {
      super(address);
      this.on('error', (error) => {
        trouble = reasonOf(error);
      });
    }
  }
  if (parseDevice(device) === undefined) throw new Usage(`--device: 1 to 64 of A-Z a-z 0-9 _ . -, not ${device}`);
  const client = new Client({ ...identity, url, device, WebSocket: Socket, fetch: reachingFetch, ...more });
  beforeEnd(() => client.close());
  const over = new Promise<never>((_, reject) => {
    client.on('state', (status) => {
      if (status.state !== STATE.closed || status.next !== undefined || status.code === 1000) return;
      reject(new Failure(`${status.reason} (${status.code})`, status.code === 4401 ? 'unauthorized' : undefined));
    });
  });
  over.catch(awaitedByTheInterested);

  async function opened(within?: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const open = new Promise<void>((resolve, reject) => {
      const stop = client.on('state', ({ state }) => {
        if (state !== STATE.open) return;
        stop();
        resolve();
      });
      if (within === undefined) return;
      timer = setTimeout(() => reject(new Failure(`no connection to ${url}: ${trouble ?? 'no answer'}`)), within);
    });
    client.connect();
    await Promise.race([open, over]).finally(() => clearTimeout(timer));
  }

  return { client, opened, over, trouble: () => trouble };
}

/** `over` is a fact, not an accident: it needs no listener. */
function awaitedByTheInterested(): void {}
