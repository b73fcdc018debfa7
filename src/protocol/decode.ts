/** From the text of a frame to a frame of the table, or a refusal; never an exception. */
import { CLIENT_FRAMES, type ClientFrameType, type FieldKind, type FrameOf } from './frames.js';
import { DATA_DEPTH_MAX, EMOJI_BYTES_MAX, PAGE_LIMIT_MAX, WATCH_MAX } from './limits.js';
import { isSeq, type MessageId, parseConv, parseDevice, parseMessageId, parseRoom, parseUid } from './names.js';

declare const raw: unique symbol;
/** The JSON text of a value as its sender wrote it, without white space between tokens. */
export type RawJson = string & { readonly [raw]: true };

/** A frame as the server sees it: `data` stays text, so that no number or escape changes on its way. */
export type Decoded<T extends ClientFrameType = ClientFrameType> = {
  [K in T]: Omit<FrameOf<K>, 'data'> & (FrameOf<K> extends { data: unknown } ? { readonly data: RawJson } : unknown);
}[T];

export type Refusal = { readonly type: 'refused'; readonly id?: MessageId; readonly message: string };

type Parsed = Readonly<Record<string, unknown>>;

const TOKEN_MAX = 8_192;
const TRY_MAX = 2 ** 31 - 1;

/** Decodes one frame. `data` deeper than 32 levels, names out of form and wrong types are refused. */
export function decode(text: string): Decoded | Refusal {
  const parsed = parseObject(text);
  if (parsed === undefined) return refuse('not a JSON object');
  const type = typeOf(parsed);
  if (type === undefined) return refuse('unknown type', parsed);
  return decodeAs(type, parsed, text);
}

/** Decodes text that is to be a frame of one type, such as a request's body: it may leave its `type` out. */
export function decodeBody<T extends ClientFrameType>(type: T, text: string): Decoded<T> | Refusal {
  const parsed = parseObject(text);
  if (parsed === undefined) return refuse('not a JSON object');
  const given = own(parsed, 'type');
  if (given !== undefined && given !== type) return refuse(`type: ${type}, or none`, parsed);
  return decodeAs(type, parsed, text) as Decoded<T> | Refusal;
}

/** Decodes fields that came as something else than a frame's text, such as a query. `data` is not read. */
export function decodeFields<T extends ClientFrameType>(type: T, fields: Parsed): Decoded<T> | Refusal {
  return decodeAs(type, fields, '') as Decoded<T> | Refusal;
}

/** The object that a text holds, or undefined if it is not JSON or not an object. */
export function parseObject(text: string): Parsed | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Parsed) : undefined;
}

function typeOf(parsed: Parsed): ClientFrameType | undefined {
  const type = own(parsed, 'type');
  if (type === undefined) {
    const isSend =
      Object.hasOwn(parsed, 'receiver') || Object.hasOwn(parsed, 'room') || Object.hasOwn(parsed, 'broadcast');
    return isSend ? 'send' : undefined;
  }
  return typeof type === 'string' && Object.hasOwn(CLIENT_FRAMES, type) ? (type as ClientFrameType) : undefined;
}

function decodeAs(type: ClientFrameType, parsed: Parsed, text: string): Decoded | Refusal {
  const given = own(parsed, 'id');
  const id = given === undefined ? undefined : parseMessageId(given);
  if (given !== undefined && id === undefined) return refuse('id: 1 to 64 printable ASCII characters');
  const frame: Record<string, unknown> = id === undefined ? { type } : { type, id };
  const fields: Readonly<Record<string, string>> = CLIENT_FRAMES[type];
  for (const name in fields) {
    const spec = fields[name] as FieldKind | `${FieldKind}?`;
    const optional = spec.endsWith('?');
    const value = own(parsed, name);
    if (value === undefined) {
      if (optional) continue;
      return refuse(`${name} is missing`, parsed);
    }
    const kind = (optional ? spec.slice(0, -1) : spec) as FieldKind;
    if (kind === 'data') {
      const data = rawMember(text, name);
      if (data === undefined) return refuse(`${name} nests deeper than ${DATA_DEPTH_MAX} levels`, parsed);
      frame[name] = data;
      continue;
    }
    const read = FIELDS[kind](value);
    if (read === undefined) return refuse(`${name}: ${EXPECTED[kind]}`, parsed);
    frame[name] = read;
  }
  const refusal = TARGETED.has(type) ? targetRefusal(frame, type === 'send') : undefined;
  return refusal === undefined ? (frame as unknown as Decoded) : refuse(refusal, parsed);
}

const TARGETED: ReadonlySet<ClientFrameType> = new Set(['send', 'typing']);

function targetRefusal(frame: Record<string, unknown>, mayBroadcast: boolean): string | undefined {
  if (frame.broadcast === false) delete frame.broadcast;
  const targets = Number('receiver' in frame) + Number('room' in frame) + Number('broadcast' in frame);
  if (targets === 1) return undefined;
  return mayBroadcast ? 'exactly one of receiver, room and broadcast:true' : 'exactly one of receiver and room';
}

function own(parsed: Parsed, name: string): unknown {
  return Object.hasOwn(parsed, name) ? parsed[name] : undefined;
}

function refuse(message: string, parsed?: Parsed): Refusal {
  const id = parsed && parseMessageId(own(parsed, 'id'));
  return id === undefined ? { type: 'refused', message } : { type: 'refused', id, message };
}

/** Reads one field; undefined where the value is out of form. */
const FIELDS: { readonly [K in Exclude<FieldKind, 'data'>]: (value: unknown) => unknown } = {
  uid: parseUid,
  room: parseRoom,
  device: parseDevice,
  conv: (value) => parseConv(value)?.conv,
  token: (value) => (typeof value === 'string' && value.length <= TOKEN_MAX ? value : undefined),
  ackMode: (value) => (value === 'auto' || value === 'manual' ? value : undefined),
  flag: (value) => (typeof value === 'boolean' ? value : undefined),
  true: (value) => (typeof value === 'boolean' ? value : undefined),
  count: (value) =>
    Number.isInteger(value) && (value as number) >= 0 && (value as number) <= TRY_MAX ? value : undefined,
  seq: (value) => (isSeq(value) ? value : undefined),
  position: (value) => (value === 0 || isSeq(value) ? value : undefined),
  limit: (value) => (isSeq(value) && value <= PAGE_LIMIT_MAX ? value : undefined),
  uids: parseUids,
  emoji: (value) => (typeof value === 'string' && isEmoji(value) ? value : undefined),
  boolean: (value) => (typeof value === 'boolean' ? value : undefined),
};

const EXPECTED: { readonly [K in Exclude<FieldKind, 'data'>]: string } = {
  uid: 'not a user name',
  room: 'not a room name',
  device: '1 to 64 of A-Z a-z 0-9 _ . -',
  conv: 'not a conversation',
  token: 'not a token',
  ackMode: 'auto or manual',
  flag: 'true or false',
  true: 'true',
  count: 'a whole number from 0 to 2147483647',
  seq: 'a positive safe integer',
  position: 'a safe integer, not negative',
  limit: `1 to ${PAGE_LIMIT_MAX}`,
  uids: `at most ${WATCH_MAX} user names`,
  emoji: `1 to ${EMOJI_BYTES_MAX} bytes`,
  boolean: 'true or false',
};

function parseUids(value: unknown): readonly string[] | undefined {
  if (!Array.isArray(value) || value.length > WATCH_MAX) return undefined;
  const uids = value.map(parseUid);
  return uids.includes(undefined) ? undefined : (uids as string[]);
}

function isEmoji(value: string): boolean {
  if (value.length === 0 || value.length > EMOJI_BYTES_MAX || !value.isWellFormed()) return false;
  return new TextEncoder().encode(value).length <= EMOJI_BYTES_MAX;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;

/**
 * The text of a top-level member of a JSON object, the last one of that name, as JSON.parse has it. The text must be
 * known to be valid. Undefined where the value nests too deep.
 */
export function rawMember(text: string, name: string): RawJson | undefined {
  let found: string | undefined;
  let depth = 0;
  let deepest = 0;
  let isKey = false;
  let start = -1;
  let spaced = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) {
      const end = endOfString(text, i);
      if (isKey) {
        isKey = false;
        if (JSON.parse(text.slice(i, end + 1)) === name) {
          start = text.indexOf(':', end) + 1;
          deepest = 0;
          spaced = false;
          i = start - 1;
          continue;
        }
      }
      i = end;
    } else if (c === 0x7b || c === 0x5b) {
      depth++;
      if (depth === 1) isKey = true;
      else if (depth - 1 > deepest) deepest = depth - 1;
    } else if (c === 0x7d || c === 0x5d || (c === 0x2c && depth === 1)) {
      if (depth === 1 && start >= 0) {
        if (deepest > DATA_DEPTH_MAX) return undefined;
        found = spaced ? withoutSpace(text.slice(start, i)) : text.slice(start, i);
        start = -1;
      }
      if (c === 0x2c) isKey = true;
      else depth--;
    } else if (c <= SPACE) spaced = true;
  }
  return found as RawJson;
}

function endOfString(text: string, quote: number): number {
  let end = text.indexOf('"', quote + 1);
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end;
}

function isEscaped(text: string, at: number): boolean {
  let i = at - 1;
  while (text.charCodeAt(i) === BACKSLASH) i--;
  return (at - i) % 2 === 0;
}

function withoutSpace(json: string): string {
  let compact = '';
  let from = 0;
  for (let i = 0; i < json.length; i++) {
    const c = json.charCodeAt(i);
    if (c === QUOTE) i = endOfString(json, i);
    else if (c <= SPACE) {
      compact += json.slice(from, i);
      from = i + 1;
    }
  }
  return compact + json.slice(from);
}
