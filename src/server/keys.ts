/** The keys that tokens are verified with. Each key stands for its algorithms, whatever a token says of itself. */
import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { algorithmsOf, RSA_BITS_MIN } from './algorithms.js';
import { Jwks } from './jwks.js';

/** The key for a token's `alg` and `kid`, if that key is there and is one for that algorithm. Rejects with Unavailable
 * where that cannot be known now. */
export type FindKey = (alg: string, kid: string | undefined) => KeyObject | undefined | Promise<KeyObject | undefined>;

/** Where the issuer's key comes from: at most one of the three is configured. */
export type KeySource = {
  readonly secret: string | undefined;
  /** Path of a PEM file with a public key. */
  readonly keyFile: string | undefined;
  readonly jwksUrl: string | undefined;
};

/** Throws, with words for the operator, where the key file is of no use. No key configured: undefined. */
export function createFindKey(source: KeySource, fault: (error: unknown) => void): FindKey | undefined {
  const { secret, keyFile, jwksUrl } = source;
  if (jwksUrl !== undefined) {
    const jwks = new Jwks({ url: new URL(jwksUrl), fault });
    return (alg, kid) => jwks.find(alg, kid);
  }
  const key = secret === undefined ? keyFile && readKeyFile(keyFile) : createSecretKey(secret, 'utf8');
  return key ? (alg) => (algorithmsOf(key).includes(alg) ? key : undefined) : undefined;
}

function readKeyFile(path: string): KeyObject {
  let key: KeyObject;
  let pem: string;
  try {
    pem = readFileSync(path, 'utf8');
    key = createPublicKey(pem);
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    throw new Error(`SKEIN_JWT_KEY_FILE: no public key in PEM form can be read from it (${why})`, { cause });
  }
  // createPublicKey takes a private key, too; one that signs for everybody has no business on a node.
  if (pem.includes('PRIVATE KEY')) throw new Error('SKEIN_JWT_KEY_FILE: a private key; give the public one');
  if (algorithmsOf(key).length > 0) return key;
  throw new Error(`SKEIN_JWT_KEY_FILE: must be RSA of ${RSA_BITS_MIN} bits or more, P-256, or Ed25519`);
}
