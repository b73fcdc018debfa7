import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ERRORS, type ErrorCode } from '../../src/protocol/codes.js';
import { Connection } from '../support/client.js';
import type { ErrorBody } from '../support/http.js';
import { CURSORS, FRAMES, type FrameCase, frame, REQUESTS, SOCKETS, UNMASKED } from './cases.js';
import { Siege } from './siege.js';
import { heard, noticed, settled } from './wire.js';

const MEMORY_MAX = 30 * 1_048_576;

const SHAPES = [
  ['uws', 'the embedded store'],
  ['ws', 'the embedded store'],
  ['uws', 'Redis'],
] as const;

describe.each(SHAPES)('a node on %s and %s', (sockets, store) => {
  let siege: Siege;
  let memoryBefore: number;

  beforeAll(async () => {
    siege = await Siege.begins({ SKEIN_SOCKETS: sockets }, store === 'Redis');
    await siege.holds();
    memoryBefore = await siege.memory();
  });
  afterEach(() => siege.holds());
  afterAll(() => siege?.ends());

  test('there are more than 150 cases', () => {
    expect(FRAMES.length + REQUESTS.length + SOCKETS.length + CURSORS.length * 2).toBeGreaterThan(150);
    expect(FRAMES.length).toBeGreaterThan(150);
  });

  const filled = (text: string | Buffer): string | Buffer => (typeof text === 'string' ? siege.filled(text) : text);

  /** What is heard after a frame but receipts and pongs: an error's code or a frame's type. */
  async function answersOn(line: Connection, sent: string | Buffer, hasAnswer: boolean): Promise<string[]> {
    const told = () => line.frames.filter(({ type }) => type !== 'pong' && type !== 'receipt');
    await settled(line);
    line.frames.length = 0;
    line.texts.length = 0;
    line.send(sent);
    const isThere = () => !hasAnswer || told().length > 0 || !line.isOpen;
    await noticed(line.socket, isThere, () => 'an answer');
    for (let i = 0; i < 2 && line.isOpen; i++) await settled(line);
    return told().map(({ type, code }) => code ?? type);
  }

  /** The crony got what mallory sent, exactly as it was written. */
  async function cronyHears(text: string, written: string | undefined): Promise<void> {
    const { receiver, data } = JSON.parse(text);
    if (receiver !== 'crony') return;
    const message = await heard(siege.crony, ({ type }) => type === 'message', 'a message for the crony');
    expect(message).toMatchObject({ sender: 'mallory', receiver: 'crony' });
    expect(JSON.stringify(message.data)).toBe(JSON.stringify(data));
    for (const member of ['op', 'ref', 'room', '__proto__']) expect(Object.hasOwn(message, member)).toBe(false);
    if (written !== undefined) expect(siege.crony.texts.at(-1)).toContain(`"data":${written}}`);
  }

  const hasForgotten = (): void => {
    siege.crony.frames.length = 0;
    siege.crony.texts.length = 0;
  };

  describe('a frame of a WebSocket', () => {
    beforeEach(hasForgotten);

    test.each(FRAMES)('$name: $expects', async ({ frame: given, expects, data }: FrameCase) => {
      const sent = filled(given);
      const line = await siege.line();
      const answers = await answersOn(line, sent, expects !== 'silence');
      expect(answers).toEqual(expects === 'silence' || expects === 'closed' ? [] : [expects]);
      if (expects === 'closed') expect([1006, 1009]).toContain((await line.closed).code);
      else expect(line.isOpen).toBe(true);
      if (expects === 'sent') await cronyHears(String(sent), data);
    });
  });

  describe('the same text as a body over HTTP', () => {
    beforeEach(hasForgotten);

    test.each(FRAMES.filter((each) => typeof each.frame === 'string'))('$name', async (each) => {
      const text = String(filled(each.frame));
      const expected = each.post ?? (each.expects === 'sent' ? 200 : 400);
      const { status, body } = await siege.calls<ErrorBody>('mallory', 'POST', '/v1/messages', text);
      expect(status).toBe(expected);
      if (expected !== 200) expect(ERRORS[body.error.code as ErrorCode]).toBe(expected);
      else await cronyHears(text, each.data);
    });
  });

  test('before anybody is logged in any of these frames ends the connection with 4401', async () => {
    for (const { name, frame: given, expects } of FRAMES) {
      const line = await Connection.open(siege.node.wsUrl());
      line.send(filled(given));
      const { code } = await line.closed;
      expect(expects === 'closed' ? [1006, 1009] : [4401], name).toContain(code);
      expect(line.frames, name).toEqual([]);
    }
  });

  describe('a request over HTTP', () => {
    test.each(REQUESTS)('$name: $expects', (each) => siege.answers(each));
  });

  /** The code of the close frame at the end of what came, or undefined. */
  function closeCode(text: string): number | undefined {
    const bytes = Buffer.from(text, 'latin1');
    for (let at = bytes.length - 4; at >= 0; at--) if (bytes[at] === 0x88) return bytes.readUInt16BE(at + 2);
    return undefined;
  }

  describe('bytes on a WebSocket', () => {
    test.each(SOCKETS)('$name: $expects', async ({ bytes, expects }) => {
      const raw = await siege.handshake();
      raw.write(bytes);
      if (expects === 'stays') {
        await siege.holds();
        const before = raw.text.length;
        raw.write(frame(9, 'still there'));
        await raw.shows(() => raw.isClosed || raw.text.slice(before).includes('still there'), 'a pong');
        expect(raw.isClosed).toBe(false);
      } else if (expects === 'ends') await raw.shows(() => raw.isClosed, 'the end of the connection');
      else await raw.shows(() => closeCode(raw.text) === expects, `a close frame with ${expects}`);
      raw.end();
    });

    test('unmasked frames do no harm', async () => {
      for (const bytes of UNMASKED) {
        const raw = (await siege.handshake()).write(bytes);
        await siege.holds();
        raw.end();
      }
    });
  });

  describe('a cursor', () => {
    let mine: string;
    let bobs: string;
    let phones: string;

    const poll = (uid: string, query: string) =>
      siege.calls<ErrorBody & { cursor: string }>(uid, 'GET', `/v1/messages?wait=0&${query}`);
    const cursorOf = async (uid: string, device: string): Promise<string> =>
      (await poll(uid, `device=${device}`)).body.cursor;

    beforeAll(async () => {
      await siege.calls('crony', 'POST', '/v1/messages', { receiver: 'mallory', data: 1 });
      mine = await cursorOf('mallory', 'cursors');
      phones = await cursorOf('mallory', 'phone');
      bobs = await cursorOf('bob', 'cursors');
    });

    const cursorFrom = (template: string): string =>
      template
        .replace('$minex', `${mine}x`)
        .replace('$cut', mine.slice(0, -1))
        .replace('$swapped', `${bobs.split('.')[0]}0.${mine.split('.')[1]}`)
        .replace('$added', mine.replace('.', ';*=1.'))
        .replace('$bobs', bobs)
        .replace('$phones', phones);

    test.each(CURSORS)('$name acknowledges nothing, for polls and streams', async ({ cursor }) => {
      const text = cursorFrom(cursor);
      const query = new URLSearchParams({ device: 'cursors', ack: text });
      expect(await poll('mallory', String(query))).toMatchObject({
        status: 400,
        body: { error: { code: 'bad_request' } },
      });
      const head = `GET /v1/stream?device=cursors HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${siege.filled('$token')}\r\n`;
      const raw = (await siege.raw()).write(`${head}Last-Event-ID: ${text}\r\n\r\n`);
      expect(await raw.status(), text).toBe(400);
      raw.end();
      expect(await cursorOf('mallory', 'cursors')).not.toBe('');
    });

    test('that is good is good twice', async () => {
      const query = `device=cursors&ack=${encodeURIComponent(mine)}`;
      expect([(await poll('mallory', query)).status, (await poll('mallory', query)).status]).toEqual([200, 200]);
    });
  });

  test('after all this the memory is what it was', async () => {
    await siege.fallsTo(memoryBefore + MEMORY_MAX);
  });
});
