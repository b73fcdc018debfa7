/** Who somebody is: a signed token, or in open mode a name that is simply believed. */
import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify, SignJWT } from 'jose';
import type { Identity } from '../chat/session.js';
import { parseUid, type Uid } from '../protocol/index.js';
import { verifiedAtOnce } from './hs256.js';
import type { FindKey } from './keys.js';

export type TokenOptions = {
  readonly mode: 'open' | 'jwt';
  /** The issuer's keys; undefined where none is configured. */
  readonly findKey: FindKey | undefined;
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
  /** The key that all nodes share, for tokens that the service itself signed (`kid` `skein`). */
  readonly ownKey: () => string;
};

export type Credentials = { readonly token?: string | undefined; readonly uid?: Uid | undefined };

/** The `kid` of tokens that the service signs itself. */
const OWN_KEY_ID = 'skein';
const OWN_ALGORITHM = 'HS256';
const ALGORITHMS = [OWN_ALGORITHM, 'RS256', 'ES256', 'EdDSA', 'Ed25519'];
/** Header members by which a token would bring its own key. */
const KEY_HEADERS = ['jwk', 'jku', 'x5u', 'x5c'];
const TOKEN_MAX = 8_192;
/** Seconds by which the issuer's clock may be ahead. */
const SKEW_SECONDS = 60;

/** Proves credentials; undefined where they are not valid. A token wins over a name; a name needs no waiting. */
export function createIdentify(
  options: TokenOptions,
): (credentials: Credentials) => Identity | undefined | Promise<Identity | undefined> {
  let ownSecret = '';
  let ownKey: KeyObject | undefined;

  return ({ token, uid }) => {
    if (token !== undefined) return token.length > TOKEN_MAX ? undefined : (quicklyVerified(token) ?? verified(token));
    return options.mode === 'open' && uid !== undefined ? { uid, mayBroadcast: true } : undefined;
  };

  /** Undefined decides nothing. */
  function quicklyVerified(token: string): Identity | undefined {
    const found = verifiedAtOnce(token, (kid) => {
      const key = kid === OWN_KEY_ID ? ownKeyFor(OWN_ALGORITHM) : options.findKey?.(OWN_ALGORITHM, kid);
      return key instanceof Promise ? undefined : key;
    });
    return found && accepted(found.payload, found.kid);
  }

  function accepted(payload: JWTPayload, kid: unknown): Identity | undefined {
    return kid === OWN_KEY_ID || isMeantForUs(payload, options) ? identityOf(payload, options.mode) : undefined;
  }

  async function verified(token: string): Promise<Identity | undefined> {
    try {
      const { payload, protectedHeader } = await jwtVerify(token, keyOf, {
        algorithms: ALGORITHMS,
        requiredClaims: ['exp', 'sub'],
      });
      return accepted(payload, protectedHeader.kid);
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }

  async function keyOf(header: Parameters<JWTVerifyGetKey>[0]): Promise<KeyObject> {
    const { alg, kid } = header;
    if (KEY_HEADERS.some((name) => name in header)) throw new errors.JWSInvalid('a token brings no key of its own');
    if (kid !== undefined && typeof kid !== 'string') throw new errors.JWSInvalid('kid is not a string');
    const key = kid === OWN_KEY_ID ? ownKeyFor(alg) : await options.findKey?.(alg, kid);
    if (key === undefined) throw new errors.JWSInvalid('no key for this token');
    return key;
  }

  /** The same object as long as the secret is the same: a new one costs each token an import of its own. */
  function ownKeyFor(alg: string): KeyObject | undefined {
    const secret = options.ownKey();
    if (secret === '' || alg !== OWN_ALGORITHM) return undefined;
    if (secret !== ownSecret) ownKey = createSecretKey(secret, 'utf8');
    ownSecret = secret;
    return ownKey;
  }
}

export type Issued = { readonly token: string /** Milliseconds since 1970. */; readonly expires: number };

/** Signs a token for a user with the service's own key; it is valid for `ttl` seconds, and less than one more. */
export async function issueToken(secret: string, uid: Uid, ttl: number): Promise<Issued> {
  const now = Date.now() / 1000;
  const exp = Math.ceil(now) + ttl;
  const token = await new SignJWT()
    .setProtectedHeader({ alg: OWN_ALGORITHM, kid: OWN_KEY_ID, typ: 'JWT' })
    .setSubject(uid)
    .setJti(randomBytes(16).toString('base64url'))
    .setIssuedAt(Math.floor(now))
    .setExpirationTime(exp)
    .sign(createSecretKey(secret, 'utf8'));
  return { token, expires: exp * 1000 };
}

function isMeantForUs({ iss, aud }: JWTPayload, { issuer, audience }: TokenOptions): boolean {
  if (issuer !== undefined && iss !== issuer) return false;
  return audience === undefined || (Array.isArray(aud) ? aud.includes(audience) : aud === audience);
}

function identityOf(payload: JWTPayload, mode: TokenOptions['mode']): Identity | undefined {
  const uid = parseUid(payload.sub);
  const { exp, iat, jti } = payload;
  if (uid === undefined || exp === undefined || !Number.isFinite(exp)) return undefined;
  if (iat !== undefined && iat > Date.now() / 1000 + SKEW_SECONDS) return undefined;
  // A ban may name a token by its id, so an id that no ban could name is not accepted.
  if (jti !== undefined && typeof jti !== 'string') return undefined;
  const mayBroadcast = mode === 'open' || payload.broadcast === true || payload.admin === true;
  return { uid, expires: exp * 1000, mayBroadcast, ...(jti === undefined ? {} : { tokenId: jti }) };
}
