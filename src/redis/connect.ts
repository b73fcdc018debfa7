/**
 * A connection to Redis that is kept up. Each try is a new ioredis client that never reconnects by itself: a command
 * of a dead connection can so never be sent again, or late, on the next one; ioredis' own resending, offline queue
 * and reconnecting have no part in it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Redis, type RedisOptions } from 'ioredis';
import { Gate } from '../chat/gate.js';
import type { Cell, Meter } from '../chat/meter.js';
import { Unavailable } from '../chat/ports.js';

export interface Logger {
  info(object: object, message: string): void;
  warn(object: object, message: string): void;
  error(object: object, message: string): void;
}

export type LinkOptions = {
  /** For the log and the metrics. */
  readonly name: 'sends' | 'commands' | 'subscriptions';
  readonly redis: RedisOptions;
  readonly meter: Meter;
  readonly log: Logger;
  /** What must be done on a new connection before it is used; a rejection ends it, and it is tried again. */
  readonly prepare: (client: Redis) => Promise<void>;
  /** What comes after that and may take longer; it bounds its own steps. */
  readonly join?: (client: Redis) => Promise<void>;
  readonly onUp?: () => void;
  readonly onDown?: () => void;
};

const CONNECT_MS = 2_000;
const PREPARE_MS = 3_000;
/** A write that took longer counts as failed, and its connection ends, so that no later write can overtake it. */
const CALL_MS = 1_500;
/** Calls under way at once; further ones wait in order, so long and so many as they may, and are refused then. */
const CALLS_AT_ONCE = 256;
const WAIT_MS = CALL_MS;
const WAITING_MAX = 10_000;
/** The heartbeat waits for nobody: a node that is only busy must not be taken for dead. */
const URGENT = 'beat';
const RETRY_FIRST_MS = 20;
/** Short: after a failover the nodes wait for each other. */
const RETRY_MAX_MS = 500;

/** Replies after which the connection leads to the wrong place, or to one that isn't ready. */
const WRONG_PLACE = /^(READONLY|LOADING|MASTERDOWN|NOAUTH)\b/;

export class Link {
  readonly #options: LinkOptions;
  readonly #closing = new AbortController();
  readonly #gate = new Gate(CALLS_AT_ONCE);
  readonly #calls: Cell;
  #client: Redis | undefined;
  #upSince = 0;
  #ups = 0;
  #lastError = new Error('not connected yet');
  #kept: Promise<void> | undefined;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#calls = options.meter.cell('skein_redis_calls', options.name);
  }

  /** Milliseconds for which the connection has been up; 0 if it isn't. */
  upFor(): number {
    return this.#client === undefined ? 0 : performance.now() - this.#upSince;
  }

  /** Milliseconds since the connection came back; infinite if it never was away. */
  backFor(): number {
    return this.#ups > 1 ? performance.now() - this.#upSince : Number.POSITIVE_INFINITY;
  }

  /** Connects and keeps connecting. Resolves at the first success; rejects when there was none in time, or no login. */
  async open(timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    this.#kept = this.#keep();
    while (this.#client === undefined && !this.#closing.signal.aborted) {
      if (/^(WRONGPASS|NOAUTH|NOPERM)\b/.test(this.#lastError.message)) throw this.#lastError;
      if (performance.now() > deadline) throw this.#lastError;
      await delay(10);
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    if (this.#client !== undefined) end(this.#client);
    await this.#kept;
  }

  /** Ends the present connection; a new one follows. */
  rebuild(reason: string): void {
    if (this.#client !== undefined) this.#drop(this.#client, new Error(reason));
  }

  /**
   * Runs work on the connection, in its turn. Rejects with Unavailable at once while it is down, else within WAIT_MS and
   * CALL_MS. `op` is the label in the metrics.
   */
  call<T>(op: string, work: (client: Redis) => Promise<T>): Promise<T> {
    if (op === URGENT) return this.#call(op, work);
    if (this.#gate.waiting >= WAITING_MAX) return Promise.reject(this.#failed(op, 'too much waits for Redis'));
    const begun = performance.now();
    this.#calls.value++;
    return this.#gate
      .run(() => {
        if (performance.now() - begun > WAIT_MS) throw this.#failed(op, 'Redis is too slow');
        return this.#call(op, work);
      })
      .finally(() => {
        this.#calls.value--;
      });
  }

  async #call<T>(op: string, work: (client: Redis) => Promise<T>): Promise<T> {
    const client = this.#client;
    if (client === undefined) throw this.#failed(op, `Redis is away: ${this.#lastError.message}`);
    const begun = performance.now();
    try {
      return await bounded(work(client), CALL_MS, () => this.#drop(client, new Error(`${op} timed out`)));
    } catch (error) {
      const cause = asError(error);
      if (WRONG_PLACE.test(cause.message)) this.#drop(client, cause);
      throw this.#failed(op, cause.message, cause);
    } finally {
      this.#options.meter.observe('skein_redis_command_seconds', (performance.now() - begun) / 1_000, op);
    }
  }

  #failed(op: string, reason: string, cause?: Error): Unavailable {
    this.#options.meter.cell('skein_redis_errors_total', op).value++;
    return new Unavailable(`${op}: ${reason}`, { cause });
  }

  async #keep(): Promise<void> {
    const { signal } = this.#closing;
    let failures = 0;
    while (!signal.aborted) {
      try {
        const { ended } = await this.#connect();
        failures = 0;
        await ended;
      } catch (error) {
        this.#lastError = asError(error);
        if (++failures === 1) this.#say('warn', 'cannot connect to Redis');
      }
      const wait = Math.min(RETRY_FIRST_MS * 2 ** failures, RETRY_MAX_MS) * (0.5 + Math.random() / 2);
      await delay(wait, undefined, { signal }).catch(onlyAbort);
    }
  }

  /** Resolves when connected and prepared; `ended` when that connection is gone. */
  async #connect(): Promise<{ readonly ended: Promise<void> }> {
    const client = new Redis({ ...BASE, ...this.#options.redis });
    // What ioredis rejects with is only that the connection is closed; the reason comes as an event.
    let reason: Error | undefined;
    client.on('error', (error) => {
      reason = error;
    });
    const gone = new Promise<void>((resolve) => client.once('close', resolve));
    const closeNow = () => end(client);
    this.#closing.signal.addEventListener('abort', closeNow, { once: true });
    try {
      await bounded(client.connect(), CONNECT_MS);
      await bounded(this.#options.prepare(client), PREPARE_MS);
      await this.#options.join?.(client);
      if (client.status !== 'ready') throw new Error('the connection ended while it was prepared');
    } catch (error) {
      end(client);
      throw reason ?? asError(error);
    } finally {
      this.#closing.signal.removeEventListener('abort', closeNow);
    }
    this.#up(client);
    return { ended: gone.then(() => this.#drop(client, reason ?? new Error('the connection was closed'))) };
  }

  #up(client: Redis): void {
    this.#client = client;
    this.#upSince = performance.now();
    if (this.#ups++ > 0) {
      this.#options.meter.cell('skein_redis_reconnects_total', this.#options.name).value++;
      this.#options.log.info({ connection: this.#options.name }, 'connected to Redis again');
    }
    this.#options.onUp?.();
  }

  #drop(client: Redis, reason: Error): void {
    // Everybody who waited for it gives it up; it is ended once.
    if (this.#client !== client) return;
    end(client);
    this.#client = undefined;
    this.#lastError = reason;
    if (this.#closing.signal.aborted) return;
    this.#say('warn', 'lost a connection to Redis');
    this.#options.onDown?.();
  }

  #say(level: 'warn', message: string): void {
    this.#options.log[level]({ connection: this.#options.name, reason: this.#lastError.message }, message);
  }
}

const BASE: RedisOptions = {
  lazyConnect: true,
  retryStrategy: () => null,
  sentinelRetryStrategy: () => null,
  enableOfflineQueue: false,
  // INFO loading would wait for up to ten seconds; the preparation's first command says LOADING at once.
  enableReadyCheck: false,
  autoResubscribe: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  connectTimeout: CONNECT_MS,
  // RESP2: hints have a connection of their own anyway, replies are arrays and integers, and every proxy speaks it.
  protocol: 2,
  disableClientInfo: true,
};

/** Destroys rather than closes: what Node still holds of a write must not reach Redis after it was given up. */
function end(client: Redis): void {
  client.disconnect();
  client.stream?.destroy();
}

/**
 * Rejects when work takes too long; what becomes of it then is of no interest any more. A process that was held up itself
 * finds the time over before it reads what came meanwhile; so it reads first, and judges then.
 */
export async function bounded<T>(work: Promise<T>, ms: number, onTimeout?: () => void): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let last: NodeJS.Immediate | undefined;
  const late = new Promise<never>((_, reject) => {
    const giveUp = (): void => {
      onTimeout?.();
      reject(new Error(`no answer from Redis in ${ms} ms`));
    };
    timer = setTimeout(() => {
      last = setImmediate(giveUp);
    }, ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    clearImmediate(last);
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

function onlyAbort(error: unknown): void {
  if (asError(error).name !== 'AbortError') throw error;
}
