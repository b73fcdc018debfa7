/** What every request brings with it: who it is from, and from which page. */
import type { Identity } from '../chat/session.js';
import { parseUid } from '../protocol/index.js';
import type { Credentials } from './tokens.js';
import type { Request } from './transport.js';

/** At once where nothing has to be computed: an upgrade that is answered in its own turn costs a third. */
export type Identify = (credentials: Credentials) => Identity | undefined | Promise<Identity | undefined>;

const BEARER = /^Bearer +([^\s]+) *$/i;

/**
 * The credentials in a request: `Authorization: Bearer`, else `?token=`, else `?uid=`. `none` where it has none,
 * undefined where they are out of form.
 */
export function credentialsIn(request: Request, query: URLSearchParams): Credentials | 'none' | undefined {
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
