/** A Redis server for a test: a process of its own, on a free port, with a directory of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from '../../loadtest/rig/programs.js';
import { pause, until } from './until.js';

export type RedisSettings = {
  readonly appendonly?: 'yes' | 'no';
  readonly appendfsync?: 'always' | 'everysec' | 'no';
  /** More settings, as in redis.conf: name and value. */
  readonly more?: Readonly<Record<string, string>>;
};

const START_MS = 30_000;
const alive = new Set<ChildProcess>();
// A test process that ends in any way must not leave servers behind.
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

export class RedisServer {
  readonly #settings: RedisSettings;
  readonly #dir = mkdtempSync(join(tmpdir(), 'skein-redis-'));
  readonly port: number;
  #child: ChildProcess | undefined;
  #ended: Promise<unknown> = Promise.resolve();

  private constructor(port: number, settings: RedisSettings) {
    this.port = port;
    this.#settings = settings;
  }

  /** Starts a server: `appendonly` and `appendfsync always` where nothing else is said. */
  static async start(settings: RedisSettings = {}): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), settings);
    await server.restart();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it again, on the same port and with the same data. */
  async restart(): Promise<void> {
    const { appendonly = 'yes', appendfsync = 'always', more = {} } = this.#settings;
    const named = { appendonly, appendfsync, 'maxmemory-policy': 'noeviction', save: '', ...more };
    const settings = Object.entries(named).flatMap(([name, value]) => [`--${name}`, value]);
    const where = ['--port', `${this.port}`, '--bind', '127.0.0.1', '--dir', this.#dir];
    const child = spawn('redis-server', [...where, ...settings], { stdio: 'ignore' });
    alive.add(child);
    this.#child = child;
    this.#ended = new Promise((resolve) => {
      child.once('exit', (code) => {
        alive.delete(child);
        resolve(code);
      });
    });
    await this.#answers();
  }

  /** Ends it as a power failure would. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#ended;
  }

  /** Stops it in the middle of everything, as a hung machine would. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Leaves text at the end of what it appended, as a write does that its death cut off. */
  leaves(text: string): void {
    const directory = join(this.#dir, 'appendonlydir');
    const names = readdirSync(directory).filter((name) => name.includes('.incr.'));
    appendFileSync(join(directory, names.sort().at(-1)!), text);
  }

  /** Takes the directory away under the running server: what it would write there anew fails. */
  losesDirectory(): void {
    rmSync(this.#dir, { recursive: true, force: true });
  }

  /** Gives it back, empty. */
  findsDirectory(): void {
    mkdirSync(this.#dir, { recursive: true });
  }

  /** Ends it and removes its data. */
  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  /** Runs work on a client of its own. */
  async ask<T>(work: (client: Redis) => Promise<T>): Promise<T> {
    const client = new Redis(this.port, '127.0.0.1', { lazyConnect: true, retryStrategy: () => null });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return await work(client);
    } finally {
      client.disconnect();
    }
  }

  async #answers(): Promise<void> {
    const answer = () => this.ask((client) => client.ping()).catch(() => pause(20));
    await until(async () => (await answer()) === 'PONG', 'Redis to answer', START_MS);
  }
}
