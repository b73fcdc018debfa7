/** A chat in progress: one conversation in the window, the others heard of. */
import { type Client, type Conv, type MessageFrame, type Outgoing, SkeinError, STATE } from '../../client/index.js';
import { dmOf, roomConv, type Uid } from '../../protocol/index.js';
import { visible } from '../text.js';
import { wordsOf } from '../words.js';
import { type CommandName, entryOf, helpLines } from './commands.js';
import { conversationLines, presenceWords, presentLines } from './listings.js';
import { gistOf, markOf, nameOf, type Renderer } from './render.js';
import type { Screen } from './screen.js';
import { EVERYBODY, otherIn, roomTarget, type Target, userTarget } from './target.js';
import { Typists } from './typists.js';
import { Waiting } from './waiting.js';

const PAGE_MAX = 200;

export type ChatOptions = {
  /** Entries of history at the start. */
  readonly history: number;
  /** In a pipe an unknown command is a text, and with `isPlain` every line is one. */
  readonly isPlain: boolean;
};

export class Chat {
  /** Messages that the server refused for good. */
  refused = 0;
  readonly waiting = new Waiting();
  readonly #client: Client;
  readonly #screen: Screen;
  readonly #render: Renderer;
  readonly #options: ChatOptions;
  readonly #shown = new Map<Conv, number>();
  readonly #typists = new Typists(() => this.#beside());
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
    client.on('typing', ({ sender, room }) => {
      const conv = room ? roomConv(room) : dmOf(sender, this.#me);
      if (conv === this.#target?.conv) this.#typists.types(sender);
    });
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
    else if (conversations.length > 0) this.#print(await conversationLines(this.#client));
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
      await this.#run(entry.name, entry.argument);
    }
    return false;
  }

  async #say(text: string): Promise<void> {
    if (text.trim() === '') return;
    const target = this.#target;
    if (target === undefined) {
      const error = new SkeinError('bad_request', 'to whom? /to <user> or /room <room>');
      if (!this.#screen.isInteractive) throw error;
      return this.#trouble(error);
    }
    await this.waiting.add(this.#client.send({ ...target.to, data: text.replace(/\n+$/, '') }));
  }

  /** A script's lines take effect in their order, and end where one fails, or the rest would go to the wrong place. */
  async #run(name: Exclude<CommandName, 'quit'>, argument: string): Promise<void> {
    if (!this.#screen.isInteractive) await this.waiting.over();
    try {
      await this.#obey(name, argument);
    } catch (error) {
      if (!this.#screen.isInteractive || !(error instanceof SkeinError)) throw error;
      this.#trouble(error);
    }
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
        return this.#print(await conversationLines(this.#client));
      case 'who':
        return this.#print(await presentLines(this.#client, this.#current()));
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
    for (const message of messages) this.#own(message);
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
    this.#print(entries.flatMap((message) => this.#render.entry(message, this.#view(message.conv))));
  }

  #take(message: MessageFrame): void {
    if (message.seq <= (this.#shown.get(message.conv) ?? 0)) return;
    this.#shown.set(message.conv, message.seq);
    this.#own(message);
    this.#typists.stops(message.sender);
    this.#print(this.#render.entry(message, this.#view(message.conv)));
    const isBefore = message.conv === this.#target?.conv && this.#screen.isInteractive;
    if (isBefore && message.sender !== this.#me) this.#client.read(message.conv, message.seq);
    this.#beside();
  }

  #own(message: MessageFrame): void {
    const isOwn = message.sender === this.#me && message.op === undefined && message.conv === this.#target?.conv;
    if (isOwn) this.#mine = message;
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
        ...this.#typists.names.map((name) => `${visible(name)} is typing`),
      ],
    });
  }

  get #me(): Uid {
    return this.#client.uid ?? ('' as Uid);
  }

  #view(conv: Conv) {
    return { current: this.#target?.conv, me: this.#me, peer: this.#client.peer(conv) };
  }

  #trouble(error: SkeinError): void {
    this.#print([this.#render.trouble(`${error.code}: ${error.message}`)]);
  }

  #note(text: string): void {
    this.#print([this.#render.note(text)]);
  }

  #print(lines: readonly string[]): void {
    this.#screen.print(lines);
  }
}
