import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { http } from './http.js';
import { until } from './until.js';

/** No claim: a machine that has other work takes its time to load a program. */
const START_MS = 45_000;
const root = fileURLToPath(new URL('../..', import.meta.url));
/** `TESTED_MAIN` points the stories at another build, an older version for instance. */
const main = process.env.TESTED_MAIN ?? `${root}dist/main.js`;

export type Environment = Readonly<Record<string, string>>;

export interface LogLine {
  readonly level?: number | string;
  readonly msg?: string;
  readonly port?: number;
  readonly metricsPort?: number;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const children = new Set<ChildProcess>();

function killAll(): void {
  for (const child of children) child.kill('SIGKILL');
}

// A test process that ends in any way must not leave nodes behind: they would hold ports and CPU of the next run.
process.on('exit', killAll);
for (const signal of ['SIGTERM', 'SIGINT', 'disconnect'] as const) {
  process.once(signal as NodeJS.Signals, () => {
    killAll();
    if (signal !== 'disconnect') process.kill(process.pid, signal);
  });
}

/** A program under test: what it printed, and how it ended. */
export class Program {
  readonly logs: LogLine[] = [];
  /** Everything printed on stdout and stderr, line by line. */
  readonly printed: string[] = [];
  readonly exited: Promise<Exit>;
  private exit: Exit | undefined;
  private wasSignalled = false;
  private readonly child: ChildProcess;

  constructor(env: Environment, program = main) {
    if (!existsSync(program)) throw new Error(`${program} is missing: run npm run build first`);
    this.child = spawn(process.execPath, [program], {
      env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.add(this.child);
    for (const stream of [this.child.stdout, this.child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', (line) => this.note(line));
    }
    this.exited = new Promise((resolve) => {
      this.child.once('close', (code, signal) => {
        children.delete(this.child);
        this.exit = { code, signal };
        resolve(this.exit);
      });
    });
  }

  get isAlive(): boolean {
    return this.exit === undefined;
  }

  /** It ended, and no test had told it to. */
  get hasCrashed(): boolean {
    return !this.isAlive && !this.wasSignalled;
  }

  signal(signal: NodeJS.Signals): void {
    this.wasSignalled = true;
    this.child.kill(signal);
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<Exit> {
    this.signal(signal);
    return this.exited;
  }

  private note(line: string): void {
    this.printed.push(line);
    if (!line.startsWith('{')) return;
    try {
      this.logs.push(JSON.parse(line) as LogLine);
    } catch {
      this.printed.push('(the line above is not JSON)');
    }
  }
}

/** A node that listens: its addresses, and the process behind them. */
export class NodeProcess {
  readonly url: string;
  readonly metricsUrl: string;

  constructor(
    readonly program: Program,
    readonly port: number,
    readonly metricsPort: number,
  ) {
    this.url = `http://127.0.0.1:${port}`;
    this.metricsUrl = `http://127.0.0.1:${metricsPort}`;
  }

  get isAlive(): boolean {
    return this.program.isAlive;
  }

  get hasCrashed(): boolean {
    return this.program.hasCrashed;
  }

  wsUrl(query: Readonly<Record<string, string>> = {}): string {
    const text = new URLSearchParams(query).toString();
    return `ws://127.0.0.1:${this.port}/ws${text === '' ? '' : `?${text}`}`;
  }

  kill(signal?: NodeJS.Signals): Promise<Exit> {
    return this.program.kill(signal);
  }
}

/** Starts `node dist/main.js`, or another build of it, on free ports and waits until it is ready for traffic. */
export async function startNode(env: Environment = {}, build?: string): Promise<NodeProcess> {
  const program = new Program({ SKEIN_PORT: '0', SKEIN_METRICS_PORT: '0', ...env }, build);
  try {
    return await ready(program);
  } catch (error) {
    program.signal('SIGKILL');
    throw new Error(`no node: ${error}; it printed:\n${program.printed.join('\n')}`, { cause: error });
  }
}

async function ready(program: Program): Promise<NodeProcess> {
  const listening = await until(
    () => {
      if (!program.isAlive) throw new Error('the node ended before it listened');
      return program.logs.find((line) => line.msg === 'listening');
    },
    'a "listening" line of the node',
    START_MS,
  );
  if (!listening.port || !listening.metricsPort) {
    throw new Error(`no port and metricsPort in ${JSON.stringify(listening)}`);
  }
  const node = new NodeProcess(program, listening.port, listening.metricsPort);
  await until(async () => (await http(`${node.metricsUrl}/readyz`)).status === 200, 'the node to be ready', START_MS);
  return node;
}

/** Starts the program where it is expected to end by itself, and waits for that. */
export async function runToExit(env: Environment): Promise<Exit & { readonly printed: string }> {
  const program = new Program({ SKEIN_PORT: '0', SKEIN_METRICS_PORT: '0', ...env });
  try {
    await until(() => !program.isAlive, 'the program to end by itself', START_MS);
  } finally {
    program.signal('SIGKILL');
  }
  return { ...(await program.exited), printed: program.printed.join('\n') };
}
