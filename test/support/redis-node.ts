/** Redis backends as tests make them: quiet, counted, and with a prefix of their own. */
import type { Cell, Meter } from '../../src/chat/meter.js';
import type { Backend, Listener } from '../../src/chat/ports.js';
import type { StoreLimits } from '../../src/chat/store-limits.js';
import { createRedisBackend, type RedisBackendOptions } from '../../src/redis/backend.js';
import { Recorder } from './recorder.js';
import type { RedisServer } from './redis.js';

export const LIMITS: StoreLimits = {
  pendingMessages: 10_000,
  pendingBytes: 4_194_304,
  strangerMessages: 1_000,
  strangers: 1_000,
  conversations: 1_000_000,
  retentionMessages: 1_000,
  retentionMs: 3_600_000,
  dedupMs: 600_000,
  devices: 32,
  deviceMs: 3_600_000,
};

/** What a node counted, and what it said in its log. */
export class Notes implements Meter {
  readonly cells = new Map<string, Cell>();
  readonly observed = new Map<string, number>();
  readonly said: string[] = [];

  cell(name: Parameters<Meter['cell']>[0], label = ''): Cell {
    const key = label === '' ? name : `${name} ${label}`;
    const cell = this.cells.get(key) ?? { value: 0 };
    this.cells.set(key, cell);
    return cell;
  }

  /** Counts the observations. */
  observe(name: Parameters<Meter['observe']>[0], _value: number, label = ''): void {
    const key = `${name} ${label}`;
    this.observed.set(key, (this.observed.get(key) ?? 0) + 1);
  }

  readonly log = {
    info: (_: object, message: string): unknown => this.said.push(message),
    warn: (_: object, message: string): unknown => this.said.push(message),
    error: (_: object, message: string): unknown => this.said.push(message),
  };
}

let made = 0;

/** A prefix that no other test of this run has, so that all share a server. */
const newPrefix = (): string => `t${process.pid}-${++made}`;

/** Several nodes on one server, under one prefix. */
export class RedisNodes {
  readonly prefix = newPrefix();
  readonly #open = new Set<Backend>();
  #nodes = 0;

  constructor(
    readonly server: RedisServer,
    readonly options: Partial<RedisBackendOptions> = {},
  ) {}

  make(notes = new Notes(), url?: string): Backend {
    return createRedisBackend({
      url: this.server.url,
      prefix: this.prefix,
      limits: LIMITS,
      meter: notes,
      log: notes.log,
      ...this.options,
      ...(url !== undefined && { url }),
    });
  }

  async node(listener: Listener = new Recorder(), notes = new Notes(), url?: string): Promise<Backend> {
    const backend = this.make(notes, url);
    this.#open.add(backend);
    await backend.start(`node-${++this.#nodes}`, listener);
    return backend;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map((backend) => backend.close()));
    this.#open.clear();
  }
}
