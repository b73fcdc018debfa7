/** The Redis backend: one of many nodes that share a store. */
import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Meter } from '../chat/meter.js';
import type { Backend, Health, Listener, Log, NodeId, Presence, Rooms, Whispers } from '../chat/ports.js';
import type { StoreLimits } from '../chat/store-limits.js';
import type { Conv } from '../protocol/index.js';
import { type Address, parseAddress, readAuthority } from './address.js';
import { RedisAmendments } from './amendments.js';
import { constantsOf } from './append.js';
import { RedisBans } from './bans.js';
import { RedisBlocks } from './blocks.js';
import { bounded, Link, type LinkOptions, type Logger } from './connect.js';
import { RedisConversations } from './conversations.js';
import { RedisDevices } from './devices.js';
import { RedisErasure } from './erasure.js';
import { Hints } from './hints.js';
import { type Durability, inspect } from './inspect.js';
import { type Keys, keysOf, rootOf } from './keys.js';
import { RedisLog } from './log.js';
import { RedisPresence } from './presence.js';
import { Pulse } from './pulse.js';
import { Restoration } from './restoration.js';
import { Ring } from './ring.js';
import { RedisRooms } from './rooms.js';
import { Scripts } from './scripts.js';
import { Store } from './store.js';
import { Subscriptions } from './subscriptions.js';
import { RedisWhispers } from './whispers.js';
import { RedisWords } from './words.js';

export type RedisBackendOptions = {
  /** See parseAddress. */
  readonly url: string;
  /** Path of the certificate of the authority that Redis's own comes from; default: those that Node.js knows. */
  readonly caFile?: string | undefined;
  /** Begins every key and channel; default `sk`. Letters, digits, `_`, `-` and `.`. */
  readonly prefix?: string | undefined;
  readonly limits: StoreLimits;
  readonly meter: Meter;
  readonly log: Logger;
  /** How safe a stored message is to be; default `safe`. See docs/guarantees.md. */
  readonly durability?: Durability | undefined;
  /** Bytes of what this node keeps to put back after a failover; default 64 MB, 0: nothing. */
  readonly ringBytes?: number | undefined;
  /** Start even though Redis may evict messages. */
  readonly allowWeak?: boolean | undefined;
  /** Milliseconds that `start` waits for Redis; default 10,000. */
  readonly startMs?: number | undefined;
};

const START_MS = 10_000;
const RING_BYTES = 64 * 1_048_576;
/** Milliseconds that leaving may take. */
const LEAVE_MS = 5_000;

/** Throws, with a message for the operator, where the URL or the prefix is out of form. Connects in `start`. */
export function createRedisBackend(options: RedisBackendOptions): Backend {
  return new RedisBackend(options);
}

class RedisBackend implements Backend {
  readonly kind = 'redis';
  readonly log: Log;
  readonly devices: RedisDevices;
  readonly presence: Presence;
  readonly rooms: Rooms;
  readonly whispers: Whispers;
  readonly amendments: Backend['amendments'];
  readonly bans: Backend['bans'];
  readonly blocks: Backend['blocks'];
  readonly conversations: Backend['conversations'];
  readonly erasure: Backend['erasure'];
  readonly words: Backend['words'];
  readonly #options: RedisBackendOptions;
  readonly #address: Address;
  readonly #keys: Keys;
  readonly #scripts: Scripts;
  readonly #store: Store;
  readonly #restoration: Restoration;
  readonly #sends: Link;
  readonly #commands: Link;
  #hints: Hints | undefined;
  #subscriptions: Subscriptions | undefined;
  #subscriber: Link | undefined;
  #pulse: Pulse | undefined;
  #weak: readonly string[] = [];

  constructor(options: RedisBackendOptions) {
    const { prefix = 'sk', limits, meter, log } = options;
    if (!/^[A-Za-z0-9_.-]{1,32}$/.test(prefix)) throw new Error(`not a key prefix: ${prefix}`);
    this.#options = options;
    this.#address = parseAddress(options.url, options.caFile && readAuthority(options.caFile));
    this.#keys = keysOf(rootOf(prefix));
    this.#scripts = new Scripts(rootOf(prefix), constantsOf(limits));
    const load = (client: Redis) => this.#scripts.load(client);
    this.#sends = this.#link('sends', { prepare: load, join: (client) => this.#restoration.join(client) });
    this.#commands = this.#link('commands', { prepare: load, join: (client) => this.#restoration.wait(client) });
    const ring = new Ring(options.ringBytes ?? RING_BYTES, meter);
    const parts = { root: rootOf(prefix), keys: this.#keys, scripts: this.#scripts, limits, meter, log, ring };
    const links = { sends: this.#sends, commands: this.#commands };
    this.#store = new Store({ ...parts, ...links, strict: options.durability === 'strict' });
    this.#restoration = new Restoration(this.#store, this.#scripts, ring);
    this.log = new RedisLog(this.#store);
    this.devices = new RedisDevices(this.#store);
    this.presence = new RedisPresence(this.#store);
    this.rooms = new RedisRooms(this.#store, () => this.#hints as Hints);
    this.whispers = new RedisWhispers(this.#store);
    const bans = new RedisBans(this.#store);
    this.bans = bans;
    this.amendments = new RedisAmendments(this.#store);
    this.blocks = new RedisBlocks(this.#store);
    this.conversations = new RedisConversations(this.#store);
    this.erasure = new RedisErasure(this.#store, { log: this.log, rooms: this.rooms, bans });
    this.words = new RedisWords(this.#store);
  }

  async start(node: NodeId, listener: Listener): Promise<void> {
    this.#store.node = node;
    try {
      await this.#connect();
      await this.#listen(listener);
    } catch (error) {
      await this.#disconnect();
      throw error;
    }
  }

  async follow(conv: Conv): Promise<void> {
    await this.#subscriptions?.follow(conv);
  }

  unfollow(conv: Conv): void {
    this.#subscriptions?.unfollow(conv);
  }

  async secret(): Promise<string> {
    const key = this.#keys.secret();
    return this.#commands.call('secret', async (client) => {
      const own = randomBytes(32).toString('hex');
      return (await client.get(key)) ?? (await client.set(key, own, 'NX', 'GET')) ?? own;
    });
  }

  health(): Health {
    const canaryAge = this.#pulse?.canaryAge() ?? 0;
    this.#options.meter.cell('skein_pubsub_canary_age_seconds').value = canaryAge;
    const complaints = [...(this.#pulse?.complaints() ?? ['not started'])];
    if (this.#sends.upFor() === 0 || this.#commands.upFor() === 0) complaints.push('not connected to Redis');
    return { ready: complaints.length === 0, canaryAge, reasons: [...complaints, ...this.#weak] };
  }

  async close(): Promise<void> {
    try {
      await bounded(this.#leave(), LEAVE_MS);
    } catch (error) {
      // The others bury this node when its lease has run out.
      this.#options.log.warn({ reason: (error as Error).message }, 'could not leave Redis clean');
    }
    await this.#disconnect();
  }

  /** Whoever left by themselves has done so before all that is left is removed. */
  async #leave(): Promise<void> {
    await this.devices.settled();
    await this.#pulse?.stop();
  }

  async #connect(): Promise<void> {
    const within = this.#options.startMs ?? START_MS;
    try {
      await Promise.all([this.#commands.open(within), this.#sends.open(within)]);
    } catch (error) {
      throw new Error(`cannot use Redis at ${this.#address.shown}: ${(error as Error).message}`, { cause: error });
    }
    const unfit = await this.#inspect();
    if (unfit.length === 0 || this.#options.allowWeak) return;
    throw new Error(`Redis at ${this.#address.shown} is unfit: ${unfit.join('; ')}`);
  }

  /** Notes and tells what is weak, and returns why this Redis must not be used. */
  async #inspect(): Promise<readonly string[]> {
    const { unfit, weak } = await this.#commands.call('inspect', (client) =>
      inspect(client, this.#keys, this.#options.durability),
    );
    const reasons = [...unfit.map((reason) => `weak: ${reason}`), ...weak];
    const news = reasons.filter((reason) => !this.#weak.includes(reason));
    for (const reason of news) this.#options.log.warn({ redis: this.#address.shown }, reason);
    this.#weak = reasons;
    return unfit;
  }

  /** Another Redis may have taken over, with other settings. A node that serves goes on, and says what is weak. */
  #returned(): void {
    if (this.#pulse === undefined) return;
    this.#pulse.beat();
    this.#inspect().catch((error: Error) =>
      this.#options.log.warn({ reason: error.message }, 'could not look at the settings of Redis'),
    );
  }

  async #listen(listener: Listener): Promise<void> {
    const hints = new Hints(this.#store, listener);
    const subscriptions = new Subscriptions(this.#store, hints, listener, this.log);
    let isFirst = true;
    const subscriber = this.#link('subscriptions', {
      prepare: (client) => subscriptions.prepare(client),
      onUp() {
        if (!isFirst) hints.lost();
        isFirst = false;
      },
    });
    subscriptions.use(subscriber);
    this.#hints = hints;
    this.#subscriptions = subscriptions;
    this.#subscriber = subscriber;
    await subscriber.open(this.#options.startMs ?? START_MS);
    const pulse = new Pulse(this.#store, hints, subscriptions, subscriber, listener);
    await pulse.start();
    this.#pulse = pulse;
  }

  #link(name: LinkOptions['name'], how: Pick<LinkOptions, 'prepare' | 'join' | 'onUp'>): Link {
    const { meter, log } = this.#options;
    const isCommands = name === 'commands';
    return new Link({
      name,
      redis: { ...this.#address.options, connectionName: `skein-${name}` },
      meter,
      log,
      ...how,
      onUp: () => (isCommands ? this.#returned() : how.onUp?.()),
      onDown: () => (isCommands ? this.#pulse?.away() : undefined),
    });
  }

  async #disconnect(): Promise<void> {
    await Promise.all([this.#sends.close(), this.#commands.close(), this.#subscriber?.close()]);
  }
}
