/** A node's heartbeat in the store: lease, canary, lost hints, and the burial of nodes that have none any more. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Listener, NodeId } from '../chat/ports.js';
import type { Uid } from '../protocol/index.js';
import type { Link } from './connect.js';
import type { Hints } from './hints.js';
import { LEASE_MS, type Store } from './store.js';
import type { Subscriptions } from './subscriptions.js';

const BEAT_MS = 1_000;
/** Beats between two looks for dead nodes. */
const SWEEP_BEATS = 3;
/** Beats without an echo after which the subscriber is built anew. */
const DEAF_BEATS = 3;
/** Seconds of silence after which a node is not ready. */
const SILENCE = 4;
const BURY_AT_ONCE = 100;

export class Pulse {
  readonly #store: Store;
  readonly #hints: Hints;
  readonly #subscriptions: Subscriptions;
  readonly #subscriber: Link;
  readonly #listener: Listener;
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #beats = 0;
  #unechoed = 0;
  #lastBeat = performance.now();
  #lastEcho = performance.now();
  #lastProbe = performance.now();
  #refusal = '';
  #wasAway = false;

  constructor(store: Store, hints: Hints, subscriptions: Subscriptions, subscriber: Link, listener: Listener) {
    this.#store = store;
    this.#hints = hints;
    this.#subscriptions = subscriptions;
    this.#subscriber = subscriber;
    this.#listener = listener;
    hints.onCanary = () => this.#heard();
  }

  /** The first beat; rejects if it fails. */
  async start(): Promise<void> {
    await this.#beat();
    this.#timer = setInterval(() => this.beat(), BEAT_MS);
  }

  /** Beats now, unless it is just doing so. */
  beat(): void {
    if (this.#running !== undefined || this.#stop.signal.aborted) return;
    this.#running = this.#beat()
      .then(() => this.#subscriptions.look())
      .catch((error: Error) => {
        this.#refusal = error.message;
        this.#store.log.warn({ reason: error.message }, 'missed a heartbeat to Redis');
      })
      .finally(() => {
        this.#running = undefined;
      });
  }

  /** The command connection was lost: when it is back, presence is put back too. */
  away(): void {
    this.#wasAway = true;
  }

  canaryAge(): number {
    return (performance.now() - this.#lastEcho) / 1_000;
  }

  /** Why the node is not ready. */
  complaints(): readonly string[] {
    const reasons: string[] = [];
    const silence = (performance.now() - Math.min(this.#lastBeat, this.#lastProbe)) / 1_000;
    if (silence > SILENCE) reasons.push(`Redis took no write for ${Math.round(silence)} s: ${this.#refusal}`);
    if (this.canaryAge() > SILENCE) reasons.push(`no pub/sub echo for ${Math.round(this.canaryAge())} s`);
    return reasons;
  }

  /** Stops beating and removes what this node has in the store. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#stop.abort();
    await this.#running;
    await this.#bury(this.#store.node, true);
  }

  async #beat(): Promise<void> {
    if (this.#unechoed >= DEAF_BEATS && this.#subscriber.upFor() > DEAF_BEATS * BEAT_MS) {
      this.#unechoed = 0;
      this.#subscriber.rebuild('no echo of the canary');
    }
    void this.#probe();
    // Whoever was away can't know whether others were: their leases get the time to be renewed.
    const sweeps = this.#beats++ % SWEEP_BEATS === 0 && this.#store.commands.upFor() > LEASE_MS;
    const reply = await this.#store.run('beat', [this.#store.node, LEASE_MS, sweeps ? 1 : 0]);
    const [ts, held, count, replicas, dead] = reply as [number, number, number, number, NodeId[]];
    this.#lastBeat = performance.now();
    this.#unechoed++;
    this.#store.ring.copied(replicas);
    this.#store.ring.advance(ts);
    this.#hints.compare(count, ts);
    if (this.#beats > 1 && (held === 0 || this.#wasAway)) {
      this.#wasAway = false;
      this.#listener.onReturn();
    }
    for (const node of dead) await this.#bury(node, false);
  }

  /** The beat itself gets through to a full Redis, as log-ins do; messages don't. */
  async #probe(): Promise<void> {
    try {
      await this.#store.probe();
      this.#lastProbe = performance.now();
    } catch (error) {
      this.#refusal = (error as Error).message;
    }
  }

  async #bury(node: NodeId, isAlive: boolean): Promise<void> {
    let left = 1;
    let buried = 0;
    while (left > 0) {
      const args = [node, BURY_AT_ONCE, this.#store.limits.deviceMs, isAlive ? 1 : 0];
      const [some, gone = []] = (await this.#store.run('bury', args)) as [number, Uid[]?];
      left = some;
      if (!isAlive && gone.length > 0) this.#listener.onGone(gone);
      // Between parts, others have their turn.
      if (left > 0) await delay(5);
      buried++;
    }
    if (!isAlive && left === 0) this.#store.log.warn({ dead: node, parts: buried }, 'buried a dead node');
  }

  #heard(): void {
    this.#unechoed = 0;
    this.#lastEcho = performance.now();
  }
}
