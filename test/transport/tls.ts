/** What clients of a port that speaks TLS may rely on. */
import { connect as connectPlainly } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';
import { afterAll, describe, expect, test } from 'vitest';
import { readCertificate } from '../../src/server/certificate.js';
import { Authority, filesOf } from '../support/certificates.js';
import { transportSuite } from './suite.js';
import { type Adapter, holds, open, Raw, request, tidyAfterEach } from './support.js';

/** The whole suite once more, over TLS, and what only TLS has. */
export function tlsSuite({ name, create }: Adapter): void {
  const authority = new Authority();
  const { paths, remove } = filesOf(authority.issues());
  const certificate = readCertificate(paths.cert, paths.key, (why) => expect.fail(why));
  const secure: Adapter = { name, create, tls: { certificate, ca: authority.cert } };
  afterAll(remove);
  transportSuite(secure);
  describe(`TLS on ${name}`, () => {
    tidyAfterEach();
    handshakes(secure);
  });
}

/** How a handshake ends: the version that was agreed on, or why there is none. */
function handshake(options: ConnectionOptions): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', ...options }, () => {
      resolve(socket.getProtocol() ?? '');
      socket.destroy();
    });
    socket.on('error', (error) => resolve(error.message));
    socket.on('close', () => resolve('closed'));
  });
}

function handshakes(adapter: Adapter): void {
  test('TLS 1.2 and 1.3 are spoken, nothing older', async () => {
    const { port, ca } = await open(adapter);
    const with_ = (version: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3') =>
      handshake({ port, ca: ca!, minVersion: version, maxVersion: version, ciphers: 'DEFAULT@SECLEVEL=0' });
    expect([await with_('TLSv1.2'), await with_('TLSv1.3')]).toEqual(['TLSv1.2', 'TLSv1.3']);
    expect(await with_('TLSv1.1')).not.toBe('TLSv1.1');
  });

  test('who trusts another authority does not connect', async () => {
    const { port } = await open(adapter);
    expect(await handshake({ port, ca: new Authority().cert })).toMatch(/unable to verify|self-signed/);
  });

  test('who speaks without TLS is hung up on, and so is who says nothing; the others are served', async () => {
    const house = await open(adapter);
    const ends = ['GET / HTTP/1.1\r\nHost: x\r\n\r\n', '\x16\x03\x01\x02', ''].map((text) => {
      const socket = connectPlainly(house.port, '127.0.0.1');
      let heard = '';
      let isClosed = false;
      socket.on('data', (data) => {
        heard += data.toString('latin1');
      });
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        isClosed = true;
      });
      if (text !== '') socket.write(Buffer.from(text, 'latin1'));
      return { heard: () => heard, isClosed: () => isClosed };
    });
    await (await Raw.to(house)).write(request('GET /')).reads('fine');
    await expect.poll(() => ends.map(({ isClosed }) => isClosed()), { timeout: 20_000 }).toEqual([true, true, true]);
    for (const { heard } of ends) expect(heard()).not.toContain('fine');
    await holds(() => expect(house.seen.errors).toEqual([]));
  });
}
