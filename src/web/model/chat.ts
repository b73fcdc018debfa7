/** One conversation: the run of messages that the page has of it, without holes, and how much of it is unread. */
import { type Signal, signal } from '@preact/signals';
import type { Conversation, ConversationSummary, MessageFrame, Uid } from '../../protocol/index.js';
import { changed, type Message, messageIn } from './message.js';
import { type Kind, kindOf } from './names.js';

/** Messages of a conversation that are kept over a reload. */
const KEPT = 80;
/** Milliseconds for which somebody is shown to be writing. */
const TYPING_MS = 5_000;

/** How far the other side of a dm has come. */
type Peer = { readonly delivered: number; readonly read: number };

export type Kept = {
  readonly conv: string;
  readonly messages: readonly Message[];
  readonly newest: number;
  readonly unread: number;
  readonly read: number;
  readonly name?: string | undefined;
  readonly peer: Peer;
};

export class Chat {
  readonly kind: Kind;
  readonly messages = signal<readonly Message[]>([]);
  readonly last = signal<Message | undefined>(undefined);
  readonly unread = signal(0);
  readonly peer = signal<Peer>({ delivered: 0, read: 0 });
  readonly hasOlder = signal(true);
  /** A group's name, where somebody gave it one. */
  readonly name = signal<string | undefined>(undefined);
  /** Where this user had read up to when the conversation was opened. */
  readonly divider = signal<number | undefined>(undefined);
  /** How many are in a group; `more`: at least as many. */
  readonly members = signal<{ readonly known: number; readonly more: boolean } | undefined>(undefined);
  readonly typing = signal<readonly Uid[]>([]);
  /** Whether enough is here to show where one left off. */
  readonly isReady = signal(true);
  /** Messages that others answer and that are not among those here; null: there is none. */
  readonly elsewhere = new Map<number, Signal<Message | null | undefined>>();
  /** The newest page was loaded since the page was. */
  isFresh = false;
  /** The page before what is here, on its way. */
  loading: Promise<boolean> | undefined;
  read = 0;
  newest = 0;
  #oldest = Number.POSITIVE_INFINITY;
  /** The unread ones are counted up to here. */
  #counted = 0;
  readonly #typists = new Map<Uid, ReturnType<typeof setTimeout>>();

  constructor(
    readonly place: Conversation,
    readonly me: Uid,
  ) {
    this.kind = kindOf(place, me);
  }

  /** Where the page before what is here ends. */
  get oldest(): number | undefined {
    return Number.isFinite(this.#oldest) ? this.#oldest : undefined;
  }

  /** Something unread lies before what is here. */
  get missesUnread(): boolean {
    const isBefore = this.#oldest > this.read + 1 && this.hasOlder.value;
    return isBefore && this.unread.value > this.#unreadHere();
  }

  at(seq: number): Message | undefined {
    const list = this.messages.value;
    const found = list[indexOf(list, seq)];
    return found?.seq === seq ? found : undefined;
  }

  /** Takes over what the server says; it may not have heard yet how far this user has read. */
  summarise({ unread, last, head, read }: ConversationSummary): void {
    const isAhead = this.read > read && this.#oldest <= this.read;
    this.read = Math.max(this.read, read);
    const message = last ? messageIn(last) : undefined;
    if (message && message.seq >= (this.last.value?.seq ?? 0)) this.last.value = message;
    // What was pushed since the list was made is counted already.
    if (head < this.#counted) return;
    this.#counted = head;
    this.unread.value = isAhead ? this.#unreadHere() : unread;
  }

  /** How far the other side has come, never backwards; true if that is news. */
  reaches({ delivered, read }: Peer): boolean {
    const before = this.peer.peek();
    if (delivered <= before.delivered && read <= before.read) return false;
    this.peer.value = { delivered: Math.max(delivered, before.delivered), read: Math.max(read, before.read) };
    return true;
  }

  /** Somebody else is writing; until they have written, or a while is over. */
  types(uid: Uid): void {
    if (uid === this.me) return;
    this.#typesNot(uid);
    this.typing.value = [...this.typing.peek(), uid];
    this.#typists.set(
      uid,
      setTimeout(() => this.#typesNot(uid), TYPING_MS),
    );
  }

  /** An entry that was pushed; each comes once and in order. */
  receive(frame: MessageFrame): void {
    this.newest = Math.max(this.newest, frame.seq);
    this.#oldest = Math.min(this.#oldest, frame.seq);
    if (frame.ref !== undefined) this.#change(frame.ref, frame);
    this.#typesNot(frame.sender);
    const message = messageIn(frame);
    if (message === undefined) return;
    const list = this.messages.value;
    const index = indexOf(list, message.seq);
    // A page of history may have been quicker, and is as new.
    if (list[index]?.seq !== message.seq) this.messages.value = list.toSpliced(index, 0, message);
    if (message.seq >= (this.last.value?.seq ?? 0)) this.last.value = message;
    if (message.sender === this.me) this.seen(frame.seq);
    else if (!message.isSystem && frame.seq > this.#counted) this.unread.value++;
    this.#counted = Math.max(this.#counted, frame.seq);
  }

  /** This user has read up to here, on whatever device. False if what is unread then is not known here. */
  seen(seq: number): boolean {
    this.read = Math.max(this.read, seq);
    const isAll = this.read >= (this.last.value?.seq ?? 0);
    const isKnown = isAll || this.#oldest <= this.read || this.unread.value === 0;
    if (isKnown) this.unread.value = isAll ? 0 : this.#unreadHere();
    return isKnown;
  }

  /** The newest page. If there may be a hole between it and what is here, what is here goes. */
  loadNewest(frames: readonly MessageFrame[], more: boolean): void {
    const first = frames[0]?.seq ?? Number.POSITIVE_INFINITY;
    const isApart = this.newest > 0 && first > this.newest + 1;
    if (isApart) this.messages.value = [];
    if (isApart || this.messages.value.length === 0 || first <= this.#oldest) this.hasOlder.value = more;
    if (isApart) this.#oldest = Number.POSITIVE_INFINITY;
    this.#merge(frames);
    this.isFresh = true;
  }

  loadOlder(frames: readonly MessageFrame[], more: boolean): void {
    this.hasOlder.value = more && frames.length > 0;
    this.#merge(frames);
  }

  get kept(): Kept {
    const messages = this.messages.value.slice(-KEPT);
    const [unread, name, peer] = [this.unread.value, this.name.value, this.peer.value];
    return { conv: this.place.conv, messages, newest: this.newest, unread, read: this.read, name, peer };
  }

  restore({ messages, newest, unread, read, name, peer }: Kept): void {
    this.messages.value = messages;
    this.last.value = messages.at(-1);
    this.unread.value = unread;
    this.name.value = name;
    this.peer.value = peer;
    this.newest = newest;
    this.#counted = newest;
    this.read = read;
    this.#oldest = messages[0]?.seq ?? Number.POSITIVE_INFINITY;
  }

  #merge(frames: readonly MessageFrame[]): void {
    const bySeq = new Map(this.messages.value.map((message) => [message.seq, message]));
    for (const frame of frames) {
      const message = messageIn(frame);
      if (message) bySeq.set(message.seq, message);
      this.#oldest = Math.min(this.#oldest, frame.seq);
      this.newest = Math.max(this.newest, frame.seq);
    }
    this.messages.value = [...bySeq.values()].sort((a, b) => a.seq - b.seq);
    const last = this.messages.value.at(-1);
    if (last && last.seq >= (this.last.value?.seq ?? 0)) this.last.value = last;
  }

  #change(seq: number, change: MessageFrame): void {
    const list = this.messages.value;
    const index = indexOf(list, seq);
    const before = list[index];
    if (before?.seq === seq) this.messages.value = list.with(index, changed(before, change));
    if (this.last.value?.seq === seq) this.last.value = changed(this.last.value, change);
    const far = this.elsewhere.get(seq);
    if (far?.value) far.value = changed(far.value, change);
  }

  #typesNot(uid: Uid): void {
    clearTimeout(this.#typists.get(uid));
    this.#typists.delete(uid);
    const typing = this.typing.peek();
    if (typing.includes(uid)) this.typing.value = typing.filter((one) => one !== uid);
  }

  #unreadHere(): number {
    return this.messages.value.filter(({ seq, sender, isSystem }) => seq > this.read && sender !== this.me && !isSystem)
      .length;
  }
}

/** The index of the first message at or after a place. */
export function indexOf(list: readonly Message[], seq: number): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle]!.seq < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}
