import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Connection } from '../support/client.js';
import { until } from '../support/until.js';
import { frame } from './cases.js';
import { Siege, tokenOf } from './siege.js';
import { heard, type RawSocket, settled } from './wire.js';

const MEMORY_MAX = 30 * 1_048_576;
const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

let siege: Siege;
let memoryBefore: number;

beforeAll(async () => {
  siege = await Siege.begins({ SKEIN_RATE: '500', SKEIN_RETENTION_MESSAGES: '50', SKEIN_USER_SOCKETS: '64' });
  await siege.holds();
  memoryBefore = await siege.memory();
});
afterEach(() => siege.holds());
afterAll(() => siege?.ends());

const head = (line: string): string =>
  siege.filled(`${line} HTTP/1.1\r\nHost: $host\r\nAuthorization: Bearer $token\r\n`);
const asked = (line: string): string => `${head(line)}\r\n`;
const posted = (body: string): string => `${head('POST /v1/messages')}Content-Length: ${body.length}\r\n\r\n${body}`;

/** Does so much at once while alice and bob go on talking. */
async function meanwhile(work: Promise<unknown>): Promise<void> {
  let isOver = false;
  const over = work.finally(() => {
    isOver = true;
  });
  while (!isOver) await siege.holds();
  await over;
}

test('1,000 requests in one write are answered or hung up on', async () => {
  const raw = (await siege.raw()).write(asked('GET /healthz').repeat(1_000));
  await meanwhile(raw.shows(() => raw.isClosed || raw.text.split('HTTP/1.1 200').length > 1_000, '1,000 answers'));
  raw.end();
});

test('100 sends, polls and streams in one write do not mix up their answers', async () => {
  const lines = [
    posted('{"receiver":"crony","data":1}'),
    asked('GET /v1/messages?wait=0'),
    asked('GET /v1/presence?of=a'),
  ];
  const raws = await Promise.all(
    numbers(10).map(async () => (await siege.raw()).write(lines.join('').repeat(10) + asked('GET /v1/stream'))),
  );
  await meanwhile(Promise.all(raws.map((raw) => raw.shows(() => raw.isClosed || raw.text.length > 100, 'an answer'))));
  for (const raw of raws) raw.end();
});

test('who leaves at any time of a send, a poll, a stream or a log-in leaves nothing behind', async () => {
  const kinds = [
    posted('{"receiver":"crony","data":"leaving"}'),
    asked('GET /v1/messages?wait=15&device=leaver'),
    asked('GET /v1/stream?device=leaver'),
    `${head('GET /ws')}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
  ];
  const leave = async (i: number): Promise<void> => {
    const raw = (await siege.raw()).write(kinds[i % kinds.length]!);
    for (let turn = 0; turn < i % 7; turn++) await new Promise((resolve) => setImmediate(resolve));
    if (i % 2 === 0) raw.reset();
    else raw.end();
  };
  for (const round of numbers(8)) await meanwhile(Promise.all(numbers(40).map((i) => leave(round * 40 + i))));
});

test('of 200 polls of one device 199 end at once, and the last one waits', async () => {
  const polls = await Promise.all(
    numbers(200).map(async () => (await siege.raw()).write(asked('GET /v1/messages?wait=30&device=many'))),
  );
  const open = (): RawSocket[] => polls.filter(({ text }) => !text.includes('"cursor"'));
  await meanwhile(
    until(
      () => open().length <= 1,
      () => `one poll to be left, of ${open().length}`,
      10_000,
    ),
  );
  for (const raw of polls) raw.end();
});

test('no more than 64 connections of one user are let in, and the others are told to come back', async () => {
  const lines = await Promise.all(
    numbers(80).map((i) => Connection.open(`${siege.node.wsUrl()}?token=${tokenOf('mallory')}&device=d${i % 8}`)),
  );
  const closed = (): Connection[] => lines.filter(({ isOpen }) => !isOpen);
  await meanwhile(until(() => closed().length >= 16, 'the surplus to be closed'));
  const codes = (await Promise.all(closed().map((line) => line.closed))).map(({ code }) => code);
  for (const line of lines) line.socket.terminate();
  await Promise.all(lines.map((line) => line.closed));
  expect(new Set(codes)).toEqual(new Set([1013]));
});

test('who keeps sending far over the rate is closed with 4429', async () => {
  const line = await Connection.open(`${siege.node.wsUrl()}?token=${tokenOf('flooder')}`);
  await line.firstOf('synced');
  for (const _ of numbers(8_000)) line.send('{"type":"typing","receiver":"crony"}');
  await meanwhile(line.closed);
  expect((await line.closed).code).toBe(4429);
});

test('bad frames count against the rate, too', async () => {
  const line = await siege.line();
  for (const _ of numbers(3_000)) line.send('{"type":"history","conv":"dm:alice:bob"}');
  await Promise.race([line.closed, settled(line)]);
  expect(line.frames.some(({ code }) => code === 'rate_limited')).toBe(true);
});

test('who asks for much and reads nothing is cut off, or waits, at no cost to the others', async () => {
  const big = JSON.stringify('x'.repeat(60_000));
  const line = await siege.line();
  for (const i of numbers(20)) {
    line.send(`{"type":"send","id":"big${i}","receiver":"mallory","data":${big}}`);
    await heard(line, ({ id }) => id === `big${i}`, 'a large message to be stored');
  }
  const raws = await Promise.all(numbers(5).map(() => siege.handshake()));
  for (const raw of raws) {
    raw.pause();
    for (const _ of numbers(100)) raw.write(frame(1, '{"type":"history","conv":"dm:mallory:mallory","limit":200}'));
  }
  await meanwhile(settled(line));
  for (const raw of raws) raw.end();
});

test('afterwards the memory is what it was', async () => {
  await siege.fallsTo(memoryBefore + MEMORY_MAX);
});
