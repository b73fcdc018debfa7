/** A Redis of a run's own, and what it says of its work. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort, Program } from './programs.js';

export const AOF = ['no', 'everysec', 'always'] as const;
export type Aof = (typeof AOF)[number];

export type RedisWork = {
  /** Calls of each command, and the microseconds that Redis counted for them. */
  readonly commands: ReadonlyMap<string, { readonly calls: number; readonly micros: number }>;
  readonly bytesIn: number;
  readonly bytesOut: number;
};

export class RedisProgram {
  private constructor(
    readonly program: Program,
    readonly url: string,
    private readonly directory: string,
    private readonly client: Redis,
  ) {}

  static async start(aof: Aof): Promise<RedisProgram> {
    const port = await freePort();
    const directory = mkdtempSync(join(tmpdir(), 'skein-load-'));
    process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
    const durability = aof === 'no' ? ['--appendonly', 'no'] : ['--appendonly', 'yes', '--appendfsync', aof];
    const program = Program.start('redis', 'redis-server', [
      ...['--port', `${port}`, '--bind', '127.0.0.1', '--dir', directory, '--save', '', ...durability],
      ...['--maxmemory-policy', 'noeviction', '--maxclients', '10000'],
    ]);
    const client = new Redis(port, '127.0.0.1', { lazyConnect: true, retryStrategy: () => 20 });
    client.on('error', () => undefined);
    await program.until(async () => ((await answers(client)) ? true : undefined));
    return new RedisProgram(program, `redis://127.0.0.1:${port}`, directory, client);
  }

  async work(): Promise<RedisWork> {
    const [commands, stats] = await Promise.all([this.client.info('commandstats'), this.client.info('stats')]);
    return workIn(commands, stats);
  }

  async stop(): Promise<void> {
    this.client.disconnect();
    await this.program.stop('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  }
}

async function answers(client: Redis): Promise<boolean> {
  try {
    if (client.status === 'wait' || client.status === 'end') await client.connect();
    return (await client.ping()) === 'PONG';
  } catch (error) {
    // It is not up yet; whoever waits for it sees its end and its last words.
    return !(error instanceof Error);
  }
}

export function workIn(commandstats: string, stats: string): RedisWork {
  const commands = new Map<string, { calls: number; micros: number }>();
  for (const [, name, calls, micros] of commandstats.matchAll(/^cmdstat_([^:]+):calls=(\d+),usec=(\d+)/gm))
    commands.set(name as string, { calls: Number(calls), micros: Number(micros) });
  const number = (field: string): number => Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(stats)?.[1] ?? 0);
  return { commands, bytesIn: number('total_net_input_bytes'), bytesOut: number('total_net_output_bytes') };
}

/** What was done between two readings. */
export function workBetween(before: RedisWork, after: RedisWork): RedisWork {
  const commands = new Map<string, { calls: number; micros: number }>();
  for (const [name, { calls, micros }] of after.commands) {
    const earlier = before.commands.get(name) ?? { calls: 0, micros: 0 };
    if (calls > earlier.calls) commands.set(name, { calls: calls - earlier.calls, micros: micros - earlier.micros });
  }
  return { commands, bytesIn: after.bytesIn - before.bytesIn, bytesOut: after.bytesOut - before.bytesOut };
}
