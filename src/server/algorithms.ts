import type { KeyObject } from 'node:crypto';

export const RSA_BITS_MIN = 2_048;

/** The algorithms that a key verifies; none where it is of another kind, or too weak. */
export function algorithmsOf(key: KeyObject): readonly string[] {
  if (key.type === 'secret') return ['HS256'];
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return (key.asymmetricKeyDetails?.modulusLength ?? 0) >= RSA_BITS_MIN ? ['RS256'] : [];
    case 'ec':
      return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? ['ES256'] : [];
    case 'ed25519':
      return ['EdDSA', 'Ed25519'];
    default:
      return [];
  }
}
