/** What all ports share: the connections, the scripts, the limits, and who this node is. */
import type { Meter } from '../chat/meter.js';
import { type NodeId, type StoreLimits, Unavailable } from '../chat/ports.js';
import type { Link, Logger } from './connect.js';
import type { Keys } from './keys.js';
import type { Argument, Reply, ScriptName, Scripts } from './scripts.js';

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
};

export class Store {
  node: NodeId = '';
  readonly root: string;
  readonly keys: Keys;
  readonly limits: StoreLimits;
  readonly meter: Meter;
  readonly log: Logger;
  readonly commands: Link;
  readonly #scripts: Scripts;
  readonly #sends: Link;

  constructor(parts: StoreParts) {
    this.root = parts.root;
    this.keys = parts.keys;
    this.limits = parts.limits;
    this.meter = parts.meter;
    this.log = parts.log;
    this.commands = parts.commands;
    this.#scripts = parts.scripts;
    this.#sends = parts.sends;
  }

  /** Runs a script that stores messages. */
  send(name: ScriptName, args: readonly Argument[]): Promise<Reply> {
    return this.#scripts.run(this.#sends, name, args);
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
}
