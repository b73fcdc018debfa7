/** Certificates for tests, made when they run: an authority of its own each time, and no key in the repository. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** One DER element. */
function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const bytes = (...values: readonly number[]): Buffer => Buffer.from(values);
const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const utcTime = (date: Date): Buffer => {
  const digits = date.toISOString().replace(/\D/g, '');
  return der(0x17, Buffer.from(`${digits.slice(2, 14)}Z`));
};

const ECDSA_SHA256 = sequence(oid('2a8648ce3d040302'));
const nameOf = (text: string): Buffer => sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(text)))));

function extension(hex: string, value: Buffer): Buffer {
  return sequence(oid(hex), der(0x04, value));
}

const altNames = (names: readonly string[]): Buffer =>
  sequence(
    ...names.map((name) =>
      isIP(name) === 4 ? der(0x87, bytes(...name.split('.').map(Number))) : der(0x82, Buffer.from(name)),
    ),
  );

const pem = (label: string, content: Buffer): string =>
  `-----BEGIN ${label}-----\n${content.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END ${label}-----\n`;

export type Certificate = { readonly cert: string; readonly key: string };

export type CertificatePlan = {
  /** Host names and IPv4 addresses. */
  readonly names?: readonly string[];
  readonly from?: Date;
  readonly until?: Date;
};

const DAY_MS = 86_400_000;
const newKeys = (): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** Signs certificates; `cert` is what a client must trust. */
export class Authority {
  private readonly keys = newKeys();
  private readonly name = `skein test ${randomBytes(4).toString('hex')}`;
  readonly cert = this.certify(this.name, this.keys.publicKey, { names: [] }, true);

  issues({ names = ['localhost', '127.0.0.1'], ...rest }: CertificatePlan = {}): Certificate {
    const { publicKey, privateKey } = newKeys();
    const cert = this.certify(names[0] ?? 'nobody', publicKey, { names, ...rest }, false);
    return { cert, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
  }

  private certify(subject: string, publicKey: KeyObject, plan: CertificatePlan, isAuthority: boolean): string {
    const { names = [], from = new Date(Date.now() - DAY_MS), until = new Date(Date.now() + DAY_MS) } = plan;
    const constraints = isAuthority ? sequence(der(0x01, bytes(0xff))) : sequence();
    const extensions = [extension('551d13', constraints)];
    if (names.length > 0) extensions.push(extension('551d11', altNames(names)));
    const content = sequence(
      der(0xa0, der(0x02, bytes(2))),
      der(0x02, bytes(1, ...randomBytes(8))),
      ECDSA_SHA256,
      nameOf(this.name),
      sequence(utcTime(from), utcTime(until)),
      nameOf(subject),
      publicKey.export({ type: 'spki', format: 'der' }),
      der(0xa3, sequence(...extensions)),
    );
    const signature = sign('sha256', content, this.keys.privateKey);
    return pem('CERTIFICATE', sequence(content, ECDSA_SHA256, der(0x03, bytes(0), signature)));
  }
}

/** Files of texts in a directory of their own; `remove` ends them. */
export function filesOf<Name extends string>(texts: Readonly<Record<Name, string>>) {
  const directory = mkdtempSync(join(tmpdir(), 'skein-files-'));
  const paths = {} as Record<Name, string>;
  for (const name of Object.keys(texts) as Name[]) {
    paths[name] = join(directory, name);
    writeFileSync(paths[name], texts[name], { mode: 0o600 });
  }
  return { paths: paths as Readonly<Record<Name, string>>, remove: () => rmSync(directory, { recursive: true }) };
}
