/** Bans: one hash, read again only when its revision is another one, since every node asks for all of it regularly. */
import type { Ban, Bans } from '../chat/social-ports.js';
import type { DeviceId, Uid } from '../protocol/index.js';
import type { Store } from './store.js';

const BANS_MAX = 100_000;
const AT_ONCE = 1_000;
const REVISION = 'revision';
const NONE: readonly Ban[] = [];

export class RedisBans implements Bans {
  readonly #store: Store;
  #known: { readonly revision: string; readonly bans: readonly Ban[] } | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  async all(): Promise<readonly Ban[]> {
    const key = this.#store.keys.bans();
    // Asked for first: what changes while the bans are read is read again the next time.
    const revision = await this.#store.commands.call('bans', (client) => client.hget(key, REVISION));
    if (revision === null) return NONE;
    if (this.#known?.revision !== revision) this.#known = { revision, bans: (await this.#fields()).map(banOf) };
    return this.#known.bans;
  }

  async set(ban: Ban, on: boolean): Promise<boolean> {
    const field = fieldOf(ban);
    const at = (await this.#store.run('ban', [field, on ? 1 : 0, BANS_MAX])) as number;
    if (at > 0) this.#store.ring.sanctioned(at, ['ban', field, '', on]);
    return at > 0;
  }

  /** Ends every ban of a user. */
  async forget(uid: Uid): Promise<void> {
    const theirs = (await this.#fields()).filter((field) => banOf(field).uid === uid);
    for (const field of theirs) await this.set(banOf(field), false);
  }

  async #fields(): Promise<readonly string[]> {
    const key = this.#store.keys.bans();
    const fields = new Set<string>();
    let cursor = '0';
    do {
      const from = cursor;
      const [next, flat] = await this.#store.commands.call('bans', (client) =>
        client.hscan(key, from, 'COUNT', AT_ONCE),
      );
      for (let i = 0; i < flat.length; i += 2) fields.add(flat[i] as string);
      cursor = next;
    } while (cursor !== '0');
    fields.delete(REVISION);
    return [...fields];
  }
}

const fieldOf = ({ uid, device, tokenId }: Ban): string => JSON.stringify([uid, device ?? null, tokenId ?? null]);

function banOf(field: string): Ban {
  const [uid, device, tokenId] = JSON.parse(field) as [Uid, DeviceId | null, string | null];
  return { uid, ...(device !== null && { device }), ...(tokenId !== null && { tokenId }) };
}
