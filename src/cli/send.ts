/**
 * `skein send`: one message, stored when the command ends with 0. It goes by HTTP and not as a device: a script that only
 * speaks must not be taken for a reader, shown as online, or handed what is pending.
 */
import type { CommandModule } from 'yargs';
import { fullJitter, REPEAT } from '../client/backoff.js';
import { Credentials } from '../client/credentials.js';
import { isPassing, SkeinError } from '../client/failure.js';
import { idSource } from '../client/ids.js';
import { HttpCalls } from '../client/transports/http.js';
import {
  CLOSE,
  type ClientFrame,
  DEFAULT_DEVICE,
  type ErrorFrame,
  type Json,
  type MessageId,
  parseMessageId,
  parseRoom,
  type SentFrame,
  type ServerFrame,
} from '../protocol/index.js';
import { Failure, Usage } from './ending.js';
import { textIn } from './input.js';
import { writeLine } from './output.js';
import {
  REACH_OPTIONS,
  type Reach,
  type ReachFlags,
  reachingFetch,
  reachOf,
  seconds,
  TIMEOUT_OPTION,
  uidNamed,
} from './reach.js';
import { safeJson } from './text.js';

type Flags = ReachFlags & {
  /** The command itself, and what stands behind `--`. */
  readonly _: readonly (string | number)[];
  readonly message?: readonly string[] | undefined;
  readonly to?: string | undefined;
  readonly room?: string | undefined;
  readonly all?: boolean | undefined;
  readonly id?: string | undefined;
  readonly data?: string | undefined;
  readonly reply?: number | undefined;
  readonly json?: boolean | undefined;
  readonly timeout: number;
};

export const sendCommand: CommandModule<object, Flags> = {
  command: 'send [message..]',
  describe: 'Send one message, and end when it is stored',
  builder: (yargs) =>
    yargs
      .positional('message', { type: 'string', array: true, describe: 'The text; without it, standard input' })
      .options({
        to: { type: 'string', requiresArg: true, describe: 'A user' },
        room: { type: 'string', requiresArg: true, describe: 'A room that you are a member of' },
        all: { type: 'boolean', describe: 'Everybody' },
        id: { type: 'string', requiresArg: true, describe: 'Idempotency key: sent again, it is stored once' },
        data: { type: 'string', requiresArg: true, describe: 'Any JSON instead of a text' },
        reply: { type: 'number', requiresArg: true, describe: 'The seq of the message that this one answers' },
        json: { type: 'boolean', describe: 'Print the answer as JSON; else: conversation, seq' },
        ...TIMEOUT_OPTION,
        ...REACH_OPTIONS,
      })
      .conflicts('data', 'reply')
      .example('$0 send --uid A --to B hello there', 'to a user')
      .example('make 2>&1 | tail -5 | $0 send --uid ci --room builds', 'from a pipe')
      .example('$0 send --uid ci --room builds --id build-17 "17 is green"', 'safe to repeat'),
  async handler(flags) {
    const reach = reachOf(flags);
    const frame: ClientFrame = { type: 'send', id: idOf(flags), ...targetOf(flags), data: await dataOf(flags) };
    const sent = await stored(frame, reach, seconds(flags.timeout));
    const { conv, seq, ts, dup } = sent;
    const shown = flags.json
      ? safeJson({ id: frame.id, conv, seq, ts, ...(dup && { dup }) })
      : `${conv} ${seq}${dup ? ' dup' : ''}`;
    await writeLine(shown);
  },
};

function targetOf({ to, room, all }: Flags) {
  if ([to, room, all || undefined].filter((one) => one !== undefined).length !== 1) {
    throw new Usage('to whom? exactly one of --to, --room and --all');
  }
  if (to !== undefined) return { receiver: uidNamed(to) };
  return room === undefined ? { broadcast: true as const } : { room: roomNamed(room) };
}

export function roomNamed(text: string): NonNullable<ReturnType<typeof parseRoom>> {
  const room = parseRoom(text);
  if (room === undefined) throw new Usage(`not a room name: ${text}`);
  return room;
}

function idOf({ id }: Flags): MessageId {
  if (id === undefined) return idSource()();
  const parsed = parseMessageId(id);
  if (parsed === undefined) throw new Usage('--id: 1 to 64 printable ASCII characters');
  return parsed;
}

async function dataOf({ message = [], _: [, ...rest], data, reply }: Flags): Promise<Json> {
  const words = [...message, ...rest];
  if (data !== undefined) {
    if (words.length > 0) throw new Usage('a message, or --data: not both');
    return jsonOf(data);
  }
  const text = words.length > 0 ? words.join(' ') : await textIn(process.stdin);
  if (text === '') throw new Usage('there is no message: give it as an argument or on standard input');
  return reply === undefined ? text : { text, reply };
}

function jsonOf(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw new Usage(`--data: not JSON (${error instanceof Error ? error.message : error})`);
  }
}

/** Repeats it under its id until it is stored, refused for good, or the time is over. */
async function stored(frame: ClientFrame, reach: Reach, within: number): Promise<SentFrame> {
  const deadline = Date.now() + within;
  for (let attempt = 0; ; attempt++) {
    const answer = await ask(frame, reach, deadline - Date.now());
    if (answer.type === 'sent') return answer;
    const error = SkeinError.of(answer as ErrorFrame);
    const wait = Math.max(error.retry ?? 0, fullJitter(REPEAT, attempt));
    if (!isPassing(error) || Date.now() + wait > deadline) throw failureTo(frame, error);
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

function failureTo(frame: ClientFrame, error: SkeinError): Failure {
  const isOutside = error.code === 'not_member' || error.code === 'not_found';
  if (!isOutside || !('room' in frame)) return Failure.of(error);
  return new Failure(`${error.message} (only members write to a room; skein chat --room joins one)`, error.code);
}

/** One request; a connection that fails is `unavailable`. */
function ask(frame: ClientFrame, { url, identity }: Reach, within: number): Promise<ServerFrame> {
  return new Promise((resolve) => {
    const refuse = (code: ErrorFrame['code'], message: string) => resolve({ type: 'error', code, message });
    const endpoint = {
      base: url,
      device: DEFAULT_DEVICE,
      fetch: reachingFetch,
      WebSocket: undefined,
      heartbeat: undefined,
      patience: within,
      poll: { wait: 0, pause: 0 },
    };
    const calls = new HttpCalls(endpoint, new Credentials(identity).known, {
      frame: resolve,
      down: ({ code, reason }) =>
        code === CLOSE.unauthorized.code
          ? refuse('unauthorized', reason)
          : refuse('unavailable', `no answer from ${url}: ${reason.replace(/^(\w*Error: )+/, '')}`),
      ready: () => undefined,
      garbled: () => undefined,
      unsupported: () => undefined,
      settled: async () => undefined,
    });
    void calls.send(frame);
  });
}
