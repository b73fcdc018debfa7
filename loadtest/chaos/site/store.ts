/** The Redis of a run: killed and started again on its own data. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { type Environment, freePort, Program } from '../../rig/programs.js';

export type StoreSettings = {
  readonly appendonly: 'yes' | 'no';
  readonly appendfsync: 'always' | 'everysec';
  /** A library that the program is started with, in front of all others. */
  readonly preload?: string | undefined;
};

export const DURABLE: StoreSettings = { appendonly: 'yes', appendfsync: 'always' };

/** Milliseconds that one question may take; a stopped Redis answers none. */
const ANSWER_MS = 2_000;

export class Store {
  private program: Program | undefined;
  private readonly directory = mkdtempSync(join(tmpdir(), 'skein-chaos-'));

  private constructor(
    readonly port: number,
    private readonly settings: StoreSettings,
  ) {
    process.once('exit', () => rmSync(this.directory, { recursive: true, force: true }));
  }

  static async start(settings: StoreSettings): Promise<Store> {
    const store = new Store(await freePort(), settings);
    await store.starts();
    return store;
  }

  async starts(): Promise<void> {
    this.mends();
    const { appendonly, appendfsync, preload } = this.settings;
    const env: Environment = preload === undefined ? {} : { LD_PRELOAD: preload };
    const program = Program.start(
      'redis',
      'redis-server',
      [
        ...['--port', `${this.port}`, '--bind', '127.0.0.1', '--dir', this.directory, '--save', ''],
        ...['--appendonly', appendonly, '--appendfsync', appendfsync, '--maxmemory-policy', 'noeviction'],
        ...['--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1'],
      ],
      env,
    );
    this.program = program;
    await program.until(async () => ((await this.answers()) ? true : undefined));
  }

  async kills(): Promise<void> {
    await this.running.stop('SIGKILL');
  }

  freezes(): void {
    this.running.signal('SIGSTOP');
  }

  thaws(): void {
    this.running.signal('SIGCONT');
  }

  /** Copies from the Redis at a port, and has everything when this resolves. */
  async follows(port: number): Promise<void> {
    await this.asks((client) => client.replicaof('127.0.0.1', port));
    const isLevel = (client: Redis): Promise<boolean> =>
      client.info('replication').then((info) => /^master_link_status:up/m.test(info));
    await this.running.until(async () => ((await this.asks(isLevel)) ? true : undefined));
  }

  /** Copies from nobody any more, and takes writes. */
  async leads(): Promise<void> {
    await this.asks((client) => client.replicaof('NO', 'ONE'));
  }

  get isAlive(): boolean {
    return this.program?.isAlive ?? false;
  }

  get pid(): number {
    return this.running.pid;
  }

  get obituary(): string {
    return this.running.obituary;
  }

  /** Runs work on a connection of its own. Rejects where Redis does not answer in time. */
  async asks<T>(work: (client: Redis) => Promise<T>): Promise<T> {
    const client = new Redis(this.port, '127.0.0.1', {
      ...{ lazyConnect: true, retryStrategy: () => null, commandTimeout: ANSWER_MS, connectTimeout: ANSWER_MS },
    });
    // Whoever asks hears of it by the answer.
    client.on('error', () => undefined);
    try {
      await client.connect();
      return await work(client);
    } finally {
      client.disconnect();
    }
  }

  async stops(): Promise<void> {
    await this.program?.stop('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  }

  /**
   * As whoever runs Redis should (docs/operations.md): of a transaction that its death cut off in the file it leaves a
   * half, and at the start after that takes it for the beginning of the next one.
   */
  private mends(): void {
    const manifest = join(this.directory, 'appendonlydir', 'appendonly.aof.manifest');
    if (existsSync(manifest)) spawnSync('redis-check-aof', ['--fix', manifest], { input: 'y\n' });
  }

  private get running(): Program {
    if (this.program === undefined) throw new Error('Redis was not started');
    return this.program;
  }

  private async answers(): Promise<boolean> {
    try {
      return (await this.asks((client) => client.ping())) === 'PONG';
    } catch (error) {
      // It is not up yet, or loads its data; whoever waits for it sees its end and its last words.
      return !(error instanceof Error);
    }
  }
}
