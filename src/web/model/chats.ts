/** All conversations that the page knows, and what it keeps of them. */
import { computed, signal } from '@preact/signals';
import { type Conv, parseConv, type Uid } from '../../protocol/index.js';
import { Chat } from './chat.js';
import type { Keeper } from './keeper.js';

export class Chats {
  readonly #me: Uid;
  readonly #keeper: Keeper;
  readonly #all = signal<ReadonlyMap<string, Chat>>(new Map());
  /** The one that was spoken in last comes first. */
  readonly inOrder = computed(() =>
    [...this.#all.value.values()].sort((a, b) => (b.last.value?.ts ?? 0) - (a.last.value?.ts ?? 0)),
  );
  readonly unread = computed(() => this.inOrder.value.reduce((sum, { unread }) => sum + unread.value, 0));

  constructor(me: Uid, keeper: Keeper) {
    this.#me = me;
    this.#keeper = keeper;
  }

  /** One that is here; undefined if it is not. */
  known(conv: string | undefined): Chat | undefined {
    return conv === undefined ? undefined : this.#all.peek().get(conv);
  }

  /** A conversation by its name, new or not; undefined if that names none. */
  of(conv: string): Chat | undefined {
    const known = this.known(conv);
    if (known) return known;
    const place = parseConv(conv);
    if (place === undefined) return undefined;
    const chat = new Chat(place, this.#me);
    this.#all.value = new Map(this.#all.peek()).set(conv, chat);
    return chat;
  }

  keep(chat: Chat): void {
    if (this.known(chat.place.conv) === chat) this.#keeper.keep(chat);
  }

  /** It is over for this user: nothing of it stays. */
  drop(conv: Conv): void {
    const chats = new Map(this.#all.peek());
    const gone = chats.get(conv);
    if (gone) this.#keeper.forget(gone);
    chats.delete(conv);
    this.#all.value = chats;
  }
}
