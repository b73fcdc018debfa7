/** The command line as its users have it: the built program, in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { vi } from 'vitest';
import { until } from '../support/until.js';

const PROGRAM = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const END_MS = 40_000;
// Each command is a process of its own, and some tests need ten of them on a machine that has other work.
vi.setConfig({ testTimeout: 90_000 });

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export type Ended = {
  /** Of the process, or of the signal as a shell would have it. */
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
};

export class Command {
  out = '';
  err = '';
  readonly child: ReturnType<typeof spawn>;
  readonly ended: Promise<Ended>;

  /** Nothing of this process' environment reaches it but PATH. */
  constructor(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.child = spawn(process.execPath, [PROGRAM, ...words], { env: { PATH: process.env.PATH ?? '', ...env } });
    running.add(this.child);
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.out += text;
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.err += text;
    });
    // A command that ended took its input with it.
    this.child.stdin?.on('error', (error) => {
      this.err += `(stdin: ${error.message})`;
    });
    this.ended = new Promise((resolve) => {
      this.child.once('close', (code) => {
        running.delete(this.child);
        resolve({ code, out: this.out, err: this.err });
      });
    });
  }

  type(text: string): void {
    this.child.stdin?.write(text);
  }

  /** Ends its input, and waits until it ends. */
  async end(text = ''): Promise<Ended> {
    this.child.stdin?.end(text);
    return this.over();
  }

  async over(): Promise<Ended> {
    await until(
      () => this.child.exitCode !== null || this.child.signalCode !== null,
      () => `the command to end; it said:\n${this.out}\n${this.err}`,
      END_MS,
    );
    return this.ended;
  }

  shows(text: string | RegExp): Promise<unknown> {
    const isThere = (): boolean => (typeof text === 'string' ? this.out.includes(text) : text.test(this.out));
    return until(isThere, () => `${text} in:\n${this.out}\n${this.err}`, END_MS);
  }

  get lines(): readonly string[] {
    return this.out.split('\n').filter((line) => line !== '');
  }
}

/** Runs a command to its end, with some input. */
export const run = (
  words: readonly string[],
  { input = '', ...env }: Readonly<Record<string, string>> = {},
): Promise<Ended> => new Command(words, env).end(input);
