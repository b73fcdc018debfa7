/** What this node is subscribed to: its own channel, and the feeds that it follows. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { type Listener, type Log, Unavailable } from '../chat/ports.js';
import type { Conv } from '../protocol/index.js';
import type { Link } from './connect.js';
import type { Hints } from './hints.js';
import { newest } from './log.js';
import type { Store } from './store.js';

type Follow = {
  readonly conv: Conv;
  count: number;
  /** The highest seq that came; undefined until the first look. */
  hinted: number | undefined;
  /** The head at the last look, if it was ahead of what came. */
  ahead: number | undefined;
};

const CHUNK = 500;
/** How long a follow waits for the subscriber to be connected again. */
const PATIENCE_MS = 1_500;
/** Looks that it takes at most to compare every followed feed with its head once; one that was behind is in every look. */
const ROUNDS = 3;
/** Feeds that one look compares anyway. */
const FEEDS_A_LOOK = 128;

export class Subscriptions {
  readonly #store: Store;
  readonly #hints: Hints;
  readonly #listener: Listener;
  readonly #log: Log;
  /** By channel. */
  readonly #follows = new Map<string, Follow>();
  #round = 0;
  #link: Link | undefined;

  constructor(store: Store, hints: Hints, listener: Listener, log: Log) {
    this.#store = store;
    this.#hints = hints;
    this.#listener = listener;
    this.#log = log;
  }

  /** Subscribes a new connection to all that is wanted, and waits for it to be so. */
  async prepare(client: Redis): Promise<void> {
    const own = this.#store.keys.to(this.#store.node);
    const words = this.#store.keys.words();
    this.#hints.restart();
    client.on('message', (channel, payload) => {
      if (channel === own) this.#hints.hearNode(payload);
      else if (channel === words) this.#hints.hearWord(payload);
      else this.#hear(channel, payload);
    });
    const channels = [own, words, ...this.#follows.keys()];
    for (let i = 0; i < channels.length; i += CHUNK) await client.subscribe(...channels.slice(i, i + CHUNK));
  }

  use(link: Link): void {
    this.#link = link;
  }

  async follow(conv: Conv): Promise<void> {
    const channel = this.#store.keys.feed(conv);
    const follow = this.#follows.get(channel) ?? { conv, count: 0, hinted: undefined, ahead: undefined };
    follow.count++;
    this.#follows.set(channel, follow);
    try {
      await this.#subscribe(channel);
    } catch (error) {
      this.unfollow(conv);
      throw error;
    }
  }

  unfollow(conv: Conv): void {
    const channel = this.#store.keys.feed(conv);
    const follow = this.#follows.get(channel);
    if (follow === undefined || --follow.count > 0) return;
    this.#follows.delete(channel);
    if (!this.#link?.upFor()) return;
    this.#link
      .call('unsubscribe', (client) => client.unsubscribe(channel))
      .catch((error: Error) => this.#store.log.warn({ reason: error.message }, 'could not unsubscribe from a feed'));
  }

  /** Compares some of the followed feeds with their heads; one that stays behind gets its newest entry as a hint. */
  async look(): Promise<void> {
    const rounds = Math.min(ROUNDS, Math.ceil(this.#follows.size / FEEDS_A_LOOK));
    this.#round = (this.#round + 1) % ROUNDS;
    const some = [...this.#follows.values()].filter(
      ({ ahead }, index) => index % rounds === this.#round % rounds || ahead !== undefined,
    );
    const heads = await this.#log.heads(some.map(({ conv }) => conv));
    for (const [index, follow] of some.entries()) await this.#compare(follow, heads[index] as number);
  }

  async #compare(follow: Follow, head: number): Promise<void> {
    follow.hinted ??= head;
    if (head <= follow.hinted) {
      follow.ahead = undefined;
      return;
    }
    const wasAhead = follow.ahead !== undefined && follow.hinted < follow.ahead;
    follow.ahead = head;
    if (!wasAhead) return;
    const item = await newest(this.#log, follow.conv, head);
    follow.hinted = Math.max(follow.hinted, head);
    follow.ahead = undefined;
    if (item !== undefined) this.#listener.onFeed(follow.conv, item, 0);
  }

  #hear(channel: string, payload: string): void {
    const follow = this.#follows.get(channel);
    if (follow === undefined) return;
    const last = this.#hints.hearFeed(follow.conv, payload, this.#store.node);
    if (last !== undefined && last > (follow.hinted ?? 0)) follow.hinted = last;
  }

  /** Subscribing again is harmless, and right: a reconnect may have happened in between. */
  async #subscribe(channel: string): Promise<void> {
    const link = this.#link;
    if (link === undefined) throw new Unavailable('not started');
    const deadline = performance.now() + PATIENCE_MS;
    while (link.upFor() === 0 && performance.now() < deadline) await delay(20);
    await link.call('subscribe', (client) => client.subscribe(channel));
  }
}
