/** One node of a run, always on the same port, and its own way to Redis. */
import { get } from 'node:http';
import { residentBytesOf } from '../../rig/cost.js';
import { type Environment, type Exit, Program } from '../../rig/programs.js';
import { ROOT } from '../../rig/root.js';
import type { RemoteProxy } from '../remote-proxy.js';
import { PATCHES, type Patch } from '../unsafe/patch.js';

export const MAIN = `${ROOT}dist/main.js`;
const UNSAFE = new URL('../unsafe/register.js', import.meta.url).href;
const DRAIN_SECONDS = 4;
const HEALTH_MS = 1_000;
const STARTS_MAX = 3;

export class ChaosNode {
  private program: Program | undefined;
  /** Whether its end is wanted. */
  private isCondemned = false;
  /** Resident bytes when it was first ready. */
  memoryAtStart = 0;
  starts = 0;
  /** What it said when it ended by itself after it had been ready. */
  readonly crashes: string[] = [];

  constructor(
    readonly number: number,
    readonly port: number,
    readonly link: RemoteProxy,
    private readonly env: Environment,
    private readonly patches: readonly Patch[],
  ) {}

  get name(): string {
    return `node ${this.number}`;
  }

  /**
   * Starts it and waits until it is ready for traffic. A node that gives up while Redis is away is started again, as
   * whatever keeps services running does.
   */
  async start(): Promise<void> {
    for (let time = 1; ; time++) {
      try {
        return await this.launch();
      } catch (error) {
        if (time === STARTS_MAX) throw error;
        if (this.isAlive) await this.kill();
      }
    }
  }

  private async launch(): Promise<void> {
    this.isCondemned = false;
    this.starts++;
    const unsafe = this.patches.length === 0 ? [] : ['--import', UNSAFE];
    const program = Program.start(this.name, process.execPath, [...unsafe, MAIN], {
      ...(this.patches.length === 0 ? {} : { [PATCHES]: JSON.stringify(this.patches) }),
      ...{ REDIS_URL: this.link.url, SKEIN_PORT: `${this.port}`, SKEIN_METRICS_PORT: '0' },
      ...{ SKEIN_NODE_ID: `chaos-${this.number}`, SKEIN_DRAIN_SECONDS: `${DRAIN_SECONDS}`, ...this.env },
    });
    this.program = program;
    await program.until(async () => ((await this.isReady()) ? true : undefined));
    program.ended.then(() => {
      if (!this.isCondemned && this.program === program) this.crashes.push(program.obituary);
    });
    if (this.memoryAtStart === 0) this.memoryAtStart = this.memory;
  }

  kill(): Promise<Exit> {
    this.isCondemned = true;
    return this.running.stop('SIGKILL');
  }

  /** SIGTERM; it leaves by itself. */
  async leave(): Promise<Exit> {
    this.isCondemned = true;
    return this.running.stop('SIGTERM');
  }

  freezes(): void {
    this.running.signal('SIGSTOP');
  }

  thaws(): void {
    this.program?.signal('SIGCONT');
  }

  get isAlive(): boolean {
    return this.program?.isAlive ?? false;
  }

  get lastWords(): string {
    return this.program?.obituary ?? '';
  }

  /** Resident bytes now; 0 where it does not run. */
  get memory(): number {
    return this.isAlive ? residentBytesOf(this.running.pid) : 0;
  }

  isReady(): Promise<boolean> {
    return new Promise((resolve) => {
      const asked = get({ host: '127.0.0.1', port: this.port, path: '/readyz', agent: false, timeout: HEALTH_MS });
      asked.on('response', (answer) => {
        answer.resume();
        resolve(answer.statusCode === 200);
      });
      asked.on('timeout', () => asked.destroy());
      // It does not listen (yet): not ready.
      asked.on('error', () => resolve(false));
    });
  }

  private get running(): Program {
    if (this.program === undefined) throw new Error(`${this.name} was not started`);
    return this.program;
  }
}
