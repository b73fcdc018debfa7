/** The certificate that a node ends TLS with itself. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';

/** Paths for the library that reads them itself, and what is in them. */
export type Certificate = {
  readonly certFile: string;
  readonly keyFile: string;
  readonly cert: string;
  readonly key: string;
};

/**
 * Reads a certificate chain and its key. Throws, with words for the operator, where they are of no use; what is in
 * them never stands in those. `onWeak` is told of one that clients will not accept now.
 */
export function readCertificate(certFile: string, keyFile: string, onWeak: (why: string) => void): Certificate {
  const cert = readPem('SKEIN_TLS_CERT', certFile);
  const key = readPem('SKEIN_TLS_KEY', keyFile);
  let leaf: X509Certificate;
  try {
    leaf = new X509Certificate(cert);
  } catch (cause) {
    throw new Error('SKEIN_TLS_CERT: no certificate in PEM form', { cause });
  }
  try {
    createSecureContext({ cert, key });
  } catch (cause) {
    throw new Error(`SKEIN_TLS_KEY: not the key of SKEIN_TLS_CERT in PEM form (${reasonOf(cause)})`, { cause });
  }
  const now = Date.now();
  if (Date.parse(leaf.validTo) < now) onWeak(`SKEIN_TLS_CERT: expired at ${leaf.validTo}`);
  if (Date.parse(leaf.validFrom) > now) onWeak(`SKEIN_TLS_CERT: valid from ${leaf.validFrom} only`);
  return { certFile, keyFile, cert, key };
}

function readPem(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new Error(`${name}: the file cannot be read (${reasonOf(cause)})`, { cause });
  }
}

const reasonOf = (cause: unknown): string =>
  cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
