/** Programs that the rig starts: none is left behind, however the rig ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { guard, release } from './guardian.js';

export type Environment = Readonly<Record<string, string>>;

export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

const STOP_MS = 15_000;
const alive = new Set<ChildProcess>();
// Every turn of a comparison adds what it must clear up.
process.setMaxListeners(0);
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

export class Program {
  /** The last lines that it printed, for whoever must find out why it ended. */
  private readonly tail: string[] = [];
  private readonly listeners = new Set<(line: string) => void>();
  readonly ended: Promise<Exit>;
  private exit: Exit | undefined;

  private constructor(
    readonly name: string,
    private readonly child: ChildProcess,
  ) {
    alive.add(child);
    const { pid } = child;
    if (pid !== undefined) guard(pid);
    for (const stream of [child.stdout, child.stderr])
      if (stream) createInterface({ input: stream }).on('line', (line) => this.hear(line));
    this.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.exit = { code, signal };
        alive.delete(child);
        if (pid !== undefined) release(pid);
        resolve(this.exit);
      });
    });
  }

  static start(name: string, command: string, args: readonly string[], env: Environment = {}): Program {
    const { PATH = '', HOME = '' } = process.env;
    const child = spawn(command, args, { env: { PATH, HOME, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    child.once('error', (error) => process.stderr.write(`${name}: ${error.message}\n`));
    return new Program(name, child);
  }

  get pid(): number {
    if (this.child.pid === undefined || !this.isAlive) throw new Error(this.obituary);
    return this.child.pid;
  }

  get isAlive(): boolean {
    return this.exit === undefined;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Resolves when `check` does with anything but undefined. Rejects if the program ends first, or after 20 s. */
  async until<T>(check: () => Promise<T | undefined>): Promise<T> {
    const end = performance.now() + 20_000;
    for (;;) {
      if (!this.isAlive || performance.now() > end) throw new Error(this.obituary);
      const found = await check();
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Resolves with the first match in what it prints from now on. */
  printed(pattern: RegExp): Promise<RegExpExecArray> {
    let found = this.tail.map((line) => pattern.exec(line)).find((match) => match !== null);
    this.listeners.add((line) => {
      found ??= pattern.exec(line) ?? undefined;
    });
    return this.until(async () => found ?? undefined);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> {
    this.child.kill(signal);
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS);
    const exit = await this.ended;
    clearTimeout(timer);
    return exit;
  }

  /** What became of it, and its last words. */
  get obituary(): string {
    return `${this.name} ${this.isAlive ? 'does not answer' : 'ended'}; it said:\n${this.tail.join('\n')}`;
  }

  private hear(line: string): void {
    this.tail.push(line);
    if (this.tail.length > 50) this.tail.shift();
    for (const listener of this.listeners) listener(line);
  }
}

/** Below those that systems give to outgoing connections: whoever is started again on its port still finds it free. */
const PORTS = { first: 12_000, count: 20_000 };

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  for (let time = 0; time < 100; time++) {
    const port = PORTS.first + Math.floor(Math.random() * PORTS.count);
    if (await isFree(port)) return port;
  }
  throw new Error('no port is free');
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
