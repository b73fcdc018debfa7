import { expect, test } from 'vitest';
import type { Stream } from '../../src/server/transport.js';
import { type Adapter, type House, holds, OPTIONS, open, Raw, request } from './support.js';

type Told = { drains: number; closes: number };

/** A server whose answers go on; the streams it began and what it was told of each. */
async function streaming(adapter: Adapter): Promise<{ house: House; streams: Stream[]; told: Told }> {
  const streams: Stream[] = [];
  const told: Told = { drains: 0, closes: 0 };
  const house = await open(adapter, {
    http: () => ({
      status: 200,
      headers: { 'content-type': 'text/event-stream' },
      body: (stream) => {
        stream.onDrain(() => told.drains++);
        stream.onClose(() => told.closes++);
        streams.push(stream);
      },
    }),
  });
  return { house, streams, told };
}

async function listener(house: House, streams: readonly Stream[]): Promise<{ raw: Raw; stream: Stream }> {
  const raw = (await Raw.to(house)).write(request('GET /stream'));
  await holds(() => expect(streams).toHaveLength(1));
  return { raw, stream: streams[0]! };
}

/** The body of a chunked answer. */
function unchunked(text: string): string {
  let body = '';
  let at = text.indexOf('\r\n\r\n') + 4;
  while (at < text.length) {
    const lineEnd = text.indexOf('\r\n', at);
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    if (!(size > 0)) break;
    body += text.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + 2 + size + 2;
  }
  return body;
}

export function streams(adapter: Adapter): void {
  test('the headers come before the first event', async () => {
    const { house, streams } = await streaming(adapter);
    const { raw, stream } = await listener(house, streams);
    await raw.reads('\r\n\r\n');
    expect(raw.text).toMatch(/^HTTP\/1.1 200 /);
    expect(raw.text).toMatch(/content-type: text\/event-stream\r\n/i);
    expect(stream.write('data: κόσμε\n\n')).toBe('sent');
    await raw.reads(Buffer.from('data: κόσμε\n\n').toString('latin1'));
  });

  test('an ended stream is whole, and its connection serves the next request', async () => {
    const { house, streams, told } = await streaming(adapter);
    const { raw, stream } = await listener(house, streams);
    stream.write('one ');
    stream.write('two');
    stream.end();
    stream.end();
    expect(told.closes).toBe(1);
    expect([stream.write('three'), stream.buffered()]).toEqual(['dropped', 0]);
    await raw.reads('\r\n0\r\n\r\n');
    expect(unchunked(raw.text)).toMatch(/one two$/);
    raw.write(request('GET /again'));
    await holds(() => expect(streams).toHaveLength(2));
    expect(told.closes).toBe(1);
  });

  test('a listener who leaves is told of once', async () => {
    const { house, streams, told } = await streaming(adapter);
    const { raw, stream } = await listener(house, streams);
    await raw.reads('\r\n\r\n');
    raw.socket.destroy();
    await holds(() => expect(told.closes).toBe(1));
    expect([stream.write('x'), stream.buffered()]).toEqual(['dropped', 0]);
    stream.end();
    expect(told.closes).toBe(1);
    expect(house.seen.errors).toEqual([]);
  });

  test('a slow listener is buffered for up to the bound, then dropped; drained, has lost nothing accepted', async () => {
    const { house, streams, told } = await streaming(adapter);
    const { raw, stream } = await listener(house, streams);
    await raw.reads('\r\n\r\n');
    raw.socket.pause();
    const piece = 'z'.repeat(9_990);
    const written: string[] = [];
    while (written.at(-1) !== 'dropped' && written.length < 5000) {
      written.push(stream.write(`<${String(written.length).padStart(8, '0')}>${piece}`));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(new Set(written)).toEqual(new Set(['sent', 'buffered', 'dropped']));
    expect(stream.buffered()).toBeGreaterThan(OPTIONS.maxBuffered);
    expect(stream.buffered()).toBeLessThan(OPTIONS.maxBuffered + 20_000);
    expect(told.drains).toBe(0);
    raw.socket.resume();
    await holds(() => expect(told.drains).toBeGreaterThan(0));
    await holds(() => expect(stream.buffered()).toBe(0));
    stream.write('<the end>');
    stream.end();
    await raw.reads('<the end>');
    const accepted = written.flatMap((what, i) => (what === 'dropped' ? [] : [i]));
    const arrived = [...unchunked(raw.text).matchAll(/<(\d{8})>/g)].map((match) => Number(match[1]));
    expect(arrived).toEqual(accepted);
  });

  test('an end with much still waiting comes after all of it', async () => {
    const { house, streams } = await streaming(adapter);
    const { raw, stream } = await listener(house, streams);
    raw.socket.pause();
    let accepted = 0;
    while (stream.write('w'.repeat(10_000)) !== 'dropped' && accepted < 5000) accepted++;
    stream.end();
    raw.socket.resume();
    await raw.reads('\r\n0\r\n\r\n');
    expect(unchunked(raw.text).replace(':\n\n', '')).toHaveLength(accepted * 10_000);
  });
}
