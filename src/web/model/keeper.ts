/** Keeps conversations for the next start, a little after they changed. */
import { Cache } from './cache.js';
import type { Chat, Kept } from './chat.js';

const SAVE_MS = 500;

/** Without storage the page works; only its next start is slower. So a failure is told once, and no more. */
export class Keeper {
  readonly #cache: Cache;
  readonly #dirty = new Set<Chat>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #problem: unknown;

  constructor(place: string) {
    this.#cache = new Cache(place);
    addEventListener('pagehide', () => this.#save());
  }

  /** Why nothing is kept; undefined if all is well. */
  get problem(): unknown {
    return this.#problem;
  }

  async load(): Promise<readonly Kept[]> {
    try {
      return await this.#cache.load();
    } catch (error) {
      this.#problem = error;
      return [];
    }
  }

  keep(chat: Chat): void {
    this.#dirty.add(chat);
    this.#timer ??= setTimeout(() => this.#save(), SAVE_MS);
  }

  forget(chat: Chat): void {
    this.#dirty.delete(chat);
    this.#cache.forget(chat.place.conv).catch((error: unknown) => this.#fail(error));
  }

  /** Ends it; `isForgotten`: nothing that was said stays in this browser. */
  async close(isForgotten: boolean): Promise<void> {
    clearTimeout(this.#timer);
    if (isForgotten) this.#dirty.clear();
    else this.#save();
    if (isForgotten) await this.#cache.destroy().catch((error: unknown) => this.#fail(error));
  }

  #save(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const kept = [...this.#dirty].map((chat) => chat.kept);
    this.#dirty.clear();
    if (kept.length > 0) this.#cache.save(kept).catch((error: unknown) => this.#fail(error));
  }

  #fail(error: unknown): void {
    this.#problem = error;
  }
}
