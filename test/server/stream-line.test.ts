import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CursorTokens } from '../../src/chat/cursor-token.js';
import type { Cursors } from '../../src/chat/cursors.js';
import { type Devices, type Reader, Unavailable } from '../../src/chat/ports.js';
import { StreamProgress } from '../../src/chat/streams.js';
import { createMemoryBackend } from '../../src/memory/backend.js';
import type { DeviceId, Uid } from '../../src/protocol/index.js';
import { SseLine, type SseOptions } from '../../src/server/sse-line.js';
import { createUws } from '../../src/server/uws.js';
import { createWs } from '../../src/server/ws.js';
import { LIMITS } from '../support/redis-node.js';
import { until } from '../support/until.js';
import { open, tidyAfterEach } from '../transport/support.js';
import { EventReader } from './event-reader.js';

const bob: Reader = { uid: 'bob' as Uid, device: 'default' as DeviceId };
const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const message = (n: number, sender = 'alice'): string =>
  `{"type":"message","conv":"dm:${sender}:bob","seq":${1_760_000_000_000_000 + n},"ts":1,"data":${n}}`;

describe.each([
  { name: 'uws', create: createUws },
  { name: 'ws', create: createWs },
] as const)('a line of server-sent events on $name', (adapter) => {
  tidyAfterEach();
  let line: SseLine;
  let reader: EventReader;
  let code: number | undefined;
  let drains = 0;
  let faults: unknown[];
  /** Saves go through it; a test may let them fail or wait. */
  let save: Devices['savePoll'];
  const readers: EventReader[] = [];
  beforeEach(() => {
    const { devices } = createMemoryBackend({ limits: LIMITS });
    save = devices.savePoll;
    code = undefined;
    drains = 0;
    faults = [];
  });
  afterEach(() => {
    for (const each of readers.splice(0)) each.leave();
  });

  /** A line that begins with short times, and its reader. */
  async function stream(options: Partial<SseOptions> = {}, paused = false): Promise<void> {
    const { devices } = createMemoryBackend({ limits: LIMITS });
    const saving: Devices = { ...devices, savePoll: (who, held) => save(who, held) };
    const cursors = { write: async () => [] } as unknown as Cursors;
    const tokens = new CursorTokens({ devices: saving, cursors, secret: () => 'secret' });
    const fault = (error: unknown): unknown => faults.push(error);
    const house = await open(
      adapter,
      {
        http: () => ({
          status: 200,
          headers: { 'content-type': 'text/event-stream' },
          body: (native) => {
            line = new SseLine(native, {
              progress: new StreamProgress(bob, { tokens, devices: saving, fault }),
              messages: 500,
              life: 60_000,
              heartbeat: 60_000,
              onDrain: () => drains++,
              onAlive: () => undefined,
              onClose: (given) => {
                code = given;
              },
              ...options,
            });
          },
        }),
      },
      { maxBuffered: 1_048_576 },
    );
    reader = await EventReader.open(`http://127.0.0.1:${house.port}`, bob.uid, { paused });
    readers.push(reader);
  }

  test('ends after its time, and is gone when its reader leaves', async () => {
    await stream({ life: 60 });
    await reader.ends();
    expect(code).toBe(1000);
    expect([line.send(message(1)), line.buffered()]).toEqual(['dropped', 0]);
    await stream();
    reader.leave();
    await until(() => code === 1006, 'the line to hear of it');
  });

  test('a quiet one is kept warm by comments', async () => {
    await stream({ heartbeat: 10 });
    await until(() => reader.comments.length >= 5, 'comments');
    expect(reader.events).toEqual([]);
  });

  test('writes its last message whole, and nothing after it', async () => {
    await stream({ messages: 3 });
    line.cork(() => {
      for (const n of numbers(5)) line.send(message(n));
    });
    expect(line.send(message(9))).toBe('dropped');
    await reader.ends();
    expect(reader.data).toEqual([0, 1, 2]);
    expect(code).toBe(1000);
  });

  test('an event waits until what its cursor rests on is saved; the store may be away for a while', async () => {
    const saved: unknown[] = [];
    let isAway = true;
    const reallySave = save;
    let tries = 0;
    save = async (who, held) => {
      tries++;
      if (isAway) throw new Unavailable('away');
      saved.push(held);
      return reallySave(who, held);
    };
    await stream();
    const written = numbers(60).map((n) => line.send(message(n, `a-name-of-some-length-${n}`)));
    expect(written[0]).toBe('sent');
    expect(written.at(-1)).toBe('buffered');
    await until(() => tries >= 2, 'it to try again');
    const early = reader.messages.length;
    expect(early).toBeGreaterThan(10);
    expect(early).toBeLessThan(60);
    expect(line.buffered()).toBeGreaterThan(0);
    isAway = false;
    await reader.hearsMany(60);
    expect(reader.data).toEqual(numbers(60));
    expect((saved[0] as unknown[]).length).toBe(early);
    expect(line.buffered()).toBe(0);
    expect(drains).toBeGreaterThan(0);
    expect(faults).toEqual([]);
  });

  test('a line that saved often ends before the store forgets what its first cursors rest on', async () => {
    const saved: unknown[] = [];
    const reallySave = save;
    save = (who, held) => {
      saved.push(held);
      return reallySave(who, held);
    };
    await stream();
    for (const n of numbers(400)) line.send(message(n, `${n}-${'龍'.repeat(50)}`));
    await reader.ends();
    expect(saved.length).toBeLessThan(32);
    expect(code).toBe(1000);
    expect(reader.data).toEqual(numbers(reader.data.length));
  });

  test('takes only so much from a node for a reader who reads nothing, and all that it took arrives', async () => {
    await stream({ messages: 5_000 }, true);
    const padding = 'p'.repeat(40_000);
    const frame = (n: number): string =>
      `{"type":"message","conv":"dm:alice:bob","seq":${n + 1},"data":${n},"p":"${padding}"}`;
    let taken = 0;
    while (line.send(frame(taken)) !== 'dropped' && taken < 4_000) {
      taken++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(taken).toBeLessThan(1_000);
    expect(line.buffered()).toBeLessThan(1_000_000);
    const before = drains;
    reader.resume();
    await reader.hearsMany(taken);
    await until(() => drains > before, 'word that it drained');
    expect(line.send(frame(taken))).not.toBe('dropped');
    await reader.hearsMany(taken + 1);
    expect(reader.data).toEqual(numbers(taken + 1));
  });
});
