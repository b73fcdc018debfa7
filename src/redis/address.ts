/** From a URL to what ioredis must be told about where Redis is. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { RedisOptions } from 'ioredis';

/** Where to connect, and how an operator may be told so: without credentials. */
export type Address = { readonly options: RedisOptions; readonly shown: string };

const REDIS_PORT = 6_379;
const SENTINEL_PORT = 26_379;
const FORM = /^(?<scheme>[a-z+]+):\/\/(?:(?<login>[^@/]*)@)?(?<hosts>[^/]+)(?:\/(?<path>[^?#]*))?$/;

/**
 * Reads `redis://[user:password@]host[:port][/db]`, `rediss://…` (TLS) or
 * `redis+sentinel://[user:password@]host[:port][,host…]/name[/db]`. `ca`: whom to trust with TLS, as PEM; else whom
 * Node.js trusts. Throws with a message for the operator otherwise.
 */
export function parseAddress(url: string, ca?: string): Address {
  const groups = FORM.exec(url)?.groups;
  if (groups === undefined) throw new Error('the Redis URL is not of the form redis://host:port');
  const { scheme = '', login, hosts = '', path = '' } = groups;
  const credentials = credentialsOf(login);
  if (scheme === 'redis' || scheme === 'rediss') {
    const { host, port } = hostOf(hosts, REDIS_PORT);
    // A certificate for an address is looked at by that address; there is no server name then.
    const servername = isIP(host) === 0 ? { servername: host } : {};
    const tls = scheme === 'rediss' ? { tls: { ...servername, ...(ca !== undefined && { ca }) } } : {};
    return { options: { host, port, db: dbOf(path), ...credentials, ...tls }, shown: `${host}:${port}` };
  }
  if (scheme === 'redis+sentinel') {
    const [name = '', db = ''] = path.split('/');
    if (name === '') throw new Error('a redis+sentinel:// URL ends in the name of the primary: …:26379/mymaster');
    const sentinels = hosts.split(',').map((host) => hostOf(host, SENTINEL_PORT));
    return { options: { sentinels, name, db: dbOf(db), ...credentials }, shown: `${name} at ${hosts}` };
  }
  throw new Error(`the Redis URL begins with ${scheme}://; it must be redis://, rediss:// or redis+sentinel://`);
}

/** The certificate of an authority, from a file. Throws with a message for the operator. */
export function readAuthority(path: string): string {
  try {
    const pem = readFileSync(path, 'utf8');
    new X509Certificate(pem);
    return pem;
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
    throw new Error(`SKEIN_REDIS_CA: no certificate in PEM form can be read from it (${why})`, { cause });
  }
}

function credentialsOf(login: string | undefined): Pick<RedisOptions, 'username' | 'password'> {
  if (login === undefined || login === '') return {};
  const colon = login.indexOf(':');
  if (colon < 0) return { username: decodeURIComponent(login) };
  const password = decodeURIComponent(login.slice(colon + 1));
  return colon === 0 ? { password } : { username: decodeURIComponent(login.slice(0, colon)), password };
}

function hostOf(text: string, defaultPort: number): { readonly host: string; readonly port: number } {
  const [, host, port] = /^(\[[^\]]+\]|[^:]+)(?::(\d{1,5}))?$/.exec(text) ?? [];
  if (host === undefined) throw new Error(`not a host in the Redis URL: ${text}`);
  return { host: host.replace(/^\[|\]$/g, ''), port: port === undefined ? defaultPort : Number(port) };
}

function dbOf(text: string): number {
  if (text === '') return 0;
  if (!/^\d{1,4}$/.test(text)) throw new Error(`not a database number in the Redis URL: ${text}`);
  return Number(text);
}
