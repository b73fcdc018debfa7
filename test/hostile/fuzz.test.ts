import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Connection } from '../support/client.js';
import { frame } from './cases.js';
import { Siege, tokenOf } from './siege.js';
import { isNotHeldUp } from './slow.js';
import { settled } from './wire.js';

/** `FUZZ_SEED` repeats a run, `FUZZ_MS` makes each part of it last longer. */
const SEED = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));
const BUDGET_MS = Number(process.env.FUZZ_MS ?? 3_000);
const MEMORY_MAX = 30 * 1_048_576;

let siege: Siege;
let memoryBefore: number;

beforeAll(async () => {
  console.log(`fuzzing with FUZZ_SEED=${SEED}`);
  siege = await Siege.begins({ SKEIN_RETENTION_MESSAGES: '100' });
  // What a node takes for its first frames of every kind is no leak.
  await fc.assert(fc.asyncProperty(sessions, isWithstood), { ...bounds(500), verbose: 0 });
  memoryBefore = await siege.memory();
});
afterAll(() => siege?.ends());

const bounds = (ms: number) => ({ seed: SEED, numRuns: 1_000_000, interruptAfterTimeLimit: ms, endOnFailure: true });

/** Frames that are right: of each kind one, between mallory and the crony, or aimed at what is of others. */
const VALID: readonly string[] = [
  '{"type":"send","id":"c1","receiver":"crony","data":{"text":"hello","n":[1,2.5e3,null]}}',
  '{"receiver":"mallory","data":"to myself","try":1}',
  '{"type":"send","room":"den","data":1}',
  '{"type":"join","id":"j","room":"club"}',
  '{"type":"leave","id":"l","room":"club"}',
  '{"type":"send","id":"r","room":"club","data":"in the club"}',
  '{"type":"members","id":"m","room":"club","limit":5,"after":"a"}',
  '{"type":"ack","conv":"dm:crony:mallory","seq":1700000000000000}',
  '{"type":"read","conv":"dm:alice:bob","seq":1}',
  '{"type":"typing","room":"club"}',
  '{"type":"typing","receiver":"crony"}',
  '{"type":"history","id":"h","conv":"dm:crony:mallory","before":9007199254740991,"limit":20}',
  '{"type":"history","id":"h2","conv":"dm:alice:bob","after":0}',
  '{"type":"conversations","id":"v","limit":10,"before":1760000000000}',
  '{"type":"watch","id":"w","uids":["crony","nobody"]}',
  '{"type":"unwatch","uids":["crony","nobody"]}',
  '{"type":"recall","id":"x","conv":"room:club","seq":1700000000000000}',
  '{"type":"edit","id":"e","conv":"room:den","seq":1,"data":{"a":{"b":[]}}}',
  '{"type":"react","id":"a","conv":"dm:crony:mallory","seq":1,"emoji":"👍","on":true}',
  '{"type":"hello","token":"eyJhbGciOiJub25lIn0.e30.","device":"d","ack":"manual","replace":true}',
  '{"type":"ping","id":"p"}',
];

const VALUES = [
  'null',
  'true',
  '-1',
  '1e999',
  '9007199254740993',
  '""',
  '[]',
  '{}',
  '{"toString":1}',
  '"__proto__"',
  '"\\ud800"',
];
const PIECES = [
  '"',
  '\\',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '\0',
  '\n',
  '\ufeff',
  '"__proto__":{},',
  '\\u0000',
  '"type":"ping",',
];

type Mutation = (text: string, at: number) => string;

/** Each changes one place of a frame; `at` is between 0 and 1. */
const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  fc.constant<Mutation>((text) => text),
  fc.constant<Mutation>((text, at) => text.slice(0, at * text.length)),
  fc.integer({ min: 1, max: 12 }).map(
    (count): Mutation =>
      (text, at) => {
        const from = Math.floor(at * text.length);
        return text.slice(0, from) + text.slice(from + count);
      },
  ),
  fc.oneof(fc.constantFrom(...PIECES), fc.string({ unit: 'binary', maxLength: 6 })).map((piece): Mutation => {
    return (text, at) => text.slice(0, at * text.length) + piece + text.slice(at * text.length);
  }),
  fc.oneof(fc.constantFrom(...VALUES), fc.json()).map(
    (value): Mutation =>
      (text, at) => {
        const values = [...text.matchAll(/:("[^"]*"|[\d.e]+|true|\[[^\]]*\]|null)/g)];
        const found = values[Math.floor(at * values.length)];
        return found ? text.slice(0, found.index + 1) + value + text.slice(found.index + found[0].length) : text;
      },
  ),
  fc.constantFrom(...VALID).map(
    (other): Mutation =>
      (text, at) => {
        return text.slice(0, at * text.length) + other.slice(at * other.length);
      },
  ),
  fc.integer({ min: 2, max: 40 }).map(
    (count): Mutation =>
      (text) =>
        text.replace(/"(data|uids)":/, `"$1":${'['.repeat(count)}`),
  ),
);

const text = fc
  .tuple(
    fc.constantFrom(...VALID),
    fc.array(fc.tuple(mutation, fc.double({ min: 0, max: 1, noNaN: true })), { maxLength: 3 }),
  )
  .map(([valid, mutations]) => mutations.reduce((before, [mutate, at]) => mutate(before, at), valid));

const sessions = fc.array(
  fc.oneof({ weight: 9, arbitrary: text }, { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }) }),
  {
    minLength: 5,
    maxLength: 40,
  },
);

/** Every frame of a session is sent in one go; if the connection outlives that, it must still answer. */
async function isWithstood(frames: readonly (string | Uint8Array)[]): Promise<void> {
  const line = await Connection.open(`${siege.node.wsUrl()}?token=${tokenOf('mallory')}&ack=manual&device=fuzz`);
  for (const each of frames) line.send(typeof each === 'string' ? each : Buffer.from(each));
  await Promise.race([line.closed, settled(line)]);
  expect(line.frames.filter(({ code }) => code === 'internal')).toEqual([]);
  expect(line.order.violations).toEqual([]);
  line.socket.terminate();
  await siege.holds();
}

const bytes = fc.uint8Array({ maxLength: 300 });
const frames = fc
  .array(
    fc.record({
      opcode: fc.integer({ min: 0, max: 15 }),
      payload: fc.oneof(text, bytes),
      fin: fc.boolean(),
      rsv: fc.constantFrom(0, 0, 0, 0, 1, 7),
      masked: fc.constantFrom(true, true, true, true, true, false),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .map((all) => Buffer.concat(all.map(({ opcode, payload, ...shape }) => frame(opcode, payload, shape))));

const HEADS = [
  '',
  'GET /',
  'GET /ws HTTP/1.1\r\n',
  'POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n',
];
const tails = fc.oneof(
  bytes,
  fc.constantFrom('\r\n\r\n', '\r\n', ' HTTP/1.1\r\n\r\n').map((tail) => Buffer.from(tail)),
);

/** Noise instead of HTTP, and frames of noise after a handshake; each ends with a reset, an end, or at the node's will. */
const noises = fc.record({
  isHandshaken: fc.boolean(),
  head: fc.constantFrom(...HEADS),
  writes: fc.array(fc.oneof(bytes, frames, tails), { minLength: 1, maxLength: 5 }),
  isReset: fc.boolean(),
});

const isBorne = fc.asyncProperty(noises, async ({ isHandshaken, head, writes, isReset }) => {
  const raw = isHandshaken ? await siege.handshake() : (await siege.raw()).write(head);
  for (const write of writes) raw.write(write);
  await siege.holds();
  if (isReset) raw.reset();
  else raw.end();
});

// What is slow waits meanwhile.
describe.concurrent('a node that hears', () => {
  test(
    'mutated sessions, then noise on its port, does no harm to anybody and holds on to no memory',
    async () => {
      await fc.assert(fc.asyncProperty(sessions, isWithstood), bounds(BUDGET_MS));
      await fc.assert(isBorne, bounds(BUDGET_MS));
      await siege.fallsTo(memoryBefore + MEMORY_MAX);
    },
    BUDGET_MS * 2 + 60_000,
  );

  test.each(['uws', 'ws'] as const)('what is begun and never ended ends it within 16 s, on %s', isNotHeldUp, 40_000);
});
