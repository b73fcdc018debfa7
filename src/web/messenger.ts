/** A logged-in user's page: the client on one side, the elements on the other. */
import { Client, indexedDbStorage, type Outgoing, shareTabs } from '../client/index.js';
import { dmOf, parseConv, parseRoom, parseUid, roomConv } from '../protocol/index.js';
import { Chats, rowsOf } from './chats.js';
import { element, showChats, showRows } from './view.js';
import { stateInWords, titleOf } from './words.js';

export class Messenger {
  readonly #client: Client;
  readonly #chats: Chats;
  readonly #name: string;
  readonly #log = element('log', HTMLOListElement);
  readonly #note = element('note', HTMLParagraphElement);
  #current = 'all';
  #isDrawing = false;
  readonly #clock: number;

  /** `device`: this browser, for as long as it keeps its storage. */
  constructor(name: string, device: string) {
    this.#name = name;
    const place = `skein-${name}-${device}`;
    const url = new URL('.', location.href).href;
    const [outbox, tabs] = [indexedDbStorage(place), shareTabs(place)];
    this.#client = new Client({ url, uid: name, device, outbox, tabs });
    this.#chats = new Chats(() => this.#client.uid);
    this.#client.on('message', (message) => {
      this.#chats.receive(message, message.conv === this.#current && !document.hidden);
      this.#draw();
    });
    for (const event of ['outgoing', 'receipt', 'state'] as const) this.#client.on(event, () => this.#draw());
    this.#client.on('synced', () => void this.#list());
    this.#client.on('truncated', ({ reason }) => {
      if (reason !== 'restart') this.#say('Some older messages are no longer kept.');
    });
    this.#client.on('typing', ({ sender, room }) => {
      const where = room === undefined ? this.#convWith(sender) : roomConv(room);
      if (where === this.#current) this.#say(`${sender} is writing…`);
    });
    this.#client.on('error', ({ message }) => this.#say(message));
    document.addEventListener('visibilitychange', () => this.#draw());
    this.#clock = window.setInterval(() => this.#showState(), 1_000);
    this.#client.connect();
    void this.open('all');
  }

  /** Opens a conversation, and loads its newest page the first time. */
  async open(conv: string): Promise<void> {
    this.#current = conv;
    const chat = this.#chats.of(conv);
    chat.unread = 0;
    this.#draw();
    const named = parseConv(conv);
    if (chat.isLoaded || named === undefined) return;
    await this.#try(async () => {
      const { messages } = await this.#client.history(named.conv);
      this.#chats.load(conv, messages);
      this.#draw();
      this.#log.scrollTop = this.#log.scrollHeight;
    });
  }

  /** A person to write to, or a group to join. */
  async begin(kind: 'person' | 'group', name: string): Promise<void> {
    const [uid, room] = [parseUid(name), parseRoom(name)];
    if (uid === undefined || room === undefined) return this.#say('A name has letters, digits and _ . @ + - only.');
    if (kind === 'person') return this.open(this.#convWith(uid));
    await this.#try(async () => {
      await this.#client.join(room);
      await this.open(roomConv(room));
    });
  }

  send(text: string): void {
    const named = parseConv(this.#current);
    if (named?.kind === 'room') this.#client.send({ room: named.room, data: text });
    else if (named?.kind === 'dm') this.#client.send({ receiver: this.#peerOf(named.a, named.b), data: text });
    else this.#client.send({ broadcast: true, data: text });
  }

  typing(): void {
    const named = parseConv(this.#current);
    if (named?.kind === 'room') this.#client.typing({ room: named.room });
    else if (named?.kind === 'dm') this.#client.typing({ receiver: this.#peerOf(named.a, named.b) });
  }

  async close(): Promise<void> {
    clearInterval(this.#clock);
    await this.#client.close();
  }

  async #list(): Promise<void> {
    await this.#try(async () => {
      const { conversations } = await this.#client.conversations();
      for (const summary of conversations) this.#chats.summarise(summary);
      this.#draw();
    });
  }

  /** Once for all that changed before the next frame is painted. */
  #draw(): void {
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    requestAnimationFrame(() => {
      this.#isDrawing = false;
      const { uid, outgoing } = this.#client;
      const chat = this.#chats.of(this.#current);
      const named = parseConv(chat.conv);
      this.#markRead();
      showChats(element('chats', HTMLUListElement), this.#chats.all, this.#current, uid);
      showRows(
        this.#log,
        rowsOf(chat, outgoing, (one) => this.#convOf(one)),
        uid,
        named?.kind === 'dm' && named.a !== named.b ? this.#client.peer(named.conv) : undefined,
      );
      element('title', HTMLHeadingElement).textContent = titleOf(chat.conv, uid);
      this.#showState();
    });
  }

  #showState(): void {
    const output = element('state', HTMLOutputElement);
    const words = stateInWords(this.#client.status, Date.now());
    if (output.textContent !== words) output.textContent = words;
    output.dataset.state = String(this.#client.state);
  }

  #markRead(): void {
    const chat = this.#chats.of(this.#current);
    const named = parseConv(chat.conv);
    const newest = Math.max(0, ...chat.messages.keys());
    if (named === undefined || newest === 0 || document.hidden) return;
    chat.unread = 0;
    this.#client.read(named.conv, newest);
  }

  #convOf({ target }: Outgoing): string {
    if (target.receiver !== undefined) return this.#convWith(target.receiver);
    return target.room === undefined ? 'all' : roomConv(target.room);
  }

  #convWith(name: string): string {
    const [me, other] = [parseUid(this.#client.uid ?? this.#name), parseUid(name)];
    return me && other ? dmOf(me, other) : 'all';
  }

  #peerOf(a: string, b: string): string {
    return a === (this.#client.uid ?? this.#name.normalize('NFC')) ? b : a;
  }

  async #try(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#say(error instanceof Error ? error.message : String(error));
    }
  }

  #say(words: string): void {
    this.#note.textContent = words;
    window.setTimeout(() => {
      if (this.#note.textContent === words) this.#note.textContent = '';
    }, 4_000);
  }
}
