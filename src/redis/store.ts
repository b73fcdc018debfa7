/** What all ports share: the connections, the scripts, the limits, and who this node is. */
import type { Redis } from 'ioredis';
import type { Meter } from '../chat/meter.js';
import { type NodeId, Unavailable } from '../chat/ports.js';
import type { StoreLimits } from '../chat/store-limits.js';
import type { Link, Logger } from './connect.js';
import type { Keys } from './keys.js';
import type { Ring } from './ring.js';
import type { Argument, Reply, ScriptName, Scripts } from './scripts.js';

/** How long a node counts as living after it said so. */
export const LEASE_MS = 9_000;
const PROBE_MS = 60_000;

export type StoreParts = {
  /** What every key begins with. */
  readonly root: string;
  readonly keys: Keys;
  readonly scripts: Scripts;
  readonly limits: StoreLimits;
  readonly meter: Meter;
  readonly log: Logger;
  /** Stores messages and nothing else, so that a storm of reads can't time it out. */
  readonly sends: Link;
  readonly commands: Link;
  readonly ring: Ring;
  /** Nothing counts as stored before a replica has it, too. */
  readonly strict: boolean;
};

/** How long a replica has to say that it has a batch. */
const REPLICA_MS = 1_000;

export class Store {
  node: NodeId = '';
  readonly root: string;
  readonly keys: Keys;
  readonly limits: StoreLimits;
  readonly meter: Meter;
  readonly log: Logger;
  readonly commands: Link;
  readonly ring: Ring;
  readonly #strict: boolean;
  readonly #scripts: Scripts;
  readonly #sends: Link;

  constructor(parts: StoreParts) {
    this.root = parts.root;
    this.keys = parts.keys;
    this.limits = parts.limits;
    this.meter = parts.meter;
    this.log = parts.log;
    this.commands = parts.commands;
    this.ring = parts.ring;
    this.#strict = parts.strict;
    this.#scripts = parts.scripts;
    this.#sends = parts.sends;
  }

  /**
   * Runs a script that stores messages. `keep` takes its reply, which is before a replica has confirmed it: what was
   * hinted has been seen, whatever the sender is told.
   */
  send<T extends Reply>(name: ScriptName, args: readonly Argument[], keep: (reply: T) => void): Promise<T> {
    return this.#sends.call(name, (client) => {
      const storing = this.#scripts.evaluate(client, name, args).then((reply) => {
        keep(reply as T);
        return reply as T;
      });
      return this.#strict ? this.#confirmed(client, storing) : storing;
    });
  }

  /** Writes as messages are written: refused where they would be. */
  async probe(): Promise<void> {
    await this.#sends.call('probe', (client) => client.set(this.keys.probe(), this.node, 'PX', PROBE_MS));
  }

  /** Runs any other script. */
  run(name: ScriptName, args: readonly Argument[]): Promise<Reply> {
    return this.#scripts.run(this.commands, name, args);
  }

  /** One of a batch came upon a broken key: counted as a failed call of its own. */
  broken(name: ScriptName, why: string): Unavailable {
    this.meter.cell('skein_redis_errors_total', name).value++;
    return new Unavailable(`${name}: ${why}`);
  }

  countForwards(sent: number, unheard: number): void {
    this.meter.cell('skein_forwards_total').value += sent;
    this.meter.cell('skein_forwards_wasted_total').value += unheard;
  }

  /** The question to the replicas leaves right behind the batch, in the same write. */
  async #confirmed<T>(client: Redis, storing: Promise<T>): Promise<T> {
    const { loads } = this.#scripts;
    const [stored, asked] = await Promise.allSettled([storing, this.#replicas(client)]);
    if (stored.status === 'rejected') throw stored.reason;
    if (asked.status === 'rejected') throw asked.reason;
    // A script that had to be loaded first ran behind the question.
    const count = this.#scripts.loads === loads ? asked.value : await this.#replicas(client);
    if (count < 1) throw new Error(`no replica confirmed it within ${REPLICA_MS} ms`);
    return stored.value;
  }

  /**
   * How many replicas have everything that this connection wrote. It writes itself: a batch of repetitions does not,
   * and WAIT would not wait for what another connection stored.
   */
  async #replicas(client: Redis): Promise<number> {
    const fence = client.set(this.keys.fence(), this.node);
    const [, count] = await Promise.all([fence, client.wait(1, REPLICA_MS)]);
    return count;
  }
}
