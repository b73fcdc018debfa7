import { generateKeyPairSync, type JsonWebKey, type KeyObject } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignJWT } from 'jose';
import { inAnHour } from '../support/jwt.js';

/** What an issuer answers when it is asked for its keys. */
export type Answer = { readonly status: number; readonly body: string; readonly location?: string } | 'nothing';

export type SigningKey = { readonly kid: string; readonly privateKey: KeyObject; readonly jwk: JsonWebKey };

export function newKey(kid: string): SigningKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { kid, privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'ES256' } };
}

export function tokenBy(key: SigningKey, header: object = { kid: key.kid }, sub = 'ann'): Promise<string> {
  return new SignJWT({ sub, exp: inAnHour() }).setProtectedHeader({ alg: 'ES256', ...header }).sign(key.privateKey);
}

/** An issuer of tokens that publishes its keys on loopback. */
export class Issuer {
  fetches = 0;
  answer: Answer = { status: 200, body: '{"keys":[]}' };
  private readonly server: Server;

  constructor() {
    this.server = createServer((_request, response) => {
      this.fetches++;
      if (this.answer === 'nothing') return;
      const { status, body, location } = this.answer;
      response.writeHead(status, location === undefined ? {} : { location }).end(body);
    });
  }

  async opens(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/jwks`;
  }

  publishes(...keys: readonly (SigningKey | JsonWebKey | string)[]): void {
    const jwks = keys.map((key) => (typeof key === 'object' && 'jwk' in key ? key.jwk : key));
    this.answer = { status: 200, body: JSON.stringify({ keys: jwks }) };
  }

  async closes(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
