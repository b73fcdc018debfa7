/**
 * The keys that an issuer publishes under a URL. They are fetched when a token first needs one, fetched again while
 * tokens use them, and at once when a token names a key that is not there: so a rotation needs no restart. However many
 * tokens ask, one fetch runs at a time, and fetches have a rate.
 */
import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { Unavailable } from '../chat/ports.js';
import { algorithmsOf } from './algorithms.js';

type PublishedKey = { readonly kid: string | undefined; readonly key: KeyObject };

export type JwksParts = {
  readonly url: URL;
  /** Told why a fetch failed; what was known is used meanwhile. */
  readonly fault: (error: unknown) => void;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
};

/** The longest that a token waits for its key. */
const FETCH_MS = 2_000;
const BYTES_MAX = 262_144;
const KEYS_MAX = 100;
/** Keys older than this are fetched again, while tokens go on using them. */
const FRESH_MS = 300_000;
/** Keys older than this are of no use: what the issuer withdrew must end even where the issuer can't be reached. */
const KEPT_MS = 3_600_000;
/** Fetches that may follow each other closely, and the time in which one more is allowed. */
const FETCHES_SAVED = 4;
const FETCH_EVERY_MS = 5_000;

export class Jwks {
  private keys: readonly PublishedKey[] = [];
  private fetchedAt = Number.NEGATIVE_INFINITY;
  private fetching: Promise<void> | undefined;
  /** The last fetch failed. */
  private isCutOff = false;
  private allowed = FETCHES_SAVED;
  private countedAt: number;
  private readonly now: () => number;

  constructor(private readonly parts: JwksParts) {
    this.now = parts.now ?? (() => performance.now());
    this.countedAt = this.now();
  }

  /**
   * The key of that `kid`; without one, the only key for that algorithm. Rejects with Unavailable where it is not known
   * and nobody can be asked.
   */
  async find(alg: string, kid: string | undefined): Promise<KeyObject | undefined> {
    const age = this.now() - this.fetchedAt;
    if (age > KEPT_MS) this.keys = [];
    const known = this.pick(alg, kid);
    if (known === undefined) {
      await this.refresh();
      const fetched = this.pick(alg, kid);
      if (fetched === undefined && this.isCutOff) throw new Unavailable('the issuer publishes no keys now');
      return fetched;
    }
    if (age > FRESH_MS) void this.refresh();
    return known;
  }

  private pick(alg: string, kid: string | undefined): KeyObject | undefined {
    const fit = this.keys.filter((each) => algorithmsOf(each.key).includes(alg));
    if (kid !== undefined) return fit.find((each) => each.kid === kid)?.key;
    return fit.length === 1 ? fit[0]?.key : undefined;
  }

  /** Resolves when the keys are as new as they can be had now. */
  private refresh(): Promise<void> {
    if (this.fetching === undefined && this.mayFetch()) {
      this.fetching = this.fetch()
        .catch((cause: unknown) => {
          this.isCutOff = true;
          this.parts.fault(new Error(`no keys from ${this.parts.url.host}`, { cause }));
        })
        .finally(() => {
          this.fetching = undefined;
        });
    }
    return this.fetching ?? Promise.resolve();
  }

  private mayFetch(): boolean {
    const now = this.now();
    this.allowed = Math.min(FETCHES_SAVED, this.allowed + (now - this.countedAt) / FETCH_EVERY_MS);
    this.countedAt = now;
    if (this.allowed < 1) return false;
    this.allowed--;
    return true;
  }

  private async fetch(): Promise<void> {
    const response = await fetch(this.parts.url, {
      headers: { accept: 'application/json' },
      // Elsewhere may be a place that the rule on plain http forbids.
      redirect: 'error',
      signal: AbortSignal.timeout(FETCH_MS),
    });
    const text = await boundedText(response);
    if (response.status !== 200) throw new Error(`answered ${response.status}`);
    this.keys = publishedKeys(JSON.parse(text));
    this.fetchedAt = this.now();
    this.isCutOff = false;
  }
}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > BYTES_MAX) throw new Error(`more than ${BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function publishedKeys(body: unknown): readonly PublishedKey[] {
  const listed = typeof body === 'object' && body !== null && 'keys' in body ? body.keys : undefined;
  if (!Array.isArray(listed)) throw new Error('not a set of keys');
  return listed.slice(0, KEYS_MAX).flatMap((jwk: unknown) => publishedKey(jwk) ?? []);
}

/** A key to verify tokens with; undefined for what a set may hold beside those: keys to encrypt, other kinds. */
function publishedKey(jwk: unknown): PublishedKey | undefined {
  if (typeof jwk !== 'object' || jwk === null) return undefined;
  const { kid, use, alg } = jwk as JsonWebKey;
  if (use !== undefined && use !== 'sig') return undefined;
  let key: KeyObject;
  try {
    key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' });
  } catch {
    return undefined;
  }
  const algorithms = algorithmsOf(key);
  if (algorithms.length === 0 || (alg !== undefined && !algorithms.includes(String(alg)))) return undefined;
  return { kid: typeof kid === 'string' ? kid : undefined, key };
}
