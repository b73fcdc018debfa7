import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  type Adapter,
  frame,
  type House,
  holds,
  OPCODE,
  OPTIONS,
  open,
  Raw,
  rawVisit,
  request,
  upgradeRequest,
  visit,
} from './support.js';

/** The node still serves everybody else. */
async function serves(house: House): Promise<void> {
  await (await Raw.to(house)).write(request('GET /')).reads('fine');
  const { client, closed } = await visit(house);
  client.close(1000);
  await closed;
  expect(house.seen.errors).toEqual([]);
}

const filler = (bytes: number): string => `X-Filler: ${'f'.repeat(bytes)}`;

export function hostile(adapter: Adapter): void {
  test('10,000 messages in one write are all heard, in order', async () => {
    const house = await open(adapter);
    const raw = await rawVisit(house);
    raw.write(Buffer.concat(Array.from({ length: 10_000 }, (_, i) => frame(OPCODE.text, `${i}`))));
    await holds(() => expect(house.seen.messages).toHaveLength(10_000));
    expect(house.seen.messages).toEqual(Array.from({ length: 10_000 }, (_, i) => `${i}`));
  });

  test('a message byte by byte is heard whole', async () => {
    const house = await open(adapter);
    const raw = await rawVisit(house);
    raw.socket.setNoDelay(true);
    for (const byte of frame(OPCODE.text, 'slow 👋')) {
      await new Promise((resolve) => raw.socket.write(Buffer.from([byte]), resolve));
    }
    await holds(() => expect(house.seen.messages).toEqual(['slow 👋']));
  });

  test.each([
    ['a reserved bit', frame(OPCODE.text, 'x', { rsv: 4 })],
    ['a reserved opcode', frame(3, 'x')],
    ['a reserved control opcode', frame(11, 'x')],
    ['text that is not UTF-8', frame(OPCODE.text, Buffer.from([0xff, 0xfe, 0xc0]))],
    ['a lone surrogate', frame(OPCODE.text, Buffer.from([0xed, 0xa0, 0x80]))],
    ['a continuation of nothing', frame(0, 'x')],
    ['a new message inside another', Buffer.concat([frame(1, 'x', { fin: false }), frame(1, 'y')])],
    ['a ping that is too long', frame(OPCODE.ping, 'p'.repeat(126))],
    ['a fragmented ping', frame(OPCODE.ping, 'p', { fin: false })],
    ['a length of 2^63 - 1', Buffer.from([0x81, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255, 1, 2, 3, 4])],
  ])('%s ends the connection, is never heard, and is not an orderly close', async (_what, bytes) => {
    const house = await open(adapter);
    const raw = await rawVisit(house);
    raw.write(bytes);
    await holds(() => expect(house.seen.closes).toEqual([{ code: 1006, byClient: false }]));
    expect(house.seen.messages).toEqual([]);
    await serves(house);
  });

  test.each([
    ['a code that may not be sent', Buffer.from([3, 0xee])],
    ['half a code', Buffer.from([3])],
    ['a reason that is not UTF-8', Buffer.from([3, 0xe8, 0xff, 0xfe])],
  ])('a close frame with %s does no harm', async (_what, payload) => {
    const house = await open(adapter);
    const raw = await rawVisit(house);
    raw.write(frame(OPCODE.close, payload));
    await holds(() => expect(house.seen.closes).toHaveLength(1));
    await serves(house);
  });

  test('an unmasked frame does no harm', async () => {
    const house = await open(adapter);
    const raw = await rawVisit(house);
    raw.write(frame(OPCODE.text, 'bare', { masked: false }));
    await serves(house);
  });

  test('noise after the handshake does no harm', async () => {
    const house = await open(adapter);
    for (let i = 0; i < 50; i++) (await rawVisit(house)).write(randomBytes(64));
    await serves(house);
  });

  test('noise instead of HTTP is not served, and does no harm', async () => {
    const house = await open(adapter);
    const noises = [
      '\x16\x03\x01\x02\x00\x01\x00',
      'GET\r\n\r\n',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      'GET / HTTP/1.1\r\nbad header\r\n\r\n',
      'GET http://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n',
    ];
    const raws = await Promise.all(noises.map(async (noise) => (await Raw.to(house)).write(`${noise}\r\n\r\n`)));
    await serves(house);
    for (const { text } of raws) expect(text).toMatch(/^(HTTP\/1.1 [45]\d\d |$)/);
  });

  test('a reset in the middle of a frame does no harm', async () => {
    const house = await open(adapter);
    for (const cut of [1, 3, 7]) {
      const raw = await rawVisit(house);
      raw.write(frame(OPCODE.text, 'never whole').subarray(0, cut));
      raw.reset();
    }
    await holds(() => expect(house.seen.closes).toHaveLength(3));
    expect(house.seen.closes.every(({ code, byClient }) => code === 1006 && !byClient)).toBe(true);
    expect(house.seen.messages).toEqual([]);
    await serves(house);
  });

  test('clients that reset at any time of their handshake do no harm', async () => {
    const house = await open(adapter, {
      upgrade: () => new Promise((resolve) => setTimeout(() => resolve({ accept: '' }), 2)),
      http: () => new Promise((resolve) => setTimeout(() => resolve({ status: 200, headers: {}, body: 'fine' }), 2)),
    });
    await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const raw = (await Raw.to(house)).write(i % 2 ? upgradeRequest() : request('GET /'));
        setTimeout(() => raw.reset(), i % 6);
      }),
    );
    await serves(house);
  });

  test('headers over the limit are refused, as a whole and one alone, for HTTP and WebSockets, in any segmentation', async () => {
    const house = await open(adapter);
    const half = filler(OPTIONS.maxHeaders / 2);
    const floods = [
      request('GET /', [filler(OPTIONS.maxHeaders)]),
      request('GET /', [half, half]),
      request(`GET /${'p'.repeat(OPTIONS.maxHeaders)}`),
      upgradeRequest({ 'X-Filler': 'f'.repeat(OPTIONS.maxHeaders) }),
    ];
    for (const flood of floods) {
      const whole = (await Raw.to(house)).write(flood);
      await whole.isHungUpOn();
      expect(whole.text).toMatch(/^HTTP\/1.1 431 .*"code":"too_large"/s);
      const split = (await Raw.to(house)).write(flood.slice(0, 3000));
      await new Promise((resolve) => setImmediate(resolve));
      split.write(flood.slice(3000));
      await split.isHungUpOn();
      expect(split.text).toMatch(/^(HTTP\/1.1 (4\d\d|505) |$)/);
    }
    expect(house.seen.lines).toEqual([]);
    await serves(house);
  });

  test('headers just under the limit are served', async () => {
    const house = await open(adapter);
    await (await Raw.to(house)).write(request('GET /', [filler(OPTIONS.maxHeaders - 100)])).reads('fine');
  });

  test('a request whose length is told twice, or not as a number, is refused', async () => {
    const house = await open(adapter);
    for (const headers of [
      ['Content-Length: 4', 'Content-Length: 5'],
      ['Content-Length: -5'],
      ['Content-Length: 99999999999999999999'],
      ['Content-Length: 4', 'Transfer-Encoding: chunked'],
      ['Transfer-Encoding: xchunked'],
    ]) {
      const raw = (await Raw.to(house)).write(request('POST /', headers, 'abcde'));
      await raw.isHungUpOn();
      expect(raw.text).toMatch(/^(HTTP\/1.1 4\d\d |$)/);
    }
    await serves(house);
  });
}
