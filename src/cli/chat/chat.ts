/** A chat in progress: one conversation in the window, the others heard of. */
import { type Client, type Conv, type MessageFrame, type Outgoing, SkeinError, STATE, type To } from '../../client/index.js';
import { dmOf, parseConv, parseRoom, parseUid, roomConv, type Uid } from '../../protocol/index.js';
import { visible } from '../text.js';
import { wordsOf } from '../words.js';
import { type CommandName, entryOf, helpLines } from './commands.js';
import { clockOf, gistOf, markOf, nameOf, type Renderer } from './render.js';
import type { Screen } from './screen.js';

const PAGE_MAX = 200;
/** How long somebody counts as typing. */
const TYPING_SHOWN_MS = 5_000;
/** Messages on their way at a time, for input that comes faster than it can be stored. */
const WINDOW = 256;

export type Target = { readonly conv: Conv; readonly to: To };

export type ChatOptions = {
  /** Entries of history at the start. */
  readonly history: number;
  /** In a pipe an unknown command is a text, and with `isPlain` every line is one. */
  readonly isPlain: boolean;
};

export class Chat {
  /** Messages that the server refused for good. */
  refused = 0;
  readonly #client: Client;
  readonly #screen: Screen;
  readonly #render: Renderer;
  readonly #options: ChatOptions;
  readonly #pending = new Set<Promise<unknown>>();
  readonly #shown = new Map<Conv, number>();
  readonly #typing = new Map<Uid, NodeJS.Timeout>();
  #begun: () => void = () => undefined;
  #opening = new Promise<void>((resolve) => {
    this.#begun = resolve;
  });
  #target: Target | undefined;
  #oldest: number | undefined;
  #mine: Pick<MessageFrame, 'conv' | 'seq'> | undefined;
  #presence = '';

  constructor(client: Client, screen: Screen, render: Renderer, options: ChatOptions) {
    this.#client = client;
    this.#screen = screen;
    this.#render = render;
    this.#options = options;
    // Shown first, acknowledged then; and nothing between the lines of a history.
    client.on('message', (message) => this.#opening.then(() => this.#take(message)));
    client.on('truncated', ({ conv, reason }) => {
      if (reason !== 'restart') this.#note(`${nameOf(conv, client.uid)}: some earlier messages are gone (${reason})`);
    });
    client.on('state', () => this.#beside());
    client.on('receipt', () => this.#beside());
    client.on('outgoing', (outgoing) => this.#outgoing(outgoing));
    client.on('typing', ({ sender, room }) => this.#types(sender, room ? roomConv(room) : dmOf(sender, this.#me)));
    client.on('presence', (presence) => this.#present(presence));
    client.on('error', (error) => this.#trouble(error));
    screen.onTyping(() => {
      const { to } = this.#target ?? {};
      if (to && to.broadcast === undefined) client.typing(to);
    });
  }

  /** Needs a connection. Rejects with a SkeinError where the server won't have it. */
  async begin(target: Target | undefined): Promise<void> {
    const { conversations } = await this.#client.conversations();
    if (target !== undefined) await this.#show(target);
    else if (conversations.length > 0) await this.#list();
    const unread = conversations.filter((one) => one.unread > 0 && one.conv !== target?.conv);
    if (target !== undefined && unread.length > 0) {
      this.#note(`unread: ${unread.map((one) => `${nameOf(one.conv, this.#me)} ${one.unread}`).join(', ')}`);
    }
    if (target === undefined) this.#note('to whom? /to <user> or /room <room>; /help for more');
    this.#begun();
  }

  /** Takes what was entered. Resolves with true when the chat is to end. */
  async enter(text: string): Promise<boolean> {
    const entry = this.#options.isPlain ? { kind: 'message' as const, text } : entryOf(text);
    if (entry.kind === 'message') await this.#say(entry.text);
    else if (entry.kind === 'unknown') {
      if (!this.#screen.isInteractive) await this.#say(text);
      else this.#print([this.#render.trouble(`${entry.name}: no such command; /help lists them`)]);
    } else {
      if (entry.name === 'quit') return true;
      await this.#obey(entry.name, entry.argument).catch((error: unknown) => this.#trouble(error));
    }
    return false;
  }

  /** Resolves when everything that was said is stored or refused. */
  async settled(): Promise<void> {
    while (this.#pending.size > 0) await Promise.allSettled(this.#pending);
  }

  /** How many messages are neither stored nor refused. */
  get waiting(): number {
    return this.#pending.size;
  }

  async #say(text: string): Promise<void> {
    if (text.trim() === '') return;
    if (this.#target === undefined) {
      if (!this.#screen.isInteractive) this.refused++;
      return this.#print([this.#render.trouble('to whom? /to <user> or /room <room>')]);
    }
    const outgoing = this.#client.send({ ...this.#target.to, data: text });
    const settled = outgoing.then(
      () => undefined,
      () => undefined,
    );
    this.#pending.add(settled);
    void settled.then(() => this.#pending.delete(settled));
    if (this.#pending.size >= WINDOW) await Promise.race(this.#pending);
  }

  async #obey(name: Exclude<CommandName, 'quit'>, argument: string): Promise<void> {
    switch (name) {
      case 'help':
        return this.#print(helpLines());
      case 'to':
        return this.#open(userTarget(argument, this.#me));
      case 'room':
        return this.#open(roomTarget(argument));
      case 'all':
        return this.#open(EVERYBODY);
      case 'list':
        return this.#list();
      case 'who':
        return this.#who();
      case 'history':
        return this.#history(argument);
      case 'leave':
        return this.#leave();
    }
  }

  async #open(target: Target): Promise<void> {
    const opening = this.#show(target);
    this.#opening = opening.then(
      () => undefined,
      () => undefined,
    );
    await opening;
  }

  async #show(target: Target): Promise<void> {
    const { room } = target.to;
    if (room !== undefined) await this.#client.join(room);
    const { messages } = await this.#client.history(target.conv, { limit: this.#options.history });
    const watched = this.#target && otherIn(this.#target.conv, this.#me);
    if (watched !== undefined) this.#client.unwatch([watched]);
    this.#target = target;
    this.#mine = undefined;
    this.#presence = '';
    this.#oldest = messages[0]?.seq;
    this.#note(`${nameOf(target.conv, this.#me)}${messages.length === 0 ? ': nothing was said here yet' : ''}`);
    this.#page(messages);
    const last = messages.at(-1);
    if (last !== undefined) this.#shown.set(last.conv, Math.max(last.seq, this.#shown.get(last.conv) ?? 0));
    if (last !== undefined && this.#screen.isInteractive) this.#client.read(last.conv, last.seq);
    const other = otherIn(target.conv, this.#me);
    for (const one of other ? await this.#client.watch([other]) : []) this.#present(one);
    this.#beside();
  }

  /** Changes of other messages are in those already. */
  #page(messages: readonly MessageFrame[]): void {
    const entries = messages.filter(({ op }) => op === undefined || op === 'system');
    for (const message of entries) this.#own(message);
    this.#print(entries.flatMap((message) => this.#render.entry(message, this.#view(message.conv))));
  }

  #take(message: MessageFrame): void {
    if (message.seq <= (this.#shown.get(message.conv) ?? 0)) return;
    this.#shown.set(message.conv, message.seq);
    this.#own(message);
    this.#stopTyping(message.sender);
    this.#print(this.#render.entry(message, this.#view(message.conv)));
    const isBefore = message.conv === this.#target?.conv && this.#screen.isInteractive;
    if (isBefore && message.sender !== this.#me) this.#client.read(message.conv, message.seq);
    this.#beside();
  }

  #own(message: MessageFrame): void {
    const isOwn = message.sender === this.#me && message.op === undefined && message.conv === this.#target?.conv;
    if (isOwn) this.#mine = message;
  }

  async #list(): Promise<void> {
    const { conversations } = await this.#client.conversations();
    const lines = conversations.map(({ conv, unread, last }) => {
      const fresh = unread > 0 ? ` (${unread} new)` : '';
      const said = last === null ? '' : `: ${clockOf(last.ts)} ${last.sender} ${gistOf(last.data)}`;
      return visible(`  ${nameOf(conv, this.#me)}${fresh}${said}`);
    });
    this.#print(lines.length > 0 ? lines : [this.#render.note('no conversations yet')]);
  }

  async #who(): Promise<void> {
    const { conv, to } = this.#current();
    if (to.room === undefined) {
      const other = otherIn(conv, this.#me);
      const [presence] = other === undefined ? [] : await this.#client.watch([other]);
      return this.#note(presence === undefined ? nameOf(conv, this.#me) : presenceWords(presence));
    }
    for (let after: string | undefined, more = true; more; ) {
      const page = await this.#client.members(to.room, { limit: PAGE_MAX, ...(after && { after }) });
      this.#print(
        page.members.map(({ uid, role, online }) => {
          const rank = role === 'member' ? '' : ` (${role})`;
          return `  ${online ? '●' : '○'} ${visible(uid)}${rank}${online ? '' : ' offline'}`;
        }),
      );
      after = page.members.at(-1)?.uid;
      more = page.more && after !== undefined;
    }
  }

  async #history(argument: string): Promise<void> {
    const { conv } = this.#current();
    const limit = argument === '' ? this.#options.history : Number(argument);
    if (!Number.isInteger(limit) || limit < 1 || limit > PAGE_MAX) {
      throw new SkeinError('bad_request', `a number from 1 to ${PAGE_MAX}`);
    }
    const place = this.#oldest === undefined ? {} : { before: this.#oldest };
    const { messages, more } = await this.#client.history(conv, { limit, ...place });
    this.#oldest = messages[0]?.seq ?? this.#oldest;
    this.#note(messages.length === 0 ? 'nothing earlier' : `earlier${more ? '' : ', from the beginning'}:`);
    this.#page(messages);
    if (messages.length > 0) this.#note('until here');
  }

  async #leave(): Promise<void> {
    const { to } = this.#current();
    if (to.room === undefined) throw new SkeinError('bad_request', 'this is no room');
    await this.#client.leave(to.room);
    this.#target = undefined;
    this.#note(`left ${to.room}`);
    this.#beside();
  }

  #current(): Target {
    if (this.#target === undefined) throw new SkeinError('bad_request', 'no conversation is open');
    return this.#target;
  }

  #outgoing(outgoing: Outgoing): void {
    if (outgoing.state === 'failed') {
      this.refused++;
      const { code, message } = outgoing.error ?? { code: 'internal', message: '' };
      this.#print([this.#render.trouble(`not sent: ${gistOf(outgoing.data)}: ${code}: ${message}`)]);
      outgoing.discard();
    } else if (outgoing.state === 'queued' && this.#client.state !== STATE.open && this.#screen.isInteractive) {
      this.#note(`${gistOf(outgoing.data)} goes out when there is a connection`);
    }
    this.#beside();
  }

  #types(sender: Uid, conv: Conv): void {
    if (conv !== this.#target?.conv) return;
    clearTimeout(this.#typing.get(sender));
    this.#typing.set(
      sender,
      setTimeout(() => this.#stopTyping(sender), TYPING_SHOWN_MS),
    );
    this.#beside();
  }

  #stopTyping(sender: Uid): void {
    clearTimeout(this.#typing.get(sender));
    if (this.#typing.delete(sender)) this.#beside();
  }

  #present(presence: { readonly uid: Uid; readonly online: boolean; readonly lastSeen: number }): void {
    if (this.#target === undefined || otherIn(this.#target.conv, this.#me) !== presence.uid) return;
    const words = presenceWords(presence);
    if (words !== this.#presence) this.#note(words);
    this.#presence = words;
  }

  #beside(): void {
    const { uid, status, outgoing } = this.#client;
    const queued = outgoing.filter(({ state }) => state === 'queued').length;
    const mark = this.#mine && markOf(this.#mine, this.#client.peer(this.#mine.conv));
    this.#screen.show({
      connection: wordsOf(status),
      to: visible(`${uid ?? ''} → ${this.#target ? nameOf(this.#target.conv, uid) : '?'}`),
      facts: [
        ...(queued > 0 && this.#screen.isInteractive ? [`${queued} waiting`] : []),
        ...(mark !== undefined && mark !== 'stored' ? [`${this.#render.mark(mark)} ${mark}`] : []),
        ...[...this.#typing.keys()].map((name) => `${visible(name)} is typing`),
      ],
    });
  }

  get #me(): Uid {
    return this.#client.uid ?? ('' as Uid);
  }

  #view(conv: Conv) {
    return { current: this.#target?.conv, me: this.#me, peer: this.#client.peer(conv) };
  }

  #trouble(error: unknown): void {
    if (!(error instanceof SkeinError)) throw error;
    if (!this.#screen.isInteractive) this.refused++;
    this.#print([this.#render.trouble(`${error.code}: ${error.message}`)]);
  }

  #note(text: string): void {
    this.#print([this.#render.note(text)]);
  }

  #print(lines: readonly string[]): void {
    this.#screen.print(lines);
  }
}

export const EVERYBODY: Target = { conv: 'all' as Conv, to: { broadcast: true } };

/** Throws a SkeinError, as the client does where a name is out of form. */
export function userTarget(name: string, me: Uid): Target {
  const uid = parseUid(name);
  if (uid === undefined) throw new SkeinError('bad_request', `not a user name: ${name}`);
  return { conv: dmOf(uid, me), to: { receiver: uid } };
}

export function roomTarget(name: string): Target {
  const room = parseRoom(name);
  if (room === undefined) throw new SkeinError('bad_request', `not a room name: ${name}`);
  return { conv: roomConv(room), to: { room } };
}

/** The other side of a direct conversation; notes to self have none. */
function otherIn(conv: Conv, me: Uid): Uid | undefined {
  const named = parseConv(conv);
  if (named?.kind !== 'dm' || named.a === named.b) return undefined;
  return named.a === me ? named.b : named.a;
}

function presenceWords({ uid, online, lastSeen }: { uid: Uid; online: boolean; lastSeen: number }): string {
  if (online) return `${uid} is online`;
  return lastSeen > 0
    ? `${uid} is offline, last seen ${new Date(lastSeen).toLocaleString('sv-SE')}`
    : `${uid} is offline`;
}
