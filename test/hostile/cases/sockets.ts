/** Bytes on a WebSocket that is logged in, past its handshake. */
export type SocketCase = {
  readonly name: string;
  readonly bytes: Buffer;
  /** `ends`: hung up on, with or without a close frame; `stays`; a number: the code of the server's close frame. */
  readonly expects: 'ends' | 'stays' | number;
};

type Shape = { readonly fin?: boolean; readonly rsv?: number; readonly masked?: boolean };

const MASK = Buffer.from([9, 81, 255, 0]);
const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

function lengthOf(bytes: number, maskBit: number): Buffer {
  if (bytes < 126) return Buffer.from([maskBit | bytes]);
  const long = Buffer.alloc(bytes < 65_536 ? 3 : 9);
  long[0] = maskBit | (bytes < 65_536 ? 126 : 127);
  if (bytes < 65_536) long.writeUInt16BE(bytes, 1);
  else long.writeBigUInt64BE(BigInt(bytes), 1);
  return long;
}

/** One frame as a client writes it, right or wrong. */
export function frame(opcode: number, payload: string | Uint8Array = '', shape: Shape = {}): Buffer {
  const { fin = true, rsv = 0, masked = true } = shape;
  const body = Buffer.from(payload);
  const head = Buffer.concat([
    Buffer.from([(fin ? 128 : 0) | (rsv << 4) | opcode]),
    lengthOf(body.length, masked ? 128 : 0),
  ]);
  if (!masked) return Buffer.concat([head, body]);
  return Buffer.concat([head, MASK, body.map((byte, i) => byte ^ MASK[i % 4]!)]);
}

const PING = '{"type":"ping"}';
const closing = (code: number, reason: string | Buffer = ''): Buffer =>
  frame(OPCODE.close, Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]));
const many = (count: number, bytes: Buffer): Buffer => Buffer.concat(Array.from({ length: count }, () => bytes));
const pieces = (...parts: readonly (string | Buffer)[]): Buffer =>
  Buffer.concat(
    parts.map((part, i) => frame(i === 0 ? OPCODE.text : OPCODE.continuation, part, { fin: i === parts.length - 1 })),
  );

export const SOCKETS: readonly SocketCase[] = [
  ...[1, 2, 4, 7].map((rsv): SocketCase => {
    return { name: `reserved bits ${rsv}`, bytes: frame(OPCODE.text, PING, { rsv }), expects: 'ends' };
  }),
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode): SocketCase => {
    return { name: `opcode ${opcode}`, bytes: frame(opcode, PING), expects: 'ends' };
  }),
  ...(
    [
      ['FF FE', [0xff, 0xfe]],
      ['half a sequence', [0x7b, 0xe2, 0x82]],
      ['a surrogate', [0xed, 0xa0, 0x80]],
      ['an overlong NUL', [0xc0, 0x80]],
      ['a code point beyond the last', [0xf4, 0x90, 0x80, 0x80]],
      ['a stray continuation', [0x80]],
    ] as const
  ).map(([name, bytes]): SocketCase => {
    return { name: `text of ${name}`, bytes: frame(OPCODE.text, Buffer.from(bytes)), expects: 'ends' };
  }),
  { name: 'bad UTF-8 in pieces', bytes: pieces(Buffer.from([0xe2]), Buffer.from([0x28, 0xa1])), expects: 'ends' },
  {
    name: 'a character cut in two',
    bytes: pieces('{"type":"ping","x":"', Buffer.from([0xc3]), Buffer.from([0xa9]), '"}'),
    expects: 'stays',
  },
  { name: 'a continuation of nothing', bytes: frame(OPCODE.continuation, PING), expects: 'ends' },
  {
    name: 'a message inside another',
    bytes: Buffer.concat([frame(OPCODE.text, '{', { fin: false }), frame(OPCODE.text, PING)]),
    expects: 'ends',
  },
  {
    name: 'a ping between two pieces',
    bytes: Buffer.concat([
      frame(OPCODE.text, '{"type":', { fin: false }),
      frame(OPCODE.ping, 'hi'),
      frame(OPCODE.continuation, '"ping"}'),
    ]),
    expects: 'stays',
  },
  { name: 'a frame in 4,000 pieces', bytes: pieces(...`{"type":"ping","x":"${'x'.repeat(4_000)}"}`), expects: 'stays' },
  {
    name: '10,000 empty pieces',
    bytes: Buffer.concat([
      frame(OPCODE.text, '', { fin: false }),
      many(10_000, frame(OPCODE.continuation, '', { fin: false })),
    ]),
    expects: 'stays',
  },
  {
    name: 'pieces over the limit',
    bytes: Buffer.concat([
      frame(OPCODE.text, 'x'.repeat(40_000), { fin: false }),
      frame(OPCODE.continuation, 'x'.repeat(40_000)),
    ]),
    expects: 'ends',
  },
  { name: 'a frame one byte over the limit', bytes: frame(OPCODE.text, 'x'.repeat(65_537)), expects: 'ends' },
  { name: 'a binary frame over the limit', bytes: frame(OPCODE.binary, Buffer.alloc(70_000)), expects: 'ends' },
  {
    name: 'an announced length of 2^63 - 1',
    bytes: Buffer.from([0x81, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4]),
    expects: 'ends',
  },
  {
    name: 'an announced length of 2^64 - 1',
    bytes: Buffer.from([0x81, 0xff, 255, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4]),
    expects: 'ends',
  },
  { name: 'a ping of 126 bytes', bytes: frame(OPCODE.ping, 'p'.repeat(126)), expects: 'ends' },
  { name: 'a ping in pieces', bytes: frame(OPCODE.ping, 'p', { fin: false }), expects: 'ends' },
  { name: 'a ping of noise', bytes: frame(OPCODE.ping, Buffer.from([0, 255, 254])), expects: 'stays' },
  { name: 'a pong that nobody asked for', bytes: frame(OPCODE.pong, 'what'), expects: 'stays' },
  { name: '2,000 pongs', bytes: many(2_000, frame(OPCODE.pong, '1')), expects: 'stays' },
  { name: '5,000 pings in one write', bytes: many(5_000, frame(OPCODE.ping, 'p')), expects: 'stays' },
  { name: '2,000 frames of ping in one write', bytes: many(2_000, frame(OPCODE.text, PING)), expects: 'stays' },
  { name: 'a frame of nothing', bytes: frame(OPCODE.text), expects: 'stays' },
  { name: 'three bad frames', bytes: many(3, frame(OPCODE.text, 'bad')), expects: 4400 },
  { name: '500 bad frames in one write', bytes: many(500, frame(OPCODE.text, '{')), expects: 4400 },
  { name: 'three binary frames', bytes: many(3, frame(OPCODE.binary, PING)), expects: 4400 },
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535].map((code): SocketCase => {
    return { name: `a close with code ${code}`, bytes: closing(code), expects: 'ends' };
  }),
  { name: 'a close with half a code', bytes: frame(OPCODE.close, Buffer.from([3])), expects: 'ends' },
  { name: 'a close for a reason that is not UTF-8', bytes: closing(1000, Buffer.from([0xff])), expects: 'ends' },
  { name: 'a close that is too long', bytes: closing(1000, 'r'.repeat(124)), expects: 'ends' },
  { name: 'a frame after a close', bytes: Buffer.concat([closing(1000), frame(OPCODE.text, PING)]), expects: 'ends' },
  { name: '100 closes', bytes: many(100, closing(4000)), expects: 'ends' },
  { name: 'a second handshake', bytes: Buffer.from('GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n'), expects: 'ends' },
];

/** Where a server may do as it likes, but must not fall: what an unmasked frame says depends on what follows it. */
export const UNMASKED: readonly Buffer[] = [
  frame(OPCODE.text, PING, { masked: false }),
  frame(OPCODE.close, '', { masked: false }),
  many(50, frame(OPCODE.text, '{"receiver":"bob","data":"bare"}', { masked: false })),
];
