/** What every request brings with it: who it is from, and from which page. */
import { isIP } from 'node:net';
import type { Identity } from '../chat/session.js';
import { parseUid } from '../protocol/index.js';
import { remembered } from './addresses.js';
import type { Query } from './query.js';
import type { Credentials } from './tokens.js';
import type { Request } from './transport.js';

/**
 * At once where nothing has to be computed: an upgrade that is answered in its own turn costs a third. Rejects with
 * Unavailable where the issuer's keys cannot be had.
 */
export type Identify = (credentials: Credentials) => Identity | undefined | Promise<Identity | undefined>;

const BEARER = /^Bearer +([^\s]+) *$/i;

/**
 * The credentials in a request: `Authorization: Bearer`, else `?token=`, else `?uid=`. `none` where it has none,
 * undefined where they are out of form.
 */
export function credentialsIn(request: Request, query: Query): Credentials | 'none' | undefined {
  const authorization = request.header('authorization');
  if (authorization !== undefined) {
    const token = BEARER.exec(authorization)?.[1];
    return token === undefined ? undefined : { token };
  }
  const token = query.get('token');
  if (token !== null) return { token };
  if (!query.has('uid')) return 'none';
  const uid = parseUid(query.get('uid'));
  return uid === undefined ? undefined : { uid };
}

/** Which pages may talk to the service, and under which names. */
export type Entrance = {
  /** Origins beside the request's own host. */
  readonly origins: readonly string[];
  /** Whether only a name may be used that nobody else can give this address (DNS rebinding). */
  readonly checksHost: boolean;
};

/** Why a request may not come in, whoever it is from; undefined: it may. */
export function barTo(request: Request, { origins, checksHost }: Entrance): string | undefined {
  if (!isOriginAllowed(request, origins)) return 'this origin is not allowed';
  if (checksHost && !isHostOurs(request.header('host'), origins))
    return 'open mode knows no such host; add its origin to SKEIN_ORIGINS';
  return undefined;
}

/**
 * Anybody can make a DNS name of theirs stand for this machine's address, and their page then has the service for its
 * own host. An address, a name without a dot and localhost are no such names.
 */
function isHostOurs(host: string | undefined, origins: readonly string[]): boolean {
  if (host === undefined || origins.includes('*') || isNobodysName(host)) return true;
  return [`http://${host}`, `https://${host}`].some((origin) => origins.includes(origin.toLowerCase()));
}

const isNobodysName = remembered((host) => {
  const name = host.toLowerCase().replace(/:\d+$/, '');
  return !name.includes('.') || name.endsWith('.localhost') || name.startsWith('[') || isIP(name) !== 0;
});

/** What a browser writes as an origin: ASCII without spaces. Anything else could not be answered in a header either. */
const ORIGIN = /^[!-~]+$/;

/** Whether a page of this origin may talk to the service: none, the request's own host, or one that is configured. */
export function isOriginAllowed(request: Request, allowed: readonly string[]): boolean {
  const origin = request.header('origin');
  if (origin === undefined) return true;
  if (!ORIGIN.test(origin)) return false;
  if (allowed.includes('*') || allowed.includes(origin)) return true;
  const host = request.header('host');
  return host !== undefined && (origin === `http://${host}` || origin === `https://${host}`);
}
