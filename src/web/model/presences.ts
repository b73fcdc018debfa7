/** Who is online, of those whom the page shows. */
import { signal } from '@preact/signals';
import type { Client, Events } from '../../client/index.js';

/** The protocol bounds it at 500. */
const WATCHED_MAX = 200;

export type Presence = Events['presence'];

export class Presences {
  readonly all = signal<ReadonlyMap<string, Presence>>(new Map());
  readonly #client: Client;
  readonly #watched = new Set<string>();

  constructor(client: Client) {
    this.#client = client;
    client.on('presence', (presence) => this.#set([presence]));
  }

  of(uid: string | undefined): Presence | undefined {
    return uid === undefined ? undefined : this.all.value.get(uid);
  }

  watch(uids: readonly (string | undefined)[]): void {
    const fresh = uids.filter((uid) => uid !== undefined).filter((uid) => !this.#watched.has(uid));
    if (fresh.length === 0 || this.#watched.size + fresh.length > WATCHED_MAX) return;
    for (const uid of fresh) this.#watched.add(uid);
    this.#client.watch(fresh).then(
      (presences) => this.#set(presences),
      // A transport without presence: it is asked again on the next one.
      () => {
        for (const uid of fresh) this.#watched.delete(uid);
      },
    );
  }

  #set(presences: readonly Presence[]): void {
    this.all.value = new Map([...this.all.peek(), ...presences.map((one) => [one.uid, one] as const)]);
  }
}
