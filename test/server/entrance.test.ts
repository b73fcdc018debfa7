import { expect, test } from 'vitest';
import { isOriginAllowed } from '../../src/server/entrance.js';
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
