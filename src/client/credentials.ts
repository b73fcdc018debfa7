/** Who this client is, and the token that proves it. */
import { parseUid, type Uid } from '../protocol/index.js';
import { SkeinError } from './failure.js';

export type Auth = { readonly uid?: Uid | undefined; readonly token?: string | undefined };

/** Exactly one way to say who one is. */
export type Identity =
  /** Open mode: a name is enough. */
  | { readonly uid: string; readonly token?: never; readonly getToken?: never }
  | { readonly token: string; readonly uid?: never; readonly getToken?: never }
  /** Asked before each connection, and again before the token runs out. Null: there will be none, stop. */
  | { readonly getToken: () => Promise<string | null>; readonly uid?: never; readonly token?: never };

export class Credentials {
  readonly #getToken: (() => Promise<string | null>) | undefined;
  #auth: Auth;

  constructor({ uid, token, getToken }: Identity) {
    this.#getToken = getToken;
    if (uid !== undefined) {
      const name = parseUid(uid);
      if (name === undefined) throw new SkeinError('bad_request', `not a user name: ${uid}`);
      this.#auth = { uid: name };
    } else this.#auth = authOf(token);
  }

  /** Whether a token can be had that is newer than the one refused. */
  get isRenewable(): boolean {
    return this.#getToken !== undefined;
  }

  /** The latest, without asking for a newer one. */
  get known(): Auth {
    return this.#auth;
  }

  /** The user, as far as it is known before the server said so. */
  get uid(): Uid | undefined {
    return this.#auth.uid;
  }

  replace(token: string): Auth {
    this.#auth = authOf(token);
    return this.#auth;
  }

  /** Rejects with `unauthorized` if there will be no token, else with what `getToken` rejected with. */
  async current(): Promise<Auth> {
    if (this.#getToken === undefined) return this.#auth;
    const token = await this.#getToken();
    if (token === null) throw new SkeinError('unauthorized', 'getToken gave no token');
    return this.replace(token);
  }

  /** Seconds since 1970 at which the token ends; undefined without a readable `exp`. */
  get expires(): number | undefined {
    const exp = claimsOf(this.#auth.token).exp;
    return typeof exp === 'number' ? exp : undefined;
  }
}

function authOf(token: string | undefined): Auth {
  return { token, uid: parseUid(claimsOf(token).sub) };
}

/** A token's claims, unverified: good for timers, never for trust. Empty where it is not a readable JWT. */
function claimsOf(token: string | undefined): { readonly sub?: unknown; readonly exp?: unknown } {
  const payload = token?.split('.')[1];
  if (payload === undefined) return {};
  try {
    const bytes = Uint8Array.from(atob(payload.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof claims === 'object' && claims !== null ? claims : {};
  } catch {
    return {}; // an opaque token: the server alone reads it
  }
}
