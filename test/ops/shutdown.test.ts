import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createShutdown, type Step } from '../../src/ops/shutdown.js';

function started(steps: readonly Step[], deadlineMs = 5_000) {
  const signals = new EventEmitter();
  const logged: { step?: string; msg: string }[] = [];
  const note = (fields: { step?: string }, msg: string) => void logged.push({ ...fields, msg });
  const exits: number[] = [];
  const ended = new Promise<number>((resolve) => {
    const exit = (code: number) => {
      exits.push(code);
      resolve(code);
    };
    const log = { info: note, error: note, fatal: note };
    createShutdown({ steps, deadlineMs, log, exit, signals });
  });
  return { signals, logged, exits, ended };
}

const never = () => new Promise<void>(() => undefined);

describe('a node that is told to stop', () => {
  test.each(['SIGTERM', 'SIGINT'])('takes its steps in order and ends with 0 (%s)', async (signal) => {
    const order: string[] = [];
    const step = (name: string): Step => ({
      name,
      async run() {
        order.push(`${name} begins`);
        await Promise.resolve();
        order.push(`${name} ends`);
      },
    });
    const { signals, ended, logged } = started([step('drain'), step('close')]);
    signals.emit(signal);
    expect(await ended).toBe(0);
    expect(order).toEqual(['drain begins', 'drain ends', 'close begins', 'close ends']);
    expect(logged.map(({ step }) => step).filter(Boolean)).toEqual(['drain', 'close']);
  });

  test('tells each step how much time is left', async () => {
    const left: number[] = [];
    const { signals, ended } = started([{ name: 'drain', run: (ms) => void left.push(ms) }], 1_000);
    signals.emit('SIGTERM');
    await ended;
    expect(left[0]).toBeGreaterThan(900);
    expect(left[0]).toBeLessThanOrEqual(1_000);
  });

  test('goes on after a step that failed, and ends with 1', async () => {
    let isClosed = false;
    const { signals, ended, logged } = started([
      {
        name: 'drain',
        run() {
          throw new Error('broken');
        },
      },
      { name: 'flush', run: () => Promise.reject(new Error('away')) },
      {
        name: 'close',
        run() {
          isClosed = true;
        },
      },
    ]);
    signals.emit('SIGTERM');
    expect(await ended).toBe(1);
    expect(isClosed).toBe(true);
    expect(logged.filter(({ msg }) => msg === 'shutdown step failed').map(({ step }) => step)).toEqual([
      'drain',
      'flush',
    ]);
  });

  test('ends with 1 when the deadline passes, and names the step that hung', async () => {
    const { signals, ended, logged } = started([{ name: 'drain', run: never }], 30);
    signals.emit('SIGTERM');
    expect(await ended).toBe(1);
    expect(logged).toContainEqual(expect.objectContaining({ step: 'drain', msg: 'shutdown deadline passed' }));
  });

  test('ends at once at a second signal', () => {
    const { signals, exits } = started([{ name: 'drain', run: never }]);
    signals.emit('SIGTERM');
    expect(exits).toEqual([]);
    signals.emit('SIGTERM');
    expect(exits).toEqual([1]);
  });

  test('takes the copy of Ctrl-C that npm passes on for what it is', () => {
    const { signals, exits } = started([{ name: 'drain', run: never }]);
    signals.emit('SIGINT');
    signals.emit('SIGINT');
    expect(exits).toEqual([]);
    signals.emit('SIGTERM');
    expect(exits).toEqual([1]);
  });
});

describe('an exception that nobody caught', () => {
  test.each(['uncaughtException', 'unhandledRejection'])('ends the node in order, with 1 (%s)', async (event) => {
    let isClosed = false;
    const close = {
      name: 'close',
      run() {
        isClosed = true;
      },
    };
    const { signals, ended } = started([close]);
    signals.emit(event, new Error('a bug'));
    expect(await ended).toBe(1);
    expect(isClosed).toBe(true);
  });

  test('during a shutdown makes its code 1 and does not begin another', async () => {
    let runs = 0;
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { signals, ended, exits } = started([
      {
        name: 'drain',
        run() {
          runs++;
          return gate;
        },
      },
    ]);
    signals.emit('SIGTERM');
    signals.emit('uncaughtException', new Error('a bug'));
    release();
    expect(await ended).toBe(1);
    expect([runs, exits]).toEqual([1, [1]]);
  });
});

describe('a real process', () => {
  const directory = mkdtempSync(join(tmpdir(), 'skein-shutdown-'));
  afterAll(() => rmSync(directory, { recursive: true }));
  beforeAll(async () => {
    await build({
      configFile: false,
      logLevel: 'error',
      build: {
        ssr: fileURLToPath(new URL('shutdown.child.ts', import.meta.url)),
        outDir: directory,
        emptyOutDir: true,
        rolldownOptions: { output: { entryFileNames: 'child.mjs' } },
      },
    });
  });

  async function child(mode: 'quick' | 'hangs'): Promise<ChildProcess> {
    const process = spawn(globalThis.process.execPath, [join(directory, 'child.mjs'), mode], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(createInterface({ input: process.stdout }), 'line');
    return process;
  }

  test.each(['SIGTERM', 'SIGINT'] as const)(
    'ends with 0 on %s, though it has work that would keep it',
    async (signal) => {
      const process = await child('quick');
      process.kill(signal);
      expect(await once(process, 'exit')).toEqual([0, null]);
    },
  );

  test('ends with 1 at a second signal while a step hangs', async () => {
    const process = await child('hangs');
    const ended = once(process, 'exit');
    process.kill('SIGINT');
    process.kill('SIGTERM');
    expect(await ended).toEqual([1, null]);
  });
});
