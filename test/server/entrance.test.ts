import { expect, test } from 'vitest';
import { barTo, isOriginAllowed } from '../../src/server/entrance.js';
import { Body, Head, IncomingRequest } from '../../src/server/request.js';

function requestFrom(origin: string | undefined, host = 'chat.example'): IncomingRequest {
  const head = new Head('GET', '/v1/messages', '');
  head.add('host', host);
  if (origin !== undefined) head.add('origin', origin);
  return new IncomingRequest(head, '127.0.0.1', new Body(0, 0));
}

test.each([
  [undefined, true],
  ['https://chat.example', true],
  ['http://chat.example', true],
  ['https://friend.example', true],
  ['https://chat.example.evil.example', false],
  ['https://chat.example:8443', false],
  ['null', false],
])('a page of %s is let in: %s', (origin, isAllowed) => {
  expect(isOriginAllowed(requestFrom(origin), ['https://friend.example'])).toBe(isAllowed);
});

test('an origin that no header may hold is refused, even where every page is let in and the host is the same', () => {
  for (const origin of ['http://h\xff', 'http://hé', 'http://a b', '']) {
    expect(isOriginAllowed(requestFrom(origin, origin.slice(7)), ['*'])).toBe(false);
  }
});

const askedAs = (host: string): IncomingRequest => requestFrom(undefined, host);

test.each([
  ['localhost:9527', true],
  ['127.0.0.1:9527', true],
  ['[::1]:9527', true],
  ['app.localhost', true],
  ['skein', true],
  ['chat.example', true],
  ['CHAT.example', true],
  ['chat.example:9527', false],
  ['evil.example', false],
  ['evil.example:9527', false],
  ['127.0.0.1.evil.example', false],
  ['localhost.evil.example:9527', false],
  ['evil.', false],
])('in open mode a page that knows the service as %s is let in: %s', (host, isLetIn) => {
  const entrance = { origins: ['https://chat.example'], checksHost: true };
  expect(barTo(askedAs(host), entrance) === undefined).toBe(isLetIn);
  expect(barTo(askedAs(host), { ...entrance, checksHost: false })).toBeUndefined();
});
