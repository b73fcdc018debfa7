/** The list of conversations as the server has it: how much of each is unread, and how groups are called. */
import { batch } from '@preact/signals';
import type { Client } from '../../client/index.js';
import type { Conv, ConversationSummary } from '../../protocol/index.js';
import type { Chat } from './chat.js';
import type { Chats } from './chats.js';
import type { Groups } from './groups.js';

/** Conversations that are asked for at a time, and in all. */
const [PAGE, MOST] = [200, 1_000];

export class Listing {
  readonly #client: Client;
  readonly #groups: Groups;
  readonly #chats: Chats;

  constructor(client: Client, groups: Groups, chats: Chats) {
    this.#client = client;
    this.#groups = groups;
    this.#chats = chats;
  }

  /** Takes the list over. Returns the groups that are not on it any more: this user is no longer in them. */
  async load(): Promise<readonly Conv[]> {
    const before = this.#chats.inOrder.peek();
    const { summaries, isWhole } = await this.#ask();
    batch(() => {
      for (const summary of summaries) {
        const chat = this.#chats.of(summary.conv);
        if (chat === undefined) continue;
        chat.summarise(summary);
        this.#chats.keep(chat);
        // What was read in the last moment before a reload did not get through.
        if (chat.read > summary.read) this.#client.read(summary.conv, Math.min(chat.read, summary.head));
      }
    });
    const listed = new Set<string>(summaries.map(({ conv }) => conv));
    const groups = before.filter(({ kind, place }) => kind === 'group' && !listed.has(place.conv));
    return isWhole ? groups.map(({ place }) => place.conv) : [];
  }

  /** Names the groups that have no name yet. */
  async nameAll(): Promise<void> {
    for (const chat of this.#chats.inOrder.peek()) if (chat.name.peek() === undefined) await this.name(chat);
  }

  async name(chat: Chat): Promise<void> {
    if (chat.place.kind !== 'room') return;
    const { room } = chat.place;
    try {
      chat.name.value = await this.#groups.nameOf(room);
    } catch {
      chat.name.value ??= room; // no longer a member, or offline: its id will do
    }
    this.#chats.keep(chat);
  }

  async #ask(): Promise<{ readonly summaries: readonly ConversationSummary[]; readonly isWhole: boolean }> {
    const summaries: ConversationSummary[] = [];
    for (let before: number | undefined; ; before = summaries.at(-1)?.at) {
      const page = await this.#client.conversations({ limit: PAGE, ...(before !== undefined && { before }) });
      summaries.push(...page.conversations);
      const isOver = page.conversations.length === 0 || summaries.at(-1)?.at === undefined;
      if (!page.more || isOver || summaries.length >= MOST) return { summaries, isWhole: !page.more };
    }
  }
}
