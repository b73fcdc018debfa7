import { expect, test } from 'vitest';
import type { Line, Written } from '../../src/chat/line.js';
import { type Adapter, frame, type House, holds, lineOf, OPCODE, OPTIONS, open, rawVisit, visit } from './support.js';

const filler = 'x'.repeat(16_000);

/** Sends numbered frames until one is dropped; returns what became of each. */
function fill(line: Line): Written[] {
  const written: Written[] = [];
  while (written.at(-1) !== 'dropped' && written.length < 5000) written.push(line.send(`${written.length} ${filler}`));
  return written;
}

const numbers = (received: readonly string[]): number[] => received.map((text) => Number.parseInt(text, 10));

async function pausedVisitor(house: House) {
  const visitor = await visit(house);
  visitor.client.pause();
  return { ...visitor, line: await lineOf(house) };
}

export function backpressure(adapter: Adapter): void {
  // node:tls encrypts in a later turn, so until then nothing is gone.
  const atOnce: Written = adapter.tls && adapter.name === 'ws' ? 'buffered' : 'sent';

  test('a reader who stops is buffered for up to the bound, then dropped; resumed, gets all that was accepted', async () => {
    const house = await open(adapter);
    const { client, received, line } = await pausedVisitor(house);
    expect(line.send('0')).toBe(atOnce);
    if (atOnce === 'sent') expect(line.buffered()).toBe(0);
    const written = fill(line);
    expect(new Set(written)).toEqual(new Set([atOnce, 'buffered', 'dropped']));
    expect(written.lastIndexOf('sent')).toBeLessThan(written.indexOf('buffered'));
    expect(line.buffered()).toBeGreaterThan(OPTIONS.maxBuffered);
    expect(line.buffered()).toBeLessThan(OPTIONS.maxBuffered + filler.length + 100);
    expect(house.seen.drains).toBe(0);

    client.resume();
    await holds(() => expect(house.seen.drains).toBeGreaterThan(0));
    await holds(() => expect(line.buffered()).toBe(0));
    expect(line.send('end')).toBe(atOnce);
    await holds(() => expect(received.at(-1)).toBe('end'));
    const accepted = written.flatMap((what, i) => (what === 'dropped' ? [] : [i]));
    expect(numbers(received.slice(1, -1))).toEqual(accepted);
    expect(house.seen.closes).toEqual([]);
  });

  test('small frames that wait are told of when they are gone, too', async () => {
    const house = await open(adapter);
    const { client, line } = await pausedVisitor(house);
    let written: Written = 'sent';
    for (let i = 0; written === 'sent' && i < 100_000; i++) written = line.send('y'.repeat(1000));
    expect(written).toBe('buffered');
    client.resume();
    await holds(() => expect(house.seen.drains).toBeGreaterThan(0));
    await holds(() => expect(line.buffered()).toBe(0));
  });

  test('a line that is closed with much still waiting ends after all of it, with its code', async () => {
    const house = await open(adapter);
    const { client, received, closed, line } = await pausedVisitor(house);
    const accepted = fill(line).length - 1;
    line.close(1013, 'too slow');
    expect(house.seen.closes).toEqual([{ code: 1013, byClient: false }]);
    client.resume();
    expect(await closed).toBe(1013);
    expect(numbers(received)).toEqual(Array.from({ length: accepted }, (_, i) => i));
  });

  test('a subscriber who misses a published frame is closed with 1013; the others get them all', async () => {
    const house = await open(adapter);
    const slow = await pausedVisitor(house);
    const quick = await visit(house);
    for (const line of house.seen.lines) line.subscribe('t');
    let published = 0;
    while (house.seen.closes.length === 0 && published < 5000) {
      house.transport.publish('t', `${published++} ${filler}`);
      await holds(() => expect(quick.received).toHaveLength(published));
    }
    expect(house.seen.closes).toEqual([{ code: 1013, byClient: false }]);
    slow.client.resume();
    expect(await slow.closed).toBe(1013);
    const arrived = numbers(slow.received);
    expect(arrived).toEqual(Array.from({ length: arrived.length }, (_, i) => i));
    expect(arrived.length).toBeLessThan(published);
  });

  test('own sends, pings and pongs that are dropped do not close a line', async () => {
    const house = await open(adapter);
    const raw = await rawVisit(house);
    raw.socket.pause();
    const line = await lineOf(house);
    line.subscribe('t');
    fill(line);
    for (let i = 0; i < 100; i++) {
      line.send('x');
      line.ping('x');
      raw.write(frame(OPCODE.ping, 'x'));
    }
    raw.write(frame(OPCODE.text, 'after'));
    await holds(() => expect(house.seen.messages).toEqual(['after']));
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    expect(house.seen.closes).toEqual([]);
    expect(line.buffered()).toBeLessThan(OPTIONS.maxBuffered + filler.length + 100);
  });
}
