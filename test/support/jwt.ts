import { createHmac } from 'node:crypto';

export interface Claims {
  readonly sub?: unknown;
  /** Seconds since 1970. */
  readonly exp?: number;
  readonly [claim: string]: unknown;
}

export const inAnHour = (): number => Math.floor(Date.now() / 1000) + 3600;

/** An HS256 token made by hand, so that the stories don't trust the library that the server checks with. */
export function token(claims: Claims, secret: string, header: object = { alg: 'HS256', typ: 'JWT' }): string {
  const signed = `${encoded(header)}.${encoded(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

/** The token that says it needs no signature. */
export function unsigned(claims: Claims): string {
  return `${encoded({ alg: 'none', typ: 'JWT' })}.${encoded(claims)}.`;
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
