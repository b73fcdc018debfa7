/** A logged-in user's conversations: the client on one side, signals that the page shows on the other. */
import { batch, computed, signal } from '@preact/signals';
import { Client, indexedDbStorage, type Outgoing, type Status, shareTabs } from '../../client/index.js';
import { type Conv, type MessageFrame, parseConv, type ReceiptFrame, type Uid } from '../../protocol/index.js';
import { problemInWords, words } from '../words/index.js';
import { Chat, type Kept } from './chat.js';
import { Groups } from './groups.js';
import { Keeper } from './keeper.js';
import { convOfTyping, peerOf } from './names.js';
import { notify } from './notices.js';
import { Presences } from './presences.js';
import { BASE, deviceOfThisBrowser, type Session } from './session.js';

const TYPING_MS = 5_000;
const NOTE_MS = 4_000;

export class Messenger {
  readonly me: Uid;
  readonly client: Client;
  readonly groups: Groups;
  readonly presences: Presences;
  readonly status = signal<Status>({ state: 0 });
  readonly current = signal<Conv | undefined>(undefined);
  readonly outgoing = signal<readonly Outgoing[]>([]);
  readonly note = signal('');
  /** Whether there was a connection since the page opened. */
  readonly wasOpen = signal(false);
  /** Grows when the members of some group changed. */
  readonly memberships = signal(0);
  /** Grows when the newest message is to be shown: this user just wrote it. */
  readonly wantsEnd = signal(0);
  /** Whether the newest message of the open conversation is in sight. */
  readonly isAtEnd = signal(true);
  readonly #chats = signal<ReadonlyMap<string, Chat>>(new Map());
  readonly chats = computed(() =>
    [...this.#chats.value.values()].sort((a, b) => (b.last.value?.ts ?? 0) - (a.last.value?.ts ?? 0)),
  );
  readonly unread = computed(() => this.chats.value.reduce((sum, { unread }) => sum + unread.value, 0));
  readonly #keeper: Keeper;
  #isSynced = false;
  #listing: ReturnType<typeof setTimeout> | undefined;

  /** Shows what was kept of the last time, then connects. */
  static async start(session: Session): Promise<Messenger> {
    const place = `skein-${session.uid}-${deviceOfThisBrowser()}`;
    const keeper = new Keeper(`${place}-page`);
    return new Messenger(session, keeper, await keeper.load(), place);
  }

  private constructor(session: Session, keeper: Keeper, kept: readonly Kept[], place: string) {
    this.me = session.uid;
    this.#keeper = keeper;
    this.groups = new Groups(session);
    for (const chat of kept) this.of(chat.conv)?.restore(chat);
    this.of('all');
    this.of(`dm:${this.me}:${this.me}`);
    this.client = new Client({
      url: BASE,
      ...(session.token === undefined ? { uid: session.uid } : { token: session.token }),
      device: deviceOfThisBrowser(),
      outbox: indexedDbStorage(`${place}-outbox`),
      tabs: shareTabs(place),
      cursors: kept.filter(({ newest }) => newest > 0).map(({ conv, newest }) => [conv as Conv, newest]),
    });
    this.presences = new Presences(this.client);
    this.#listen();
    if (keeper.problem !== undefined) this.say(String(keeper.problem));
    this.client.connect();
  }

  /** A conversation by its name; undefined if it is none. */
  of(conv: string): Chat | undefined {
    const known = this.#chats.peek().get(conv);
    if (known) return known;
    const place = parseConv(conv);
    if (place === undefined) return undefined;
    const chat = new Chat(place, this.me);
    this.#chats.value = new Map(this.#chats.peek()).set(conv, chat);
    return chat;
  }

  /** Opens a conversation, and loads its newest page the first time. */
  async open(conv: Conv | undefined): Promise<void> {
    const chat = conv && this.of(conv);
    batch(() => {
      const before = this.current.peek();
      if (before && before !== conv) this.of(before)!.divider.value = undefined;
      this.current.value = conv;
      if (chat && chat.unread.peek() > 0) chat.divider.value = chat.read;
    });
    if (chat === undefined) return;
    this.presences.watch([peerOf(chat.place, this.me)]);
    if (!chat.isFresh) await this.attempt(() => this.#loadNewest(chat));
    this.markRead();
  }

  /** The page before what is here; nothing if there is none, or one is on its way. */
  async loadOlder(chat: Chat): Promise<void> {
    const { oldest } = chat;
    if (chat.isLoading || !chat.hasOlder.peek() || oldest === undefined) return;
    chat.isLoading = true;
    await this.attempt(async () => {
      const { messages, more } = await this.client.history(chat.place.conv, { before: oldest, limit: 100 });
      chat.loadOlder(messages, more);
    });
    chat.isLoading = false;
  }

  /** What is in sight is read; called when that may have changed. */
  markRead(): void {
    const chat = this.#chats.peek().get(this.current.peek() ?? '');
    if (chat === undefined || !this.isAtEnd.peek() || document.hidden || !document.hasFocus()) return;
    const seq = chat.messages.peek().at(-1)?.seq ?? 0;
    if (seq <= chat.read && chat.unread.peek() === 0) return;
    this.client.read(chat.place.conv, seq);
    chat.seen(seq);
    this.#keeper.keep(chat);
  }

  /** Learns how many are in a group. */
  async countMembers(chat: Chat): Promise<void> {
    if (chat.place.kind !== 'room') return;
    const { room } = chat.place;
    await this.attempt(async () => {
      const { members, more } = await this.client.members(room, { limit: 200 });
      chat.members.value = { known: members.length, more };
    });
  }

  typing({ place }: Chat): void {
    if (place.kind === 'room') this.client.typing({ room: place.room });
    else if (place.kind === 'dm') this.client.typing({ receiver: peerOf(place, this.me)! });
  }

  /** Forgets a message that the server refused. */
  discard(outgoing: Outgoing): void {
    outgoing.discard();
    this.#showOutgoing();
  }

  /** Leaves a group, and forgets what was said in it. */
  async leave(chat: Chat): Promise<void> {
    if (chat.place.kind !== 'room') return;
    await this.client.leave(chat.place.room);
    this.#drop(chat.place.conv);
  }

  /** Does something that may be refused, and says so if it is. True if it worked. */
  async attempt(work: () => unknown): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      this.say(problemInWords(error));
      return false;
    }
  }

  say(words: string): void {
    this.note.value = words;
    setTimeout(() => {
      if (this.note.value === words) this.note.value = '';
    }, NOTE_MS);
  }

  /** Ends the session; `isForgotten`: nothing that was said stays in this browser. */
  async close(isForgotten: boolean): Promise<void> {
    clearTimeout(this.#listing);
    await this.client.close();
    await this.#keeper.close(isForgotten);
  }

  #listen(): void {
    const { client } = this;
    client.on('state', (status) => {
      this.status.value = status;
      if (status.state === 1) this.wasOpen.value = true;
      else this.#isSynced = false;
    });
    client.on('message', (message) => this.#receive(message));
    client.on('outgoing', ({ conv }) => {
      this.#showOutgoing();
      if (conv) this.#lookAtPeer(conv);
    });
    client.on('receipt', (receipt) => this.#receipt(receipt));
    client.on('typing', (typing) => this.#typing(convOfTyping(typing, this.me), typing.sender));
    client.on('synced', () => {
      this.#isSynced = true;
      this.#list(0);
    });
    client.on('truncated', ({ conv, reason }) => {
      if (reason !== 'restart' && conv === this.current.peek()) this.say(words.value.gone);
    });
    client.on('error', (error) => this.say(problemInWords(error)));
    addEventListener('focus', () => this.markRead());
    document.addEventListener('visibilitychange', () => this.markRead());
  }

  #receive(message: MessageFrame): void {
    const chat = this.of(message.conv);
    if (chat === undefined) return;
    batch(() => {
      chat.receive(message);
      chat.typing.value = chat.typing.peek().filter((uid) => uid !== message.sender);
      this.markRead();
    });
    this.#keeper.keep(chat);
    if (message.op === 'system') this.#systemEntry(message, chat);
    if (message.op === undefined && message.sender !== this.me && this.#isSynced) notify(chat, message);
  }

  #systemEntry({ data }: MessageFrame, chat: Chat): void {
    this.memberships.value++;
    const { event, uid } = (data ?? {}) as { readonly event?: unknown; readonly uid?: unknown };
    if ((event === 'left' || event === 'removed') && uid === this.me) return this.#drop(chat.place.conv);
    if (event === 'renamed' || event === 'created') void this.#nameGroup(chat);
  }

  #drop(conv: Conv): void {
    const chats = new Map(this.#chats.peek());
    const gone = chats.get(conv);
    if (gone) this.#keeper.forget(gone);
    chats.delete(conv);
    this.#chats.value = chats;
    if (this.current.peek() === conv) location.hash = '';
  }

  #showOutgoing(): void {
    this.outgoing.value = this.client.outgoing.filter(({ stored }) => stored === undefined);
  }

  #receipt({ conv, uid, read }: ReceiptFrame): void {
    this.#lookAtPeer(conv);
    const chat = this.#chats.peek().get(conv);
    if (uid !== this.me || chat === undefined) return;
    const before = chat.unread.peek();
    chat.seen(read);
    // What is not here cannot be counted here.
    if (before > 0 && chat.unread.peek() === before) this.#list(300);
    this.#keeper.keep(chat);
  }

  /** How far the other side has come; what was known before the last reload counts. */
  #lookAtPeer(conv: Conv): void {
    const chat = this.#chats.peek().get(conv);
    if (chat?.kind !== 'person') return;
    const [{ delivered, read }, before] = [this.client.peer(conv), chat.peer.peek()];
    if (delivered <= before.delivered && read <= before.read) return;
    chat.peer.value = { delivered: Math.max(delivered, before.delivered), read: Math.max(read, before.read) };
    this.#keeper.keep(chat);
  }

  #typing(conv: string, uid: Uid): void {
    const chat = this.#chats.peek().get(conv);
    if (chat === undefined || uid === this.me) return;
    chat.typing.value = [...chat.typing.peek().filter((one) => one !== uid), uid];
    setTimeout(() => {
      chat.typing.value = chat.typing.peek().filter((one) => one !== uid);
    }, TYPING_MS);
  }

  #list(delay: number): void {
    clearTimeout(this.#listing);
    this.#listing = setTimeout(() => void this.attempt(() => this.#loadList()), delay);
  }

  async #loadList(): Promise<void> {
    const { conversations } = await this.client.conversations({ limit: 200 });
    batch(() => {
      for (const summary of conversations) {
        const chat = this.of(summary.conv);
        chat?.summarise(summary);
        if (chat) this.#keeper.keep(chat);
        this.#lookAtPeer(summary.conv);
      }
    });
    const chats = this.chats.peek();
    this.presences.watch(chats.slice(0, 100).map(({ place }) => peerOf(place, this.me)));
    for (const chat of chats) if (chat.kind === 'group' && chat.name.peek() === undefined) await this.#nameGroup(chat);
    this.markRead();
  }

  async #nameGroup(chat: Chat): Promise<void> {
    if (chat.place.kind !== 'room') return;
    const { room } = chat.place;
    try {
      chat.name.value = await this.groups.nameOf(room);
    } catch {
      chat.name.value = room; // no longer a member, or offline: its id will do
    }
    this.#keeper.keep(chat);
  }

  async #loadNewest(chat: Chat): Promise<void> {
    const { messages, more } = await this.client.history(chat.place.conv);
    batch(() => chat.loadNewest(messages, more));
    this.#keeper.keep(chat);
  }
}
