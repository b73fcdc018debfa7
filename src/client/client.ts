import {
  type Conv,
  DEFAULT_DEVICE,
  type Json,
  parseConv,
  parseDevice,
  parseMessageId,
  parseRoom,
  parseUid,
  type RoomId,
  TYPING_MS,
  type Uid,
} from '../protocol/index.js';
import { type Backoff, RECONNECT } from './backoff.js';
import { Credentials, type Identity } from './credentials.js';
import { Emitter, type Listener } from './events.js';
import { type Events, Exchange } from './exchange.js';
import { SkeinError } from './failure.js';
import type { Outgoing, Stored } from './outgoing.js';
import type { Peer } from './outgoings.js';
import { type Fetch, type SocketClass, surroundings } from './platform.js';
import type { Answers } from './requests.js';
import type { Status } from './status.js';
import { memoryStorage, type OutboxStorage, type Target } from './storage.js';
import type { TabSharing } from './tabs.js';
import type { OpenLink, TransportName } from './transports/link.js';
import { openPoll } from './transports/poll.js';
import { openSse } from './transports/sse.js';
import { openWebSocket } from './transports/websocket.js';

/** The form of a conversation's name. */
export type ConvName = Conv | 'all' | `dm:${string}:${string}` | `room:${string}`;

/** Exactly one addressee. */
export type To =
  | { readonly receiver: string; readonly room?: never; readonly broadcast?: never }
  | { readonly room: string; readonly receiver?: never; readonly broadcast?: never }
  | { readonly broadcast: true; readonly receiver?: never; readonly room?: never };

/** `id`: the idempotency key, where the application has its own; 1 to 64 printable ASCII characters. */
export type Draft = To & { readonly data: Json; readonly id?: string };

/** A page before or after a position; neither: the newest. `limit` 1 to 200, default 50. */
export type PageOf =
  | { readonly before?: number; readonly after?: never; readonly limit?: number }
  | { readonly after: number; readonly before?: never; readonly limit?: number };

/** All in milliseconds. */
export type Timing = {
  /** Without a sound, after which a line is tried. Default: as the server says, 25 s. */
  readonly heartbeat: number;
  /** For the answer to a heartbeat, to a send and to an HTTP request; default 10 s. */
  readonly patience: number;
  /** For the connection to be made; default 8 s. */
  readonly connect: number;
  /** For a request, time without a connection included; default 15 s. */
  readonly request: number;
  /** On a fallback transport, after which the best one is tried again; default 30 s. */
  readonly climb: number;
};

export type ClientOptions = Identity & {
  /** Any node, or the proxy before them: http(s) or ws(s), with a path where the proxy has one. */
  readonly url: string;
  /** This installation: 1 to 64 of `A-Z a-z 0-9 _ . -`. */
  readonly device?: string;
  /** Where there is none by nature: `ws` in Node below 22. */
  readonly WebSocket?: SocketClass;
  readonly fetch?: Fetch;
  /** Keeps what is not stored yet over a reload: indexedDbStorage, or one's own. Default: memory. */
  readonly outbox?: OutboxStorage;
  /** Where the application stands, if it keeps messages itself; see `cursors`. */
  readonly cursors?: Iterable<readonly [ConvName, number]>;
  /**
   * Which conversations are acknowledged when they were handed on; default: all. The others stay pending for this
   * device. Needs a WebSocket: streams and polls acknowledge all that they bring.
   */
  readonly acks?: (conv: Conv) => boolean;
  /** Lets the tabs of one browser be one device: shareTabs. */
  readonly tabs?: TabSharing;
  /** Best first; default: websocket, sse, poll. */
  readonly transports?: readonly [TransportName, ...TransportName[]];
  /** Seconds that a poll waits (0: short poll; default 15), and milliseconds between two polls (default 0). */
  readonly poll?: { readonly wait?: number; readonly pause?: number };
  readonly backoff?: Backoff;
  readonly timing?: Partial<Timing>;
};

const OPENERS: { readonly [K in TransportName]: OpenLink } = {
  websocket: openWebSocket,
  sse: openSse,
  poll: openPoll,
};

/**
 * A client of Skein: one user on one device. Every method that returns a promise rejects with a SkeinError. Methods may
 * be called in any state: what needs the server waits for it, for as long as `timing.request`, messages for ever.
 */
export class Client {
  readonly #emitter = new Emitter<Events>();
  readonly #exchange: Exchange;
  #typing: { readonly to: string | undefined; readonly at: number } = { to: undefined, at: 0 };

  /** Connects nothing yet. Throws a SkeinError, `bad_request`, where a name is out of form. */
  constructor(options: ClientOptions) {
    const { timing = {}, poll = {}, cursors = [] } = options;
    const socketClass = options.WebSocket ?? surroundings.WebSocket;
    const names = options.transports ?? (['websocket', 'sse', 'poll'] as const);
    const patience = timing.patience ?? 10_000;
    this.#exchange = new Exchange(
      {
        credentials: new Credentials(options),
        endpoint: {
          base: baseOf(options.url),
          device: named(parseDevice, options.device ?? DEFAULT_DEVICE, 'a device'),
          fetch: options.fetch ?? ((...request) => fetch(...request)),
          WebSocket: socketClass,
          heartbeat: timing.heartbeat,
          patience,
          poll: { wait: poll.wait ?? 15, pause: poll.pause ?? 0 },
        },
        transports: names
          .filter((name) => name !== 'websocket' || socketClass !== undefined)
          .map((name) => [name, OPENERS[name]]),
        backoff: options.backoff ?? RECONNECT,
        connectTimeout: timing.connect ?? 8_000,
        climbAfter: timing.climb ?? 30_000,
        requestTimeout: timing.request ?? 15_000,
        storage: options.outbox ?? memoryStorage(),
        tabs: options.tabs,
        acks: options.acks ?? (() => true),
        cursors: Array.from(cursors, ([conv, seq]) => [convNamed(conv), seq] as const),
      },
      this.#emitter,
    );
  }

  /** 0 connecting, 1 open, 2 closing, 3 closed; `status` says more. */
  get state(): Status['state'] {
    return this.status.state;
  }

  /** The state, and what belongs to it: the transport, or why it is closed and when the next try is. */
  get status(): Status {
    return this.#exchange.status;
  }

  /** This user as the server names them; undefined until that is known. */
  get uid(): Uid | undefined {
    return this.#exchange.uid;
  }

  /** How far each conversation was handed on. Kept beside the messages, and given to the next Client, it makes what
   * comes next begin right there. */
  get cursors(): readonly (readonly [Conv, number])[] {
    return this.#exchange.inbox.cursors;
  }

  /** One's own messages that are queued, failed, or stored and not yet read. */
  get outgoing(): readonly Outgoing[] {
    return this.#exchange.outgoings.all;
  }

  /** How far the other side of a dm has come, as far as is known; 0 if nowhere. */
  peer(conv: ConvName): Peer {
    return this.#exchange.outgoings.peer(convNamed(conv));
  }

  /** Listens until the returned function is called. */
  on<K extends keyof Events>(event: K, listener: Listener<Events[K]>): () => void {
    return this.#emitter.on(event, listener);
  }

  /** Connects, and goes on trying until `close`. While it waits for the next try: tries now. */
  connect(): void {
    this.#exchange.connect();
  }

  /** Ends the connection, after what is handed on was acknowledged. What is queued stays in the outbox. */
  close(): Promise<void> {
    return this.#exchange.close();
  }

  /** A newer token of the same user, on the live connection; not needed with `getToken`. */
  renew(token: string): void {
    this.#exchange.renew(token);
  }

  /**
   * Sends a message, now or when there is a connection. It goes out once, behind those sent before it to the same
   * addressee. Throws `bad_request` where a name is out of form.
   */
  send({ data, id, ...to }: Draft): Outgoing {
    if (data === undefined) throw new SkeinError('bad_request', 'data is missing');
    const given = id === undefined ? this.#exchange.nextId() : named(parseMessageId, id, 'a message id');
    return this.#exchange.send({ id: given, target: targetOf(to), data });
  }

  /** A page of a conversation, oldest first; `more`: there is more in the direction of reading. */
  async history(conv: ConvName, page: PageOf = {}): Promise<Pick<Answers['history'], 'messages' | 'more'>> {
    const { messages, more } = await this.#exchange.requests.ask({ type: 'history', conv: convNamed(conv), ...page });
    return { messages, more };
  }

  /** This user's conversations, newest first. `before`: a `ts` in milliseconds; `limit` 1 to 200, default 50. */
  async conversations(
    page: { readonly limit?: number; readonly before?: number } = {},
  ): Promise<Pick<Answers['conversations'], 'conversations' | 'more'>> {
    const { conversations, more } = await this.#exchange.requests.ask({ type: 'conversations', ...page });
    return { conversations, more };
  }

  /** This user has read a conversation up to here. */
  read(conv: ConvName, seq: number): void {
    this.#exchange.tell({ type: 'read', conv: convNamed(conv), seq });
  }

  /** This user is writing: call it at every key. Shown to the other side now or never; needs a WebSocket. */
  typing(to: Exclude<To, { readonly broadcast: true }>): void {
    const { receiver, room } = targetOf(to);
    const whom = receiver ?? room;
    if (this.#typing.to === whom && Date.now() - this.#typing.at < TYPING_MS) return;
    this.#typing = { to: whom, at: Date.now() };
    this.#exchange.tell(receiver ? { type: 'typing', receiver } : { type: 'typing', ...(room && { room }) });
  }

  /** Who of these users is online; each change comes as `presence`, until `unwatch`. At most 500 at a time. */
  async watch(uids: readonly string[]): Promise<Answers['watch']> {
    const names = [...new Set(uids.map(uidNamed))];
    for (const name of names) this.#exchange.watched.add(name);
    return names.length === 0 ? [] : this.#exchange.requests.ask({ type: 'watch', uids: names });
  }

  unwatch(uids: readonly string[]): void {
    const names = uids.map(uidNamed);
    for (const name of names) this.#exchange.watched.delete(name);
    this.#exchange.tell({ type: 'unwatch', uids: names });
  }

  /** Becomes a member; a public room that does not exist is created. Again: no error. */
  async join(room: string): Promise<Answers['join']> {
    return this.#exchange.requests.ask({ type: 'join', room: roomNamed(room) });
  }

  async leave(room: string): Promise<Answers['leave']> {
    return this.#exchange.requests.ask({ type: 'leave', room: roomNamed(room) });
  }

  /** Members by name, above `after`; `limit` 1 to 200, default 50. */
  async members(
    room: string,
    { limit, after }: { readonly limit?: number; readonly after?: string } = {},
  ): Promise<Pick<Answers['members'], 'members' | 'more'>> {
    const page = { ...(limit && { limit }), ...(after && { after: uidNamed(after) }) };
    const answer = await this.#exchange.requests.ask({ type: 'members', room: roomNamed(room), ...page });
    return { members: answer.members, more: answer.more };
  }

  /** Withdraws one's own message; needs a WebSocket, as edit and react do. */
  async recall(conv: ConvName, seq: number): Promise<Stored> {
    return this.#exchange.requests.ask({ type: 'recall', conv: convNamed(conv), seq });
  }

  /** Replaces the data of one's own message. */
  async edit(conv: ConvName, seq: number, data: Json): Promise<Stored> {
    return this.#exchange.requests.ask({ type: 'edit', conv: convNamed(conv), seq, data });
  }

  /** Adds this user's reaction to a message, or takes it away. `emoji`: 1 to 64 bytes. */
  async react(conv: ConvName, seq: number, emoji: string, on = true): Promise<Stored> {
    return this.#exchange.requests.ask({ type: 'react', conv: convNamed(conv), seq, emoji, on });
  }
}

function named<T>(parse: (value: unknown) => T | undefined, value: string, what: string): T {
  const name = parse(value);
  if (name === undefined) throw new SkeinError('bad_request', `not ${what}: ${value}`);
  return name;
}

const uidNamed = (uid: string): Uid => named(parseUid, uid, 'a user name');
const roomNamed = (room: string): RoomId => named(parseRoom, room, 'a room name');
const convNamed = (conv: string): Conv => named(parseConv, conv, 'a conversation').conv;

function targetOf(to: To): Target {
  const { receiver, room, broadcast } = to;
  const given = [receiver, room, broadcast].filter((one) => one !== undefined);
  if (given.length !== 1) throw new SkeinError('bad_request', 'exactly one of receiver, room and broadcast: true');
  if (receiver !== undefined) return { receiver: uidNamed(receiver) };
  return room === undefined ? { broadcast: true } : { room: roomNamed(room) };
}

/** `http(s)://host/path/`; relative to the page where there is one. */
function baseOf(text: string): string {
  const url = new URL(text.replace(/^ws(?=s?:)/, 'http'), surroundings.location?.href);
  return `${url.origin}${url.pathname.replace(/\/?$/, '/')}`;
}
