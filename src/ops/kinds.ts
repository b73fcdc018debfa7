/** The forms that a setting's text may have: how each is described to a person, and how it is read. */

import { isIP } from 'node:net';

export type Parsed<T> = { readonly value: T } | { readonly wrong: true };

/** `form` completes the sentence "must be …" and is what the documentation shows. */
export type Kind<T> = {
  readonly form: string;
  parse(text: string): Parsed<T>;
};

const WRONG = { wrong: true } as const;

const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;

const decimal = (text: string): number => (/^\d{1,15}(\.\d{1,6})?$/.test(text) ? Number(text) : Number.NaN);

function between(text: string, min: number, max: number, scale: number): Parsed<number> {
  const value = decimal(text);
  return value >= min && value <= max ? { value: Math.round(value * scale) } : WRONG;
}

export function integer(min: number, max: number): Kind<number> {
  return {
    form: `an integer from ${min} to ${max}`,
    parse: (text) => (/^\d+$/.test(text) ? between(text, min, max, 1) : WRONG),
  };
}

/** Read in seconds, held in milliseconds. */
export function seconds(min: number, max: number): Kind<number> {
  return { form: `${min} to ${max} seconds`, parse: (text) => between(text, min, max, SECOND_MS) };
}

/** Read in days, held in milliseconds. */
export function days(min: number, max: number): Kind<number> {
  return { form: `${min} to ${max} days`, parse: (text) => between(text, min, max, DAY_MS) };
}

export function choice<const T extends string>(...options: readonly T[]): Kind<T> {
  return {
    form: options.map((option) => `\`${option}\``).join(', '),
    parse: (text) => {
      const value = options.find((option) => option === text);
      return value === undefined ? WRONG : { value };
    },
  };
}

export const flag: Kind<boolean> = {
  form: '`1` or `0`',
  parse: (text) => (text === '1' || text === '0' ? { value: text === '1' } : WRONG),
};

export function text(form: string, pattern: RegExp): Kind<string> {
  return { form, parse: (value) => (pattern.test(value) ? { value } : WRONG) };
}

/** A key; its length is counted in bytes of UTF-8. */
export function secret(minBytes: number): Kind<string> {
  return {
    form: minBytes > 1 ? `at least ${minBytes} bytes` : 'text',
    parse: (value) => (Buffer.byteLength(value) >= minBytes ? { value } : WRONG),
  };
}

const REDIS_URL = /^(?:rediss?|redis\+sentinel):\/\/(?:(?<login>[^@/]*)@)?[^@/?#\s]+(?:\/[^?#\s]*)?$/;

/** Only its beginning and its login are looked at here: the rest is the Redis backend's to read. */
export const redisUrl: Kind<string> = {
  form: 'a URL, `redis://`, `rediss://` or `redis+sentinel://`',
  parse: (value) => {
    const login = REDIS_URL.exec(value)?.groups?.login ?? '';
    return REDIS_URL.test(value) && isEncoded(login) ? { value } : WRONG;
  },
};

function isEncoded(text: string): boolean {
  try {
    return decodeURIComponent(text) !== undefined;
  } catch {
    return false;
  }
}

/** The password in a URL that `redisUrl` let through, as it stands there. */
export function passwordIn(url: string): string {
  const login = REDIS_URL.exec(url)?.groups?.login ?? '';
  const colon = login.indexOf(':');
  return colon < 0 ? '' : login.slice(colon + 1);
}

/** Origins as a browser writes them: lower case, without the scheme's own port. */
export const origins: Kind<readonly string[]> = {
  form: 'origins (`https://chat.example`) with commas between them, or `*`',
  parse: (text) => {
    const value: string[] = [];
    for (const part of text.split(',')) {
      const origin = originOf(part.trim());
      if (origin === undefined) return WRONG;
      value.push(origin);
    }
    return { value };
  },
};

function originOf(text: string): string | undefined {
  if (text === '*') return text;
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^/?#@\s]+$/i.test(text) || !URL.canParse(text)) return undefined;
  const { origin } = new URL(text);
  // Only web schemes have an origin to URL; an app's own scheme ("app://main") is compared as it stands.
  return origin === 'null' ? text.toLowerCase() : origin;
}

/** What a network is to whoever uses the value: an address, and how many of its bits count. */
type Network = { readonly address: string; readonly prefix: number };

/** Loopback, link-local and private addresses: no client out on the internet has one. */
export const PRIVATE_NETWORKS: readonly Network[] = [
  { address: '127.0.0.0', prefix: 8 },
  { address: '10.0.0.0', prefix: 8 },
  { address: '172.16.0.0', prefix: 12 },
  { address: '192.168.0.0', prefix: 16 },
  { address: '169.254.0.0', prefix: 16 },
  { address: '100.64.0.0', prefix: 10 },
  { address: '::1', prefix: 128 },
  { address: 'fc00::', prefix: 7 },
  { address: 'fe80::', prefix: 10 },
];

export const networks: Kind<readonly Network[]> = {
  form: 'addresses or networks (`10.0.0.0/8`, `fd00::/8`) with commas between them, or `private`: loopback, link-local and private ones',
  parse: (text) => {
    const value: Network[] = [];
    for (const part of text.split(',')) {
      const found = networksIn(part.trim());
      if (found === undefined) return WRONG;
      value.push(...found);
    }
    return { value };
  },
};

function networksIn(text: string): readonly Network[] | undefined {
  if (text === 'private') return PRIVATE_NETWORKS;
  const [, address = '', bits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIP(address);
  const most = family === 4 ? 32 : 128;
  const prefix = bits === undefined ? most : Number(bits);
  return family === 0 || prefix > most ? undefined : [{ address, prefix }];
}
