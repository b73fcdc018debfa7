/** A logged-in user's conversations: the client on one side, signals that the page shows on the other. */
import { batch, computed, signal } from '@preact/signals';
import { Client, indexedDbStorage, type Outgoing, SkeinError, type Status, shareTabs } from '../../client/index.js';
import { type Conv, dmOf, type MessageFrame, type ReceiptFrame, type Uid } from '../../protocol/index.js';
import { problemInWords, words } from '../words/index.js';
import { Api, Refusal } from './api.js';
import { Blocks } from './blocks.js';
import type { Chat, Kept } from './chat.js';
import { Chats } from './chats.js';
import { Groups } from './groups.js';
import { Keeper } from './keeper.js';
import { Listing } from './listing.js';
import { Loader } from './loader.js';
import { convOfTyping, peerOf } from './names.js';
import { attempt, say } from './note.js';
import { isLookedAt, notify } from './notices.js';
import { Presences } from './presences.js';
import { Reading } from './reading.js';
import { BASE, deviceOfThisBrowser, type Session } from './session.js';

/** Conversations whose other side is watched from the beginning; milliseconds to a new try to have the list of them. */
const [WATCHED, LIST_AGAIN_MS] = [100, 5_000];

/** What the open conversation is to show next; each is obeyed once. */
type Goal = { readonly place: 'newest' | 'divider' };

export class Messenger {
  readonly me: Uid;
  readonly client: Client;
  readonly groups: Groups;
  readonly blocks: Blocks;
  readonly presences: Presences;
  readonly chats: Chats;
  readonly loader: Loader;
  readonly status = signal<Status>({ state: 0 });
  readonly current = signal<Conv | undefined>(undefined);
  readonly outgoing = signal<readonly Outgoing[]>([]);
  /** Whether there was a connection since the page opened. */
  readonly wasOpen = signal(false);
  /** Grows when the members of some group changed. */
  readonly memberships = signal(0);
  readonly goal = signal<Goal | undefined>(undefined);
  /** Whether the newest message of the open conversation is in sight. */
  readonly isAtEnd = signal(true);
  readonly isOnline = computed(() => this.status.value.state === 1);
  readonly #keeper: Keeper;
  readonly #listing: Listing;
  readonly #reading: Reading;
  /** What was pending at log-in is here, so what comes now is new. */
  #isSynced = false;
  /** Something new came to the open conversation while nobody looked. */
  #hasNews = false;
  #listAgain: ReturnType<typeof setTimeout> | undefined;

  /** Shows what was kept of the last time, then connects. */
  static async start(session: Session): Promise<Messenger> {
    const place = `skein-${session.uid}-${deviceOfThisBrowser()}`;
    const keeper = new Keeper(`${place}-page`);
    return new Messenger(session, keeper, await keeper.load(), place);
  }

  private constructor(session: Session, keeper: Keeper, kept: readonly Kept[], place: string) {
    this.me = session.uid;
    this.#keeper = keeper;
    const api = new Api(session);
    this.groups = new Groups(api);
    this.blocks = new Blocks(api);
    this.chats = new Chats(this.me, keeper);
    for (const chat of kept) this.chats.of(chat.conv)?.restore(chat);
    this.chats.of('all');
    this.chats.of(dmOf(this.me, this.me));
    this.client = new Client({
      url: BASE,
      ...(session.token === undefined ? { uid: session.uid } : { token: session.token }),
      device: deviceOfThisBrowser(),
      outbox: indexedDbStorage(`${place}-outbox`),
      tabs: shareTabs(place),
      cursors: kept.filter(({ newest }) => newest > 0).map(({ conv, newest }) => [conv as Conv, newest]),
    });
    this.presences = new Presences(this.client);
    this.loader = new Loader(this.client, (chat) => this.chats.keep(chat));
    this.#reading = new Reading(this.client, this.chats);
    this.#listing = new Listing(this.client, this.groups, this.chats);
    this.#listen();
    if (keeper.problem !== undefined) say(words.peek().keepsNothing);
    this.client.connect();
  }

  /** Opens a conversation: at what is unread, else at its end. */
  async open(conv: Conv | undefined): Promise<void> {
    const chat = conv && this.chats.of(conv);
    batch(() => {
      const before = this.chats.known(this.current.peek());
      if (before && before !== chat) before.divider.value = undefined;
      this.current.value = conv;
      this.#reading.looksAway();
      this.#hasNews = false;
      if (chat === undefined) return;
      if (chat.unread.peek() > 0) chat.divider.value = chat.read;
      chat.isReady.value = !chat.missesUnread || !this.isOnline.peek();
    });
    if (chat === undefined) return;
    this.presences.watch([peerOf(chat.place, this.me)]);
    await this.#fill(chat);
    chat.isReady.value = true;
  }

  /** Whoever shows a conversation tells up to where it is in sight. */
  sees(chat: Chat, seq: number): void {
    this.#reading.sees(chat, seq);
    this.#markRead();
  }

  /** Learns how many are in a group. */
  async countMembers(chat: Chat): Promise<void> {
    const room = chat.place.kind === 'room' && chat.place.room;
    if (!room) return;
    await this.#unlessOver(chat, async () => {
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
  async leave({ place }: Chat): Promise<void> {
    if (place.kind !== 'room') return;
    await this.client.leave(place.room);
    this.#drop(place.conv);
  }

  /** Ends a group for everybody. */
  async end({ place }: Chat): Promise<void> {
    if (place.kind !== 'room') return;
    await this.groups.end(place.room);
    this.#drop(place.conv);
  }

  /** Hears somebody again; what they wrote meanwhile is there to be read. */
  async unblock(uid: Uid): Promise<void> {
    await this.blocks.unblock(uid);
    const chat = this.chats.known(dmOf(this.me, uid));
    if (chat) chat.isFresh = false;
    if (chat && this.current.peek() === chat.place.conv) await this.#fill(chat);
  }

  /** Ends the session; `isForgotten`: nothing that was said stays in this browser. */
  async close(isForgotten: boolean): Promise<void> {
    clearTimeout(this.#listAgain);
    await this.client.close();
    await this.#keeper.close(isForgotten);
  }

  #listen(): void {
    const { client } = this;
    client.on('state', (status) => {
      this.status.value = status;
      if (status.state === 1) this.wasOpen.value = true;
      else this.#isSynced = this.#reading.isListed = false;
    });
    client.on('message', (message) => this.#receive(message));
    client.on('outgoing', ({ conv }) => {
      this.#showOutgoing();
      if (conv) this.#lookAtPeer(conv);
    });
    client.on('receipt', (receipt) => this.#receipt(receipt));
    client.on('typing', (typing) => this.chats.known(convOfTyping(typing, this.me))?.types(typing.sender));
    client.on('synced', () => {
      this.#isSynced = true;
      this.#list(0);
    });
    client.on('truncated', ({ conv, reason }) => {
      if (reason !== 'restart' && conv === this.current.peek()) say(words.value.gone);
    });
    client.on('error', (error) => say(problemInWords(error)));
    addEventListener('focus', () => this.#lookedAt());
    document.addEventListener('visibilitychange', () => this.#lookedAt());
  }

  #lookedAt(): void {
    if (this.#hasNews && this.#isSynced && isLookedAt()) this.goal.value = { place: 'divider' };
    else this.#markRead();
    if (isLookedAt()) this.#hasNews = false;
  }

  #markRead(): void {
    this.#reading.mark(this.chats.known(this.current.peek()), this.isOnline.peek());
  }

  #receive(message: MessageFrame): void {
    const chat = this.chats.of(message.conv);
    if (chat === undefined) return;
    const isNews = message.op === undefined && message.sender !== this.me;
    batch(() => {
      const isMissed = message.conv === this.current.peek() && !(this.#isSynced && isLookedAt());
      if (isNews && isMissed && chat.unread.peek() === 0) {
        chat.divider.value = message.seq - 1;
        this.#hasNews = true;
      }
      chat.receive(message);
    });
    this.chats.keep(chat);
    if (message.op === 'system') this.#systemEntry(message, chat);
    if (isNews && this.#isSynced) void attempt(() => notify(chat, message));
  }

  #systemEntry({ data }: MessageFrame, chat: Chat): void {
    this.memberships.value++;
    const { event, uid } = (data ?? {}) as { readonly event?: unknown; readonly uid?: unknown };
    if ((event === 'left' || event === 'removed') && uid === this.me) return this.#drop(chat.place.conv);
    if (event === 'renamed' || chat.name.peek() === undefined) void this.#listing.name(chat);
  }

  #drop(conv: Conv): void {
    this.chats.drop(conv);
    if (this.current.peek() === conv) location.hash = '';
  }

  /** Asks about a conversation; where the server says that this user is no longer in it, it goes from the page. */
  async #unlessOver(chat: Chat, work: () => Promise<unknown>): Promise<void> {
    await attempt(() =>
      work().catch((error: unknown) => {
        const isOver = chat.kind === 'group' && (error instanceof SkeinError || error instanceof Refusal);
        if (isOver && (error.code === 'not_found' || error.code === 'not_member')) this.#drop(chat.place.conv);
        throw error;
      }),
    );
  }

  /** Loads the newest page the first time, and what is unread before it. */
  async #fill(chat: Chat): Promise<void> {
    if (!this.isOnline.peek()) return;
    if (!chat.isFresh) await this.#unlessOver(chat, () => this.loader.newest(chat));
    await this.loader.backTo(chat, () => !chat.missesUnread);
  }

  #showOutgoing(): void {
    this.outgoing.value = this.client.outgoing.filter(({ stored }) => stored === undefined);
  }

  #receipt({ conv, uid, read }: ReceiptFrame): void {
    this.#lookAtPeer(conv);
    const chat = this.chats.known(conv);
    if (uid !== this.me || chat === undefined) return;
    // What is not here cannot be counted here.
    if (!chat.seen(read)) this.#list(300);
    this.chats.keep(chat);
  }

  #lookAtPeer(conv: Conv): void {
    const chat = this.chats.known(conv);
    if (chat?.kind === 'person' && chat.reaches(this.client.peer(conv))) this.chats.keep(chat);
  }

  #list(delay: number): void {
    clearTimeout(this.#listAgain);
    this.#listAgain = setTimeout(async () => {
      await attempt(() => this.#synchronise());
      if (this.#isSynced && !this.#reading.isListed) this.#list(LIST_AGAIN_MS);
    }, delay);
  }

  /** Takes over what the server says now, and shows what came while nobody looked. */
  async #synchronise(): Promise<void> {
    for (const conv of await this.#listing.load()) this.#drop(conv);
    const chats = this.chats.inOrder.peek();
    for (const { place } of chats) this.#lookAtPeer(place.conv);
    this.presences.watch(chats.slice(0, WATCHED).map(({ place }) => peerOf(place, this.me)));
    const open = this.chats.known(this.current.peek());
    if (open) await this.#resume(open);
    this.#reading.isListed = this.#isSynced;
    this.#lookedAt();
    await Promise.all([this.#listing.nameAll(), this.blocks.load()]);
  }

  /** The first word of the server corrects what the page kept: where this user left off. */
  async #resume(chat: Chat): Promise<void> {
    const [isFirst, isShort] = [!chat.isFresh, chat.missesUnread];
    await this.#fill(chat);
    const divider = chat.unread.peek() > 0 ? chat.read : undefined;
    const before = chat.divider.peek();
    const isBehind = divider !== before && !(divider !== undefined && before !== undefined && divider < before);
    if (!isShort && !(isFirst && isBehind)) return;
    chat.divider.value = isBehind ? divider : before;
    // What stood there until now was not where this user left off.
    this.#reading.looksAway();
    this.goal.value = { place: divider === undefined ? 'newest' : 'divider' };
  }
}
