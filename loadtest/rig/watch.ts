/** What all processes of a system cost between two moments. */
import { cpuSecondsOf, residentBytesOf } from './cost.js';
import { type RedisWork, workBetween } from './redis.js';
import { SpeedReadings } from './speed.js';
import type { Running } from './systems.js';

export type ProcessCost = {
  readonly name: string;
  readonly cpuSeconds: number;
  readonly memoryBefore: number;
  readonly memoryAfter: number;
};

export type Watched = {
  readonly seconds: number;
  /** MB of SHA-1 a CPU second, meanwhile. */
  readonly speed: number;
  readonly nodes: readonly ProcessCost[];
  readonly redis: ProcessCost | undefined;
  readonly work: RedisWork | undefined;
};

export class Watch {
  private constructor(
    private readonly running: Running,
    private readonly work: RedisWork | undefined,
    private readonly cpu: ReadonlyMap<number, number>,
    private readonly memory: ReadonlyMap<number, number>,
    private readonly speed: SpeedReadings,
    private readonly began: number,
  ) {}

  static async begin(running: Running): Promise<Watch> {
    const work = await running.redis?.work();
    const speed = new SpeedReadings();
    const pids = programsOf(running).map(({ pid }) => pid);
    const memory = new Map(pids.map((pid) => [pid, residentBytesOf(pid)]));
    const cpu = new Map(pids.map((pid) => [pid, cpuSecondsOf(pid)]));
    return new Watch(running, work, cpu, memory, speed, performance.now());
  }

  async end(): Promise<Watched> {
    const seconds = (performance.now() - this.began) / 1_000;
    const { nodes, redis } = this.running;
    const costs = {
      nodes: nodes.map((program) => this.costOf(program)),
      redis: redis && this.costOf(redis.program),
    };
    const work = redis && this.work && workBetween(this.work, await redis.work());
    return { seconds, speed: this.speed.stop(), ...costs, work };
  }

  private costOf({ name, pid }: { readonly name: string; readonly pid: number }): ProcessCost {
    return {
      name,
      cpuSeconds: cpuSecondsOf(pid) - (this.cpu.get(pid) ?? 0),
      memoryBefore: this.memory.get(pid) ?? 0,
      memoryAfter: residentBytesOf(pid),
    };
  }
}

const programsOf = ({ nodes, redis }: Running) => (redis ? [...nodes, redis.program] : nodes);
