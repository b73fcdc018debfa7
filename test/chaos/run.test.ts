import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { installed } from '../../loadtest/rig/installed.js';
import { until } from '../support/until.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const balancer = ['haproxy', 'nginx'].find((name) => installed(name) !== undefined);

beforeAll(() => {
  const { status, stdout } = spawnSync('node_modules/.bin/tsc', ['-p', 'tsconfig.loadtest.json'], { cwd: root });
  if (status !== 0) throw new Error(`loadtest does not compile: ${stdout}`);
});

class Chaos {
  printed = '';
  readonly ended: Promise<number | null>;
  readonly child: ChildProcess;

  constructor(...args: string[]) {
    this.child = spawn(process.execPath, ['dist-loadtest/chaos.js', ...args], { cwd: root });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.on('data', (bytes) => {
        this.printed += bytes;
      });
    this.ended = new Promise((resolve) => this.child.once('close', resolve));
  }

  /** Process ids of what it started, and what these started. */
  get family(): readonly number[] {
    return descendantsOf(this.child.pid!);
  }
}

function descendantsOf(pid: number): number[] {
  const path = `/proc/${pid}/task/${pid}/children`;
  if (!existsSync(path)) return [];
  const children = readFileSync(path, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  return [...children, ...children.flatMap(descendantsOf)];
}

let chaos: Chaos | undefined;
afterEach(() => void chaos?.child.kill('SIGINT'));

test('what cannot be understood is answered with what is wrong, and 2', async () => {
  for (const args of [
    ['--fautls', 'kill-node'],
    ['--faults', 'kill-nodes'],
    ['--minutes', 'many'],
    ['--users', '3'],
  ]) {
    chaos = new Chaos(...args);
    expect(await chaos.ended).toBe(2);
    expect(chaos.printed).toMatch(/--\w+/);
  }
});

// What it cannot start without it says in a line, and ends; there is nothing to try then.
describe.each(balancer === undefined ? [] : [balancer])('behind %s', () => {
  test.each(['SIGINT', 'SIGKILL'] as const)(
    'ended by %s it leaves nothing behind',
    async (signal) => {
      chaos = new Chaos('--minutes', '1', '--users', '16', '--rate', '20', '--faults', 'freeze-node,freeze-redis');
      const running = chaos;
      await until(() => /stands still/.test(running.printed), 'the first fault', 30_000);
      const family = running.family;
      expect(family.length).toBeGreaterThanOrEqual(6);
      running.child.kill(signal);
      expect(await running.ended).not.toBe(0);
      await until(() => family.every((pid) => !existsSync(`/proc/${pid}`)), 'everything to be gone');
    },
    60_000,
  );

  test('for a minute everything is broken at random, and nothing is lost, doubled or reordered', async () => {
    chaos = new Chaos('--minutes', '1', '--users', '24', '--rate', '80', '--storm', '300');
    const code = await chaos.ended;
    console.log(`chaos with ${/^seed \d+/m.exec(chaos.printed)?.[0]} behind ${balancer}`);
    // The whole story, where it has no happy end.
    expect(code === 0 ? '' : chaos.printed).toBe('');
    expect(chaos.printed).toContain('# Chaos: nothing violated');
  }, 240_000);
});
