/** Whom this user blocks: what they write comes without its text, and they learn nothing of it. */
import { signal } from '@preact/signals';
import { parseUid, type Uid } from '../../protocol/index.js';
import type { Api } from './api.js';

export class Blocks {
  readonly all = signal<ReadonlySet<Uid>>(new Set());
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  /** Learns them from the server. Rejects with a Refusal, as the others do. */
  async load(): Promise<void> {
    const { blocks } = (await this.#api.ask('GET', ['blocks'])) as { readonly blocks?: unknown };
    const uids = Array.isArray(blocks) ? blocks.map(parseUid) : [];
    this.all.value = new Set(uids.filter((uid) => uid !== undefined));
  }

  async block(uid: Uid): Promise<void> {
    await this.#api.ask('PUT', ['blocks', uid]);
    this.all.value = new Set(this.all.peek()).add(uid);
  }

  async unblock(uid: Uid): Promise<void> {
    await this.#api.ask('DELETE', ['blocks', uid]);
    this.all.value = new Set([...this.all.peek()].filter((one) => one !== uid));
  }
}
