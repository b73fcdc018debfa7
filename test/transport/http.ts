import { expect, test } from 'vitest';
import type { Headers, Request, Response } from '../../src/server/transport.js';
import { type Adapter, answers, type House, holds, OPTIONS, open, Raw, request } from './support.js';

const json = (value: unknown, status = 200): Response => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
});

/** Answers with what became of the body. */
const bodyEcho = async (asked: Request): Promise<Response> => {
  const body = await asked.body(1000);
  return typeof body === 'string' ? json(body, body === 'too_large' ? 413 : 400) : json(body.text);
};

async function exchange(house: House, text: string, end: string): Promise<Raw> {
  const raw = (await Raw.to(house)).write(text);
  await raw.reads(end);
  return raw;
}

export function http(adapter: Adapter): void {
  test('any method and path reaches the handler, as sent', async () => {
    const house = await open(adapter, { http: (asked) => json([asked.method, asked.path, asked.query]) });
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      await exchange(house, request(`${method} /a%20b//c?x=%20&y`), `["${method}","/a%20b//c","x=%20&y"]`);
    }
    await exchange(house, request('GET /'), '["GET","/",""]');
  });

  test('HEAD gets the headers of a GET, length included, and no body', async () => {
    const house = await open(adapter);
    const raw = await exchange(house, request('HEAD /'), '\r\n\r\n');
    raw.write(request('GET /'));
    await raw.reads('fine');
    expect(raw.text).toMatch(/^HTTP\/1.1 200 .*?content-length: 4\r\n.*?\r\n\r\nHTTP\/1.1 200 /is);
  });

  test('204 and 304 have neither body nor length', async () => {
    for (const status of [204, 304]) {
      const house = await open(adapter, { http: () => ({ status, headers: { 'x-end': '1' }, body: 'never' }) });
      const raw = await exchange(house, request('GET /'), '\r\n\r\n');
      raw.write(request('GET /'));
      await holds(() => expect(answers(raw.text, status)).toBe(2));
      expect(raw.text).not.toMatch(/never|content-length|transfer-encoding/i);
    }
  });

  test('bytes are answered as they are', async () => {
    const house = await open(adapter, {
      http: () => ({ status: 200, headers: {}, body: new Uint8Array([0, 255, 128, 10]) }),
    });
    expect((await exchange(house, request('GET /'), '\r\n\r\n\x00')).text.slice(-8)).toBe('\r\n\r\n\x00\xff\x80\n');
  });

  test('two requests share a connection, one after the other and in one write', async () => {
    const house = await open(adapter, { http: (asked) => json(asked.path) });
    const raw = await exchange(house, request('GET /1'), '"/1"');
    raw.write(request('GET /2') + request('GET /3'));
    await raw.reads('"/3"');
    expect([...raw.text.matchAll(/"\/(\d)"/g)].map((match) => match[1])).toEqual(['1', '2', '3']);
  });

  test('late answers go to their own requests on one connection', async () => {
    const house = await open(adapter, {
      http: (asked) => new Promise((resolve) => setImmediate(() => resolve(json(asked.path)))),
    });
    const raw = await exchange(house, request('GET /1'), '"/1"');
    raw.write(request('GET /2'));
    await raw.reads('"/2"');
    expect(answers(raw.text, 200)).toBe(2);
  });

  test('a body is read whole, with its length told or in chunks, asked for at once or later', async () => {
    for (const late of [false, true]) {
      const house = await open(adapter, {
        http: async (asked) => {
          if (late) await new Promise((resolve) => setImmediate(resolve));
          return bodyEcho(asked);
        },
      });
      await exchange(house, request('POST /', ['Content-Length: 5'], 'hello'), '"hello"');
      await exchange(
        house,
        request('POST /', ['Transfer-Encoding: chunked'], '2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n'),
        '"hello"',
      );
      await exchange(house, request('POST /', ['Content-Length: 1000'], 'm'.repeat(1000)), 'm"');
      const slow = (await Raw.to(house)).write(request('POST /', ['Content-Length: 5'], 'he'));
      slow.write('llo');
      await slow.reads('"hello"');
      await exchange(house, request('POST /'), '""');
    }
  });

  test('a body over the limit is known as such when it crosses it, answered, and hung up on', async () => {
    const house = await open(adapter, { http: bodyEcho });
    const told = await exchange(house, request('POST /', ['Content-Length: 1001'], 'x'), '"too_large"');
    await told.isHungUpOn();
    const chunked = request('POST /', ['Transfer-Encoding: chunked'], `3e9\r\n${'x'.repeat(1001)}\r\n`);
    const counted = await exchange(house, chunked, '"too_large"');
    await counted.isHungUpOn();
    for (const { text } of [told, counted]) expect(text).toMatch(/^HTTP\/1.1 413 .*connection: close\r\n/is);
  });

  test('a body that nobody asked for does not stay in memory, and does not become the next request', async () => {
    const house = await open(adapter);
    const raw = await Raw.to(house);
    raw.write(request('POST /', ['Content-Length: 200000'], request('GET /smuggled').repeat(100)));
    await raw.reads('fine');
    expect(answers(raw.text, 200)).toBe(1);
  });

  test('no more of a body is held than a frame may have, whatever the handler allows', async () => {
    const house = await open(adapter, {
      http: async (asked) => json(typeof (await asked.body(1e9))),
    });
    const { maxFrame } = OPTIONS;
    await exchange(house, request('POST /', [`Content-Length: ${maxFrame}`], 'x'.repeat(maxFrame)), '"object"');
    await exchange(house, request('POST /', [`Content-Length: ${maxFrame + 1}`], 'x'.repeat(maxFrame + 1)), '"string"');
  });

  test('a body that is not UTF-8, or breaks off, is broken', async () => {
    const results: unknown[] = [];
    const house = await open(adapter, {
      http: async (asked) => {
        results.push(await asked.body(1000));
        return json(0);
      },
    });
    const raw = await Raw.to(house);
    raw.write(request('POST /', ['Content-Length: 2'])).write(Buffer.from([0xc3, 0x28]));
    await holds(() => expect(results).toEqual(['broken']));
    const leaver = (await Raw.to(house)).write(request('POST /', ['Content-Length: 50'], 'only so much'));
    // Whoever ends only their own side of TLS is waited for.
    if (adapter.tls) leaver.socket.destroy();
    else leaver.socket.end();
    await holds(() => expect(results).toEqual(['broken', 'broken']));
  });

  test('a client that leaves before its answer aborts the request, and the late answer does no harm', async () => {
    const asked: Request[] = [];
    let finish: (response: Response) => void = () => undefined;
    const house = await open(adapter, {
      http: (one) => {
        asked.push(one);
        return new Promise((resolve) => {
          finish = resolve;
        });
      },
    });
    const raw = (await Raw.to(house)).write(request('GET /poll'));
    await holds(() => expect(asked).toHaveLength(1));
    expect(asked[0]!.gone.aborted).toBe(false);
    raw.socket.destroy();
    await holds(() => expect(asked[0]!.gone.aborted).toBe(true));
    finish(json('late'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(house.seen.errors).toEqual([]);
  });

  test('an answered request is not aborted when its client leaves', async () => {
    const asked: Request[] = [];
    const house = await open(adapter, {
      http: (one) => {
        asked.push(one);
        return json(one.gone.aborted);
      },
    });
    const raw = await exchange(house, request('GET /'), 'false');
    raw.socket.destroy();
    await exchange(house, request('GET /'), 'false');
    expect(asked[0]!.gone.aborted).toBe(false);
  });

  test.each(['thrown', 'rejected'])('an error %s by a handler is answered 500 and reported', async (how) => {
    const bug = new Error('secret detail');
    const house = await open(adapter, {
      http: () => {
        if (how === 'rejected') return Promise.reject(bug);
        throw bug;
      },
    });
    const raw = await exchange(house, request('GET /'), '}}');
    expect(raw.text).toMatch(/^HTTP\/1.1 500 .*\{"error":\{"code":"internal","message":"[^"]+"\}\}$/is);
    expect(raw.text).not.toContain('secret');
    expect(house.seen.errors).toEqual([bug]);
  });

  test.each<Headers>([
    { 'x-a': 'b\r\nx-injected: 1' },
    { 'x-a': 'b\nx' },
    { 'x-a\r\nx-injected': '1' },
    { 'x a': '1' },
  ])('a header that would break out of its line is refused: %j', async (headers) => {
    const house = await open(adapter, { http: () => ({ status: 200, headers, body: 'x' }) });
    const raw = await exchange(house, request('GET /'), '}}');
    expect(raw.text).toMatch(/^HTTP\/1.1 500 /);
    expect(raw.text).not.toContain('injected');
    expect(house.seen.errors).toHaveLength(1);
  });

  test('the transport alone frames an answer, but a handler may have the connection closed', async () => {
    const house = await open(adapter, {
      http: () => ({ status: 200, headers: { 'Content-Length': '1', Connection: 'close' }, body: 'four' }),
    });
    const raw = await exchange(house, request('GET /'), 'four');
    await raw.isHungUpOn();
    expect(raw.text.match(/content-length: \d+/gi)).toHaveLength(1);
    expect(raw.text.match(/connection: close/gi)).toHaveLength(1);
  });
}
