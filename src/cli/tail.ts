/** `skein tail`: what a device receives, one JSON object a line. What was written is acknowledged; nothing else is. */
import type { CommandModule } from 'yargs';
import type { Client, Conv, ConvName, MessageFrame, TruncatedFrame } from '../client/index.js';
import { STATE } from '../client/index.js';
import { parseConv, roomConv } from '../protocol/index.js';
import { secondsOf } from './durations.js';
import { say, Usage } from './ending.js';
import { writeLine } from './output.js';
import { type Line, lineTo, REACH_OPTIONS, type ReachFlags, reachOf, seconds, TIMEOUT_OPTION } from './reach.js';
import { roomNamed } from './send.js';
import { safeJson } from './text.js';
import { wordsOf } from './words.js';

const DEVICE = 'tail';
const PAGE = 200;

type Flags = ReachFlags & {
  readonly room?: string | undefined;
  readonly conv?: string | undefined;
  readonly since?: string | undefined;
  readonly count?: number | undefined;
  readonly follow: boolean;
  readonly device: string;
  readonly timeout: number;
};

/** After a place in one conversation, or from a time (milliseconds since 1970) on. */
type Since = { readonly seq: number } | { readonly ts: number };

export const tailCommand: CommandModule<object, Flags> = {
  command: 'tail',
  describe: 'Print what arrives as JSON lines, for scripts and pipes',
  builder: (yargs) =>
    yargs
      .options({
        room: { type: 'string', requiresArg: true, describe: 'Only this room' },
        conv: { type: 'string', requiresArg: true, describe: 'Only this conversation: dm:A:B, room:tea or all' },
        since: {
          type: 'string',
          requiresArg: true,
          describe:
            'First what is already there: after a seq (of one conversation), from a time, or of the last 15m, 2h, 3d',
        },
        count: { type: 'number', requiresArg: true, describe: 'End after so many messages' },
        follow: { type: 'boolean', default: true, describe: 'Wait for more; --no-follow ends after what is pending' },
        device: { type: 'string', default: DEVICE, describe: 'What was written once does not come again to it' },
        ...TIMEOUT_OPTION,
        ...REACH_OPTIONS,
      })
      .conflicts('room', 'conv')
      .example('$0 tail --uid A', 'everything that A receives')
      .example('$0 tail --uid A --room tea --since 2h | jq -r .data', 'a room, with its last two hours')
      .example('$0 tail --uid A --count 1', 'wait for one message'),
  async handler(flags) {
    const conv = convOf(flags);
    const since = sinceOf(flags.since, conv);
    const { count } = flags;
    if (count !== undefined && !(Number.isSafeInteger(count) && count > 0)) throw new Usage('--count: 1 or more');
    // Streams and polls acknowledge all that they bring, and polls don't say when nothing more is pending.
    const line = lineTo(reachOf(flags), flags.device, {
      ...((conv !== undefined || !flags.follow) && { transports: ['websocket'] }),
      ...(conv !== undefined && { acks: (one) => one === conv }),
    });
    tellStates(line);
    const tail = new Tail(line.client, conv, count ?? Number.POSITIVE_INFINITY);
    const synced = new Promise<void>((resolve) => line.client.on('synced', () => resolve()));
    const whole = async (): Promise<void> => {
      await line.opened(seconds(flags.timeout));
      await tail.begin(since);
      await (flags.follow ? tail.done : synced.then(() => tail.written()));
    };
    await Promise.race([tail.done, line.over, whole()]);
    // The last line is acknowledged in the turn after its handling ended.
    await new Promise((resolve) => setImmediate(resolve));
  },
};

function convOf({ room, conv }: Flags): Conv | undefined {
  if (room !== undefined) return roomConv(roomNamed(room));
  const named = conv === undefined ? undefined : parseConv(conv);
  if (conv !== undefined && named === undefined) {
    throw new Usage(`--conv: dm:A:B with the smaller name first, room:<name> or all; not ${conv}`);
  }
  return named?.conv;
}

function sinceOf(text: string | undefined, conv: Conv | undefined): Since | undefined {
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) {
    if (conv === undefined) throw new Usage('--since with a seq needs --room or --conv: each conversation has its own');
    if (Number.isSafeInteger(Number(text))) return { seq: Number(text) };
  }
  const age = secondsOf(text);
  const ts = age === undefined ? Date.parse(text) : Date.now() - age * 1_000;
  if (Number.isNaN(ts)) throw new Usage(`--since: a seq, a time such as 2026-01-31T09:00, or 15m, 2h, 3d; not ${text}`);
  return { ts };
}

function tellStates({ client, trouble }: Line): void {
  let wasOpen = false;
  client.on('state', (status) => {
    if (status.state === STATE.open && wasOpen) say('connected again');
    if (status.state === STATE.closed && status.next !== undefined)
      say(`${wordsOf(status)}; ${trouble() ?? status.reason}`);
    wasOpen ||= status.state === STATE.open;
  });
}

class Tail {
  /** Resolves when as many messages as were asked for are written; rejects when writing failed. */
  readonly done: Promise<void>;
  readonly #client: Client;
  readonly #conv: Conv | undefined;
  readonly #written = new Map<Conv, number>();
  #left: number;
  #begin!: () => void;
  #finish!: () => void;
  #fail!: (error: unknown) => void;
  #tasks = Promise.resolve();
  readonly #begun = new Promise<void>((resolve) => {
    this.#begin = resolve;
  });

  constructor(client: Client, conv: Conv | undefined, count: number) {
    this.#client = client;
    this.#conv = conv;
    this.#left = count;
    this.done = new Promise((resolve, reject) => {
      this.#finish = resolve;
      this.#fail = reject;
    });
    client.on('message', (message) => this.#take(message));
    client.on('truncated', (truncated) => this.#take(truncated));
  }

  /** Writes what `since` asks for, and only then what arrives. */
  async begin(since: Since | undefined): Promise<void> {
    const conv = this.#conv;
    if (conv !== undefined) await this.#client.history(conv, { limit: 1 });
    if (since !== undefined && 'seq' in since) await this.#replay(conv!, since.seq);
    else if (since !== undefined) {
      const from = since.ts;
      for (const one of conv === undefined ? await this.#stirredSince(from) : [conv]) {
        await this.#replay(one, await this.#placeBefore(one, from), from);
      }
    }
    this.#begin();
  }

  /** Resolves when everything that arrived so far is written. */
  async written(): Promise<void> {
    await this.#begun;
    await this.#tasks;
  }

  #take(frame: MessageFrame | TruncatedFrame): Promise<void> | undefined {
    if (this.#conv !== undefined && frame.conv !== this.#conv) return undefined;
    if (frame.type === 'truncated' && frame.reason === 'restart') return undefined;
    const task = this.#tasks.then(async () => {
      await this.#begun;
      await this.#write(frame);
    });
    this.#tasks = task;
    return task;
  }

  /** Never resolves for what is not written: it must not be acknowledged. */
  async #write(frame: MessageFrame | TruncatedFrame): Promise<void> {
    const seq = frame.type === 'message' ? frame.seq : frame.to;
    if (seq <= (this.#written.get(frame.conv) ?? 0)) return;
    if (this.#left === 0) return new Promise(() => undefined);
    try {
      await writeLine(safeJson(frame));
    } catch (error) {
      this.#fail(error);
      return new Promise(() => undefined);
    }
    this.#written.set(frame.conv, seq);
    if (frame.type === 'message' && --this.#left === 0) this.#finish();
  }

  async #replay(conv: ConvName, after: number, from = 0): Promise<void> {
    for (let place = after, more = true; more && this.#left > 0; ) {
      const page = await this.#client.history(conv, { after: place, limit: PAGE });
      for (const message of page.messages) {
        place = message.seq;
        if (message.ts >= from && message.blocked !== true && this.#left > 0) await this.#write(message);
      }
      more = page.more && page.messages.length > 0;
    }
  }

  /** A place in front of everything since then, at most a page too early. */
  async #placeBefore(conv: ConvName, from: number): Promise<number> {
    for (let before: number | undefined; ; ) {
      const { messages, more } = await this.#client.history(conv, { limit: PAGE, ...(before && { before }) });
      const oldest = messages[0];
      if (oldest === undefined) return 0;
      if (oldest.ts < from || !more) return oldest.seq - 1;
      before = oldest.seq;
    }
  }

  async #stirredSince(from: number): Promise<readonly Conv[]> {
    const found: Conv[] = [];
    for (let before: number | undefined; ; ) {
      const page = await this.#client.conversations({ limit: PAGE, ...(before && { before }) });
      const fresh = page.conversations.filter(({ at, last }) => (at ?? last?.ts ?? 0) >= from);
      found.push(...fresh.map(({ conv }) => conv));
      before = page.conversations.at(-1)?.at;
      if (!page.more || before === undefined || fresh.length < page.conversations.length) return found;
    }
  }
}
