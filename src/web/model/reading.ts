/** What this user reads: what is in sight of the open conversation while somebody looks. */
import type { Client } from '../../client/index.js';
import type { Chat } from './chat.js';
import type { Chats } from './chats.js';
import { isLookedAt } from './notices.js';

export class Reading {
  /**
   * The server has said since the connection began how far this user has read. What was kept may be older than that, and
   * what is shown for it not where this user left off.
   */
  isListed = false;
  readonly #client: Client;
  readonly #chats: Chats;
  #sight: { readonly chat: Chat; readonly seq: number } | undefined;

  constructor(client: Client, chats: Chats) {
    this.#client = client;
    this.#chats = chats;
  }

  /** Up to where a conversation is in sight. */
  sees(chat: Chat, seq: number): void {
    this.#sight = { chat, seq };
  }

  looksAway(): void {
    this.#sight = undefined;
  }

  /** Tells what is in sight, if it is of this conversation; called when that may have changed. */
  mark(open: Chat | undefined, isOnline: boolean): void {
    const { chat, seq } = this.#sight ?? { chat: undefined, seq: 0 };
    if (chat === undefined || chat !== open || (isOnline && !this.isListed) || !isLookedAt()) return;
    if (seq <= chat.read && chat.unread.peek() === 0) return;
    if (seq > chat.read) this.#client.read(chat.place.conv, seq);
    chat.seen(seq);
    this.#chats.keep(chat);
  }
}
