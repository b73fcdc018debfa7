/**
 * Requests over HTTP, as they go over the wire. `$token` is good and mallory's, `$key` the server key; `$host` is the
 * node's own name.
 */
export type RequestCase = {
  readonly name: string;
  readonly bytes: string;
  /** Statuses that are right; 0: hung up on without an answer. */
  readonly expects: readonly number[];
};

const AUTH = 'Authorization: Bearer $token';

const asked = (line: string, headers: readonly string[] = [], body = ''): string =>
  `${[`${line} HTTP/1.1`, 'Host: $host', ...headers].join('\r\n')}\r\n\r\n${body}`;

const ask = (name: string, expects: number | readonly number[], line: string, headers = [AUTH]): RequestCase => ({
  name,
  bytes: asked(line, headers),
  expects: typeof expects === 'number' ? [expects] : expects,
});

const give = (name: string, expects: number, line: string, body: string, headers = [AUTH]): RequestCase => ({
  name,
  bytes: asked(line, [...headers, `Content-Length: ${Buffer.byteLength(body, 'latin1')}`], body),
  expects: [expects],
});

const raw = (name: string, expects: readonly number[], bytes: string): RequestCase => ({ name, expects, bytes });

const PATHS: readonly RequestCase[] = [
  ...[
    '/../../etc/passwd',
    '/..%2f..%2fetc/passwd',
    '/%2e%2e/%2e%2e/package.json',
    '/assets/../../main.js',
    '/assets/..\\..\\main.js',
    '//etc/passwd',
    '/./package.json',
    '/.env',
    '/.git/config',
    '/index.html%00.js',
    '/index.html/',
    '/INDEX.HTML',
    '/__proto__',
    '/constructor',
    '/web',
    '/metrics',
    '/v1',
    '/v1/',
    '/v1/messages/',
    '/v1//messages',
    '/V1/messages',
    '/v2/messages',
    '/v1/../healthz',
    '/v1/%6dessages',
    '/v1/toString',
  ].map((path) => ask(`the path ${path}`, 404, `GET ${path}`)),
  ask('a path of bytes that are not UTF-8', [400, 404], 'GET /v1/rooms/\xff\xfe'),
  ask('a path that is broken by its encoding', 400, 'GET /v1/rooms/%E0%A4%A'),
  ask('a room that is a lone percent sign', 400, 'GET /v1/rooms/%'),
  ask('a room with a slash', 400, 'GET /v1/rooms/a%2Fb'),
  ask('a room with NUL', 400, 'GET /v1/rooms/%00'),
  ask('a room with a header in it', 400, 'GET /v1/rooms/a%0d%0ax-injected:%201'),
  ask('a room with a brace', 400, 'GET /v1/rooms/%7Bp1%7D'),
  ask('a room of half a surrogate pair', 400, 'GET /v1/rooms/%ED%A0%80'),
  ask('a room encoded twice', 400, 'GET /v1/rooms/%2561'),
  ask('a conversation of others', 403, 'GET /v1/conversations/dm:alice:bob/messages'),
  ask('a conversation of others, encoded', 403, 'GET /v1/conversations/dm%3Aalice%3Abob/messages'),
  ask('a conversation the wrong way round', 400, 'GET /v1/conversations/dm:mallory:alice/messages'),
  ask('a private room of others', 403, 'GET /v1/conversations/room:den/messages'),
  ask('a look at a private room of others', 403, 'GET /v1/rooms/den'),
  ask('a room called __proto__', 404, 'GET /v1/rooms/__proto__'),
  ask('a path of 3,500 characters', 404, `GET /${'p'.repeat(3_500)}`),
  ask('a path of 8,000 characters', [431, 400, 0], `GET /${'p'.repeat(8_000)}`),
];

const QUERIES: readonly RequestCase[] = [
  ...['wait=-1', 'wait=61', 'wait=1e1', 'wait=', 'wait=0x1', 'wait=15%00', 'wait=%20%31', 'device=a:b', 'device='].map(
    (query) => ask(`a poll with ${query}`, 400, `GET /v1/messages?${query}`),
  ),
  ...['limit=0', 'limit=201', 'limit=-1', 'limit=x', 'limit=', 'limit=1e9', 'before=0', 'before=%00', 'after=-1'].map(
    (query) => ask(`a page with ${query}`, 400, `GET /v1/conversations/all/messages?${query}`),
  ),
  ask('a page before and after', 400, 'GET /v1/conversations/all/messages?before=5&after=5'),
  ask('a page of conversations with a bad before', 400, 'GET /v1/conversations?before=1.5'),
  ask('the presence of no name', 400, 'GET /v1/presence?of=a:b'),
  ask('the presence of an empty name', 400, 'GET /v1/presence?of='),
  ask('the presence of 600 users', 400, `GET /v1/presence?${'of=a&'.repeat(600)}`),
  ask('names of the prototype', 200, 'GET /v1/presence?__proto__=1&constructor=2&of=__proto__'),
  ask('a query that is broken by its encoding', 400, 'GET /v1/messages?wait=0&device=%E0%A4%A'),
  ask('500 parameters', 200, `GET /v1/messages?wait=0&${'a=b&'.repeat(500)}`),
  ask('a stream of a device out of form', 400, 'GET /v1/stream?device=../x'),
  ask('only a name', 401, 'GET /v1/messages?wait=0&uid=alice', []),
  ask('a token that is none in the query', 401, 'GET /v1/messages?wait=0&token=x.y.z', []),
  ask('a token for another name', 200, 'GET /v1/messages?wait=0&uid=alice'),
];

const METHODS: readonly RequestCase[] = [
  ...['POST', 'PUT', 'DELETE', 'PATCH'].map((method) => ask(`${method} of the page`, 404, `${method} /`)),
  ask('TRACE', [404, 405, 400], 'TRACE /v1/messages'),
  ask('PATCH of messages', 405, 'PATCH /v1/messages'),
  ask('DELETE of messages', 405, 'DELETE /v1/messages'),
  ask('a method in small letters', [400, 404, 405, 0], 'get /v1/messages?wait=0'),
  ask('a method of its own making', [400, 404, 405, 0], 'FROBNICATE /v1/messages'),
  ask('a method of 2,000 letters', [400, 405, 404, 431, 0], `${'M'.repeat(2_000)} /v1/messages`),
  ask('a method that would override', 200, 'GET /v1/messages?wait=0', [AUTH, 'X-HTTP-Method-Override: DELETE']),
  ask('GET of the WebSocket', 426, 'GET /ws'),
  ask('POST of the WebSocket', 404, 'POST /ws'),
  ask('OPTIONS of another page', 403, 'OPTIONS /v1/messages', ['Origin: https://evil.example']),
  raw('CONNECT', [400, 404, 405, 505, 0], 'CONNECT example.com:443 HTTP/1.1\r\nHost: $host\r\n\r\n'),
  raw('the preface of HTTP/2', [400, 404, 505, 0], 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  raw('HTTP/1.0', [200, 400, 505, 0], 'GET /healthz HTTP/1.0\r\n\r\n'),
  raw('HTTP/9.9', [400, 505, 0], 'GET /healthz HTTP/9.9\r\nHost: $host\r\n\r\n'),
  raw('a whole URL as target', [400, 505], 'GET http://evil.example/v1/messages HTTP/1.1\r\nHost: $host\r\n\r\n'),
  raw('a handshake of TLS', [400, 505, 0], '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'),
];

const send = (body: string): [string, string] => ['POST /v1/messages', body];

const BODIES: readonly RequestCase[] = [
  give('an empty body', 400, ...send('')),
  give('a form', 400, ...send('receiver=crony&data=1'), [AUTH, 'Content-Type: application/x-www-form-urlencoded']),
  give('XML', 400, ...send('<?xml version="1.0"?><!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]>'), [
    AUTH,
    'Content-Type: text/xml',
  ]),
  give('compressed noise', 400, ...send('\x1f\x8b\x08\0\0\0\0\0'), [AUTH, 'Content-Encoding: gzip']),
  give('JSON with another content type', 200, ...send('{"receiver":"crony","data":1}'), [
    AUTH,
    'Content-Type: text/plain; charset=utf-7',
  ]),
  give('a body over the limit', 413, ...send('x'.repeat(65_537))),
  raw(
    'a body over the limit that is only announced',
    [413],
    asked('POST /v1/messages', [AUTH, 'Content-Length: 1000000000']),
  ),
  raw(
    'a body over the limit in chunks',
    [413],
    asked('POST /v1/messages', [AUTH, 'Transfer-Encoding: chunked'], `11000\r\n${'x'.repeat(0x11000)}\r\n0\r\n\r\n`),
  ),
  raw(
    'chunks of a length that is no number',
    [400, 0],
    asked('POST /v1/messages', [AUTH, 'Transfer-Encoding: chunked'], 'zz\r\nhello\r\n0\r\n\r\n'),
  ),
  ...[['-5'], ['5', '6'], ['99999999999999999999'], ['0x5'], ['5, 5']].map((lengths) =>
    raw(
      `a length of ${JSON.stringify(lengths)}`,
      [400, 413, 0],
      asked(
        'POST /v1/messages',
        lengths.map((length) => `Content-Length: ${length}`),
        'hello',
      ),
    ),
  ),
  raw(
    'a length beside chunks',
    [400, 0],
    asked('POST /v1/messages', ['Content-Length: 5', 'Transfer-Encoding: chunked'], '0\r\n\r\n'),
  ),
  raw(
    'a transfer coding of its own making',
    [400, 0],
    asked('POST /v1/messages', ['Transfer-Encoding: xchunked'], '0\r\n\r\n'),
  ),
  raw('bad UTF-8', [400], asked('POST /v1/messages', [AUTH, 'Content-Length: 2'], '\xc3\x28')),
  raw('an overlong NUL', [400], asked('POST /v1/messages', [AUTH, 'Content-Length: 2'], '\xc0\x80')),
  give('an ack of others', 403, 'POST /v1/conversations/dm:alice:bob/ack', '{"seq":1}'),
  give('a read in a private room', 403, 'POST /v1/conversations/room:den/read', '{"seq":1}'),
  give('an ack of a text', 400, 'POST /v1/conversations/all/ack', '{"seq":"1"}'),
  give('an ack beyond the head', 400, 'POST /v1/conversations/all/ack', '{"seq":9007199254740991}'),
  give('a room without a name', 400, 'POST /v1/rooms', '{}'),
  give('a room that exists', 409, 'POST /v1/rooms', '{"room":"den"}'),
  give('a room with a name of control characters', 400, 'POST /v1/rooms', '{"room":"r1","name":"a\\nb"}'),
  give('a room with half a surrogate pair', 400, 'POST /v1/rooms', '{"room":"r1","name":"\\ud800"}'),
  give('a room with a name of 129 letters', 400, 'POST /v1/rooms', `{"room":"r1","name":"${'n'.repeat(129)}"}`),
  give('a room that is private by a text', 400, 'POST /v1/rooms', '{"room":"r1","private":"false"}'),
  give('members that are no array', 400, 'POST /v1/rooms', '{"room":"r1","members":{"length":1}}'),
  give('600 members', 400, 'POST /v1/rooms', JSON.stringify({ room: 'r1', members: new Array(600).fill('m') })),
  give('an owner given by a user', 403, 'PUT /v1/rooms/den/members/mallory', '{"role":"owner"}'),
  give('a role of its own making', 400, 'PUT /v1/rooms/den/members/mallory', '{"role":"root"}'),
  give('a role of the prototype', 400, 'PUT /v1/rooms/den/members/mallory', '{"role":"constructor"}'),
  give('a new name for a room of others', 403, 'PUT /v1/rooms/den', '{"name":"mine"}'),
  ask('the end of a room of others', 403, 'DELETE /v1/rooms/den'),
  ask('the removal of somebody from a room of others', 403, 'DELETE /v1/rooms/den/members/alice'),
  ask('blocking oneself', 400, 'PUT /v1/blocks/mallory'),
  ask('blocking no name', 400, 'PUT /v1/blocks/a%3Ab'),
];

const RIGHTS: readonly RequestCase[] = [
  ...[
    'GET /v1/server/stats',
    'POST /v1/server/messages',
    'POST /v1/server/broadcast',
    'POST /v1/server/disconnect',
    'PUT /v1/server/bans/alice',
    'DELETE /v1/server/users/alice',
  ].flatMap((line) => [
    ask(`${line} of a user`, 401, line),
    ask(`${line} of nobody`, 401, line, []),
    ask(`${line} with half the server key`, 401, line, ['Authorization: Bearer half']),
  ]),
  ask('the server key twice', 401, 'GET /v1/server/stats', [
    'Authorization: Bearer $key',
    'Authorization: Bearer $key',
  ]),
  ask('a user route with the server key', 401, 'GET /v1/messages?wait=0', ['Authorization: Bearer $key']),
  give('a token without the server key', 403, 'POST /v1/tokens', '{"uid":"alice"}'),
  ...['', 'Bearer', 'Bearer ', 'Basic bWFsbG9yeTp4', 'bearer  x y', 'Bearer ...', 'Bearer a.b.c'].map((value) =>
    ask(`Authorization: "${value}"`, 401, 'GET /v1/messages?wait=0', [`Authorization: ${value}`]),
  ),
  ask('two tokens', 401, 'GET /v1/messages?wait=0', [AUTH, 'Authorization: Bearer x']),
];

const HEADERS: readonly RequestCase[] = [
  ...['https://evil.example', 'null', 'http://$host.evil.example', 'http://$host:1', 'file://', 'HTTP://$host'].map(
    (origin) => ask(`Origin: ${origin}`, 403, 'GET /v1/messages?wait=0', [AUTH, `Origin: ${origin}`]),
  ),
  raw(
    'an origin and a host that are not UTF-8',
    [200, 400, 403],
    `GET /v1/messages?wait=0 HTTP/1.1\r\nHost: h\xff\r\nOrigin: http://h\xff\r\n${AUTH}\r\n\r\n`,
  ),
  ask('an address that is claimed', 200, 'GET /v1/messages?wait=0', [AUTH, 'X-Forwarded-For: 127.0.0.1, ::1, x']),
  raw(
    'an origin and a host beyond ASCII',
    [200, 400, 403],
    `GET /v1/messages?wait=0 HTTP/1.1\r\nHost: h\xc3\xa9\r\nOrigin: http://h\xc3\xa9\r\n${AUTH}\r\n\r\n`,
  ),
  ask('a header of 6,000 characters', [431, 400, 0], 'GET /healthz', [`X-A: ${'a'.repeat(6_000)}`]),
  ask('a condition of the page', 200, 'GET /', ['If-None-Match: *"; \'"']),
  ask('a range beyond the page', 200, 'GET /', ['Range: bytes=99999999999-']),
  ask('an expectation', [200, 417, 400], 'GET /healthz', ['Expect: 200-maybe']),
];

/** Where a server may as well wait for more until it has waited long enough. */
export const UNFINISHED: readonly RequestCase[] = [
  raw('NUL in a header', [400, 200, 0], 'GET /healthz HTTP/1.1\r\nHost: $host\r\nX-A: a\0b\r\n\r\n'),
  raw('a header without a colon', [400, 0], 'GET /healthz HTTP/1.1\r\nHost: $host\r\nnonsense\r\n\r\n'),
  raw('a folded header', [400, 200, 0], 'GET /healthz HTTP/1.1\r\nHost: $host\r\nX-A: a\r\n b\r\n\r\n'),
  raw('a space before the colon', [400, 200, 0], 'GET /healthz HTTP/1.1\r\nHost: $host\r\nX-A : b\r\n\r\n'),
  raw('a request without a host', [200, 400, 0], 'GET /healthz HTTP/1.1\r\n\r\n'),
  ask('an origin with NUL', [400, 403, 0], 'GET /v1/messages?wait=0', [AUTH, 'Origin: http://a\0b']),
  ask(
    '150 headers',
    [431, 400, 0, 200],
    'GET /healthz',
    Array.from({ length: 150 }, (_, i) => `X-${i}: a`),
  ),
  ask(
    '1,000 headers',
    [431, 400, 0],
    'GET /healthz',
    Array.from({ length: 1_000 }, (_, i) => `X-${i}: a`),
  ),
  raw('nothing at all', [0, 408], ''),
  raw('half a request line', [0, 408, 400, 505], 'GET /heal'),
  raw(
    'a preamble of the PROXY protocol, version 1',
    [0, 400, 505],
    'PROXY TCP4 203.0.113.9 203.0.113.1 5 80\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n',
  ),
  raw('headers that never end', [0, 408], 'GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: '),
];

/** The same where it is the body that does not come; node:http has more patience with those. */
export const UNFINISHED_BODIES: readonly RequestCase[] = [
  raw(
    'chunks of a length beyond all numbers',
    [400, 413, 0],
    asked('POST /v1/messages', [AUTH, 'Transfer-Encoding: chunked'], 'ffffffffffffffff\r\nhello\r\n'),
  ),
  raw('a body that never comes', [0, 408], asked('POST /v1/messages', [AUTH, 'Content-Length: 10'])),
  raw('half a body', [0, 408], asked('POST /v1/messages', [AUTH, 'Content-Length: 10'], '{"rec')),
  raw(
    'chunks that never end',
    [0, 408],
    asked('POST /v1/messages', [AUTH, 'Transfer-Encoding: chunked'], '5\r\n{"rec\r\n'),
  ),
];

const upgrade = (name: string, expects: readonly number[], changes: Readonly<Record<string, string>>, path = '/ws') => {
  const headers = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    Authorization: 'Bearer $token',
    ...changes,
  };
  const lines = Object.entries(headers).map(([key, value]) => `${key}: ${value}`);
  return raw(`a WebSocket with ${name}`, expects, asked(`GET ${path}`, lines));
};

const UPGRADES: readonly RequestCase[] = [
  upgrade('version 8', [426], { 'Sec-WebSocket-Version': '8' }),
  upgrade('version 0', [426], { 'Sec-WebSocket-Version': '0' }),
  upgrade('two versions', [426], { 'Sec-WebSocket-Version': '13, 13' }),
  upgrade('an empty key', [400], { 'Sec-WebSocket-Key': '' }),
  upgrade('a short key', [400], { 'Sec-WebSocket-Key': 'c2hvcnQ=' }),
  upgrade('two keys', [400], { 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ==' }),
  upgrade('a page that is not allowed', [403], { Origin: 'https://evil.example' }),
  upgrade('a page from nowhere', [403], { Origin: 'null' }),
  upgrade('a bad token', [401], { Authorization: 'Bearer x.y.z' }),
  upgrade('an empty token', [401], { Authorization: 'Bearer ' }),
  upgrade('the server key', [401], { Authorization: 'Bearer $key' }),
  upgrade('a name in the query alone', [401], { Authorization: 'none' }, '/ws?uid=alice'),
  upgrade('a device out of form', [400], {}, '/ws?device=a:b'),
  upgrade('an ack of its own making', [400], {}, '/ws?ack=never'),
  upgrade('another path', [404], {}, '/'),
  upgrade('a path of HTTP', [404], {}, '/v1/messages'),
  upgrade('a path below its own', [404], {}, '/ws/../ws'),
  upgrade('deflate asked for', [101], { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' }),
  upgrade('cookies', [101], { Cookie: 'session=alice; uid=alice' }),
  upgrade('a body', [101, 400, 0], { 'Content-Length': '5' }),
  upgrade('chunks', [101, 400, 0], { 'Transfer-Encoding': 'chunked' }),
];

export const REQUESTS: readonly RequestCase[] = [
  ...PATHS,
  ...QUERIES,
  ...METHODS,
  ...BODIES,
  ...RIGHTS,
  ...HEADERS,
  ...UPGRADES,
];
