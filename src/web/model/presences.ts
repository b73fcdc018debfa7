/** Who is online, of those whom the page shows. */
import { signal } from '@preact/signals';
import type { Client, Events } from '../../client/index.js';

/** The protocol bounds it at 500. */
const WATCHED_MAX = 200;

export type Presence = Events['presence'];

export class Presences {
  readonly all = signal<ReadonlyMap<string, Presence>>(new Map());
  readonly #client: Client;
  /** Whoever was shown last stands last. */
  readonly #watched = new Set<string>();

  constructor(client: Client) {
    this.#client = client;
    client.on('presence', (presence) => this.#set([presence]));
  }

  of(uid: string | undefined): Presence | undefined {
    return uid === undefined ? undefined : this.all.value.get(uid);
  }

  /** Learns about them, now and from now on; beyond the bound, who was shown longest ago is watched no more. */
  watch(uids: readonly (string | undefined)[]): void {
    const wanted = uids.filter((uid) => uid !== undefined).slice(0, WATCHED_MAX);
    const fresh = wanted.filter((uid) => !this.#watched.has(uid));
    for (const uid of wanted) {
      this.#watched.delete(uid);
      this.#watched.add(uid);
    }
    const stale = [...this.#watched].slice(0, Math.max(0, this.#watched.size - WATCHED_MAX));
    for (const uid of stale) this.#watched.delete(uid);
    if (stale.length > 0) this.#client.unwatch(stale);
    if (fresh.length === 0) return;
    this.#client.watch(fresh).then(
      (presences) => this.#set(presences),
      // No line, or no answer: they are asked for again when they are shown again.
      () => {
        for (const uid of fresh) this.#watched.delete(uid);
      },
    );
  }

  #set(presences: readonly Presence[]): void {
    this.all.value = new Map([...this.all.peek(), ...presences.map((one) => [one.uid, one] as const)]);
  }
}
