/** Who somebody is: an HS256 token, or in open mode a name that is simply believed. */
import { errors, type JWTPayload, jwtVerify } from 'jose';
import type { Identity } from '../chat/session.js';
import { parseUid, type Uid } from '../protocol/index.js';

export type TokenOptions = {
  readonly mode: 'open' | 'jwt';
  readonly secret: string | undefined;
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
  /** The key that all nodes share, for tokens that the service itself signed (`kid` `skein`). */
  readonly ownKey: () => string;
};

export type Credentials = { readonly token?: string | undefined; readonly uid?: Uid | undefined };

/** The `kid` of tokens that the service signs itself. */
export const OWN_KEY_ID = 'skein';
const TOKEN_MAX = 8_192;
/** Seconds by which the issuer's clock may be ahead. */
const SKEW_SECONDS = 60;

/** Proves credentials; undefined where they are not valid. A token wins over a name. */
export function createIdentify(options: TokenOptions): (credentials: Credentials) => Promise<Identity | undefined> {
  const encoder = new TextEncoder();
  const configured = options.secret === undefined ? undefined : encoder.encode(options.secret);

  return async ({ token, uid }) => {
    if (token !== undefined) return token.length > TOKEN_MAX ? undefined : verified(token);
    return options.mode === 'open' && uid !== undefined ? { uid, mayBroadcast: true } : undefined;
  };

  async function verified(token: string): Promise<Identity | undefined> {
    try {
      const { payload, protectedHeader } = await jwtVerify(
        token,
        ({ kid }) => {
          if (kid === OWN_KEY_ID) return encoder.encode(options.ownKey());
          if (configured === undefined) throw new errors.JWSInvalid('no key is configured');
          return configured;
        },
        { algorithms: ['HS256'], requiredClaims: ['exp', 'sub'] },
      );
      const isOwn = protectedHeader.kid === OWN_KEY_ID;
      return isOwn || isMeantForUs(payload, options) ? identityOf(payload, options.mode) : undefined;
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }
}

function isMeantForUs({ iss, aud }: JWTPayload, { issuer, audience }: TokenOptions): boolean {
  if (issuer !== undefined && iss !== issuer) return false;
  return audience === undefined || (Array.isArray(aud) ? aud.includes(audience) : aud === audience);
}

function identityOf(payload: JWTPayload, mode: TokenOptions['mode']): Identity | undefined {
  const uid = parseUid(payload.sub);
  const { exp, iat } = payload;
  if (uid === undefined || exp === undefined || !Number.isFinite(exp)) return undefined;
  if (iat !== undefined && iat > Date.now() / 1000 + SKEW_SECONDS) return undefined;
  const mayBroadcast = mode === 'open' || payload.broadcast === true || payload.admin === true;
  return { uid, expires: exp * 1000, mayBroadcast };
}
