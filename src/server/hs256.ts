/**
 * HS256 tokens verified in the turn in which they come: an upgrade that waits costs twice as much. It knows tokens of
 * the plain form only, and only ever says yes; whatever it does not vouch for is for the library to judge.
 */
import { isUtf8 } from 'node:buffer';
import { createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { JWTPayload } from 'jose';

/** The secret for tokens of a `kid`, if there is one at hand. */
export type FindSecret = (kid: string | undefined) => KeyObject | undefined;

const FORM = /^([\w-]+)\.([\w-]+)\.([\w-]{43})$/;
/** All that the header of a plain token may say. */
const HEADERS = new Set(['alg', 'kid', 'typ']);
const TIMES = ['exp', 'iat', 'nbf'] as const;

export type Verified = { readonly payload: JWTPayload; readonly kid: string | undefined };

/** What a valid token of the plain form says, with `exp` ahead and `nbf` past; undefined proves nothing. */
export function verifiedAtOnce(token: string, findSecret: FindSecret): Verified | undefined {
  const [, header = '', payload = '', signature = ''] = FORM.exec(token) ?? [];
  const head = objectIn(header);
  if (head?.alg !== 'HS256' || !Object.keys(head).every((name) => HEADERS.has(name))) return undefined;
  const { kid } = head;
  if (kid !== undefined && typeof kid !== 'string') return undefined;
  const secret = findSecret(kid);
  if (secret?.type !== 'secret') return undefined;
  const proof = createHmac('sha256', secret).update(`${header}.${payload}`).digest('base64url');
  if (!timingSafeEqual(Buffer.from(proof), Buffer.from(signature))) return undefined;
  const claims = objectIn(payload);
  return claims !== undefined && isOfNow(claims) ? { payload: claims, kid } : undefined;
}

/** The object that a part of a token is. */
function objectIn(part: string): Readonly<Record<string, unknown>> | undefined {
  const bytes = Buffer.from(part, 'base64url');
  if (!isUtf8(bytes)) return undefined;
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isOfNow(claims: JWTPayload): boolean {
  const now = Math.floor(Date.now() / 1000);
  if (TIMES.some((name) => claims[name] !== undefined && typeof claims[name] !== 'number')) return false;
  return claims.exp !== undefined && claims.exp > now && (claims.nbf === undefined || claims.nbf <= now);
}
