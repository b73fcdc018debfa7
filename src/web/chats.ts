/** The conversations that the page knows: what was said in each, and how much of it is unread. */
import type { Conv, ConversationSummary, MessageFrame, Outgoing, Uid } from '../client/index.js';
import { textOf } from './words.js';

export type Chat = {
  readonly conv: string;
  /** By `seq`, as they read now. */
  readonly messages: Map<number, MessageFrame>;
  unread: number;
  newest: number;
  /** What is said last, in short. */
  gist: string;
  isLoaded: boolean;
};

/** Puts changes where they belong: an edited text, a withdrawn message. */
export class Chats {
  readonly #chats = new Map<string, Chat>();
  readonly #me: () => Uid | undefined;

  constructor(me: () => Uid | undefined) {
    this.#me = me;
    this.of('all');
  }

  /** Newest first. */
  get all(): readonly Chat[] {
    return [...this.#chats.values()].sort((a, b) => b.newest - a.newest);
  }

  of(conv: string): Chat {
    const known = this.#chats.get(conv);
    if (known) return known;
    const chat: Chat = { conv, messages: new Map(), unread: 0, newest: 0, gist: '', isLoaded: false };
    this.#chats.set(conv, chat);
    return chat;
  }

  summarise({ conv, unread, last }: ConversationSummary): void {
    const chat = this.of(conv);
    chat.unread = unread;
    if (last && last.ts > chat.newest) this.#headline(chat, last);
  }

  /** A message that arrived. `isSeen`: it is being looked at. */
  receive(message: MessageFrame, isSeen: boolean): void {
    const chat = this.of(message.conv);
    this.#put(chat, message);
    if (message.op === undefined && message.sender !== this.#me() && !isSeen) chat.unread++;
    this.#headline(chat, message);
  }

  /** A page of history. */
  load(conv: Conv | string, messages: readonly MessageFrame[]): void {
    const chat = this.of(conv);
    for (const message of messages) this.#put(chat, message);
    chat.isLoaded = true;
    const last = messages.at(-1);
    if (last && last.ts > chat.newest) this.#headline(chat, last);
  }

  #headline(chat: Chat, message: MessageFrame): void {
    chat.newest = message.ts;
    if (message.op === undefined) chat.gist = textOf(message.data).slice(0, 80);
  }

  #put({ messages }: Chat, message: MessageFrame): void {
    const of = message.ref === undefined ? undefined : messages.get(message.ref);
    if (message.op === undefined || message.op === 'system') messages.set(message.seq, message);
    else if (of && message.op === 'recall') messages.set(of.seq, { ...of, recalled: true, data: null });
    else if (of && message.op === 'edit') messages.set(of.seq, { ...of, edited: true, data: message.data ?? null });
  }
}

/** A line of a conversation: what is stored, then what is on its way. */
export type Row = { readonly message: MessageFrame } | { readonly outgoing: Outgoing };

export function rowsOf(chat: Chat, outgoing: readonly Outgoing[], convOf: (one: Outgoing) => string): readonly Row[] {
  const stored = [...chat.messages.values()].sort((a, b) => a.seq - b.seq).map((message) => ({ message }));
  const waiting = outgoing.filter((one) => one.stored === undefined && convOf(one) === chat.conv);
  return [...stored, ...waiting.map((one) => ({ outgoing: one }))];
}
