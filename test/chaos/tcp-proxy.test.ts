import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { itemEnd } from '../../loadtest/chaos/resp.js';
import { TcpProxy } from '../../loadtest/chaos/tcp-proxy.js';
import { until } from '../support/until.js';

let server: Server;
let proxy: TcpProxy;
let near: Socket;
let far: Socket;
let heard: string;

beforeEach(async () => {
  server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = await TcpProxy.to((server.address() as AddressInfo).port);
  const accepted = once(server, 'connection');
  near = connect(proxy.port, '127.0.0.1');
  [far] = (await accepted) as [Socket];
  for (const socket of [near, far]) socket.on('error', () => undefined);
  heard = '';
  near.on('data', (bytes) => {
    heard += bytes;
  });
});
afterEach(async () => {
  near.destroy();
  far.destroy();
  await proxy.closes();
  server.close();
});

const message = (payload: string): string => `>3\r\n$7\r\nmessage\r\n$2\r\nch\r\n$${payload.length}\r\n${payload}\r\n`;

/** Lets the connection subscribe, as Redis' clients do. */
async function subscribes(): Promise<void> {
  near.write('*2\r\n$9\r\nSUBSCRIBE\r\n$2\r\nch\r\n');
  await once(far, 'data');
}

describe('a proxy between a node and Redis', () => {
  test('drops single messages, wherever the pieces of the stream are cut, and nothing else', async () => {
    await subscribes();
    let count = 0;
    proxy.dropsPushesOf(() => ++count % 2 === 0);
    const sent = Array.from({ length: 40 }, (_, index) => message(`${index}`)).join('');
    for (let at = 0; at < sent.length; at += 7) far.write(sent.slice(at, at + 7));
    far.write('+PONG\r\n');
    await until(() => heard.endsWith('+PONG\r\n'), 'the last answer');
    const kept = Array.from({ length: 20 }, (_, index) => message(`${2 * index}`)).join('');
    expect(heard).toBe(`${kept}+PONG\r\n`);
    expect(proxy.drops).toBe(20);
  });

  test('keeps the order of bytes when the delay changes', async () => {
    for (const [index, ms] of [80, 10, 0, 40, 0].entries()) {
      proxy.delays(ms);
      far.write(`${index}`);
      // Each in a piece of its own; should two go together, they have the same delay.
      for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
    }
    await until(() => heard.length === 5, 'all of it');
    expect(heard).toBe('01234');
  });

  test('brings what is on its way though its sender has gone', async () => {
    proxy.delays(50);
    far.end('good-bye');
    await once(near, 'close');
    expect(heard).toBe('good-bye');
  });
});

test.each([
  ['a word', '+OK\r\n'],
  ['text', '$5\r\na\r\nbc\r\n'],
  ['nothing', '$-1\r\n'],
  ['a list in a list', '*2\r\n*1\r\n:1\r\n$0\r\n\r\n'],
  ['a map', '%2\r\n+a\r\n:1\r\n+b\r\n#t\r\n'],
  ['an attribute', '|1\r\n+a\r\n:1\r\n+OK\r\n'],
])('the end of %s in the stream of Redis is found when all of it is there, and not before', (_what, item) => {
  const bytes = Buffer.from(`${item}+next`);
  for (let length = 0; length < item.length; length++) expect(itemEnd(bytes.subarray(0, length), 0)).toBe(-1);
  expect(itemEnd(bytes, 0)).toBe(item.length);
});
