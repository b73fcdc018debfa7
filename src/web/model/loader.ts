/** Brings what a conversation held before the page came to it: pages of its log, and single messages of it. */
import { batch, type ReadonlySignal, signal } from '@preact/signals';
import { type Client, SkeinError } from '../../client/index.js';
import type { Chat } from './chat.js';
import { type Message, messageIn } from './message.js';
import { attempt } from './note.js';

const PAGE = 200;
/** Pages that are loaded at most to come to a message. */
const PAGES_MAX = 50;
/** What says that another try may go better. */
const PASSING: ReadonlySet<string> = new Set(['timeout', 'closed', 'unavailable', 'rate_limited', 'internal']);

export class Loader {
  readonly #client: Client;
  readonly #keep: (chat: Chat) => void;

  constructor(client: Client, keep: (chat: Chat) => void) {
    this.#client = client;
    this.#keep = keep;
  }

  /** Rejects with a SkeinError. */
  async newest(chat: Chat): Promise<void> {
    const { messages, more } = await this.#client.history(chat.place.conv);
    batch(() => chat.loadNewest(messages, more));
    this.#keep(chat);
  }

  /** The page before what is here. False if there is none, or it could not be had. */
  older(chat: Chat): Promise<boolean> {
    chat.loading ??= this.#older(chat).finally(() => {
      chat.loading = undefined;
    });
    return chat.loading;
  }

  /** Goes back until a place, or as far as is reasonable. */
  async backTo(chat: Chat, isThere: () => boolean): Promise<void> {
    for (let page = 0; page < PAGES_MAX && !isThere(); page++) if (!(await this.older(chat))) return;
  }

  /** A message that another one answers, here or not; null: it is gone, undefined: it is on its way. */
  lookUp(chat: Chat, seq: number): Message | null | undefined {
    const here = chat.at(seq);
    if (here) return here;
    const known = chat.elsewhere.get(seq);
    if (known) return known.value;
    const found = signal<Message | null | undefined>(undefined);
    chat.elsewhere.set(seq, found);
    void this.#find(chat, seq).then(
      (message) => {
        found.value = message;
      },
      (error: unknown) => {
        if (error instanceof SkeinError && PASSING.has(error.code)) chat.elsewhere.delete(seq);
        else found.value = null;
      },
    );
    return (found as ReadonlySignal<undefined>).value;
  }

  async #older(chat: Chat): Promise<boolean> {
    const { oldest } = chat;
    if (!chat.hasOlder.peek() || oldest === undefined) return false;
    return attempt(async () => {
      const { messages, more } = await this.#client.history(chat.place.conv, { before: oldest, limit: PAGE });
      // What it goes before may have gone meanwhile, for being apart from the newest.
      if (chat.oldest === oldest) batch(() => chat.loadOlder(messages, more));
    });
  }

  async #find(chat: Chat, seq: number): Promise<Message | null> {
    if (seq < 1 || !Number.isSafeInteger(seq + 1)) return null;
    const { messages } = await this.#client.history(chat.place.conv, { before: seq + 1, limit: 1 });
    const frame = messages.find((one) => one.seq === seq);
    return (frame && messageIn(frame)) ?? null;
  }
}
