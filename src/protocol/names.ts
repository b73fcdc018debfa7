/**
 * Names: users, rooms, devices, message ids and conversations (protocol section 1).
 * Every parser returns the normalised name, or undefined where the form is wrong.
 */

declare const brand: unique symbol;
type Brand<T, B extends string> = T & { readonly [brand]: B };

/** A user: NFC, 1 to 64 code points. */
export type Uid = Brand<string, 'Uid'>;
/** A room: same form as a uid. */
export type RoomId = Brand<string, 'RoomId'>;
/** One installation of a client: 1 to 64 of `A-Z a-z 0-9 _ . -`. */
export type DeviceId = Brand<string, 'DeviceId'>;
/** A conversation: `dm:<a>:<b>`, `room:<room>` or `all`. */
export type Conv = Brand<string, 'Conv'>;
/** Chosen by the client: 1 to 64 printable ASCII characters. */
export type MessageId = Brand<string, 'MessageId'>;

export type Conversation =
  | { readonly kind: 'dm'; readonly conv: Conv; readonly a: Uid; readonly b: Uid }
  | { readonly kind: 'room'; readonly conv: Conv; readonly room: RoomId }
  | { readonly kind: 'all'; readonly conv: Conv };

const PLAIN_NAME = /^[A-Za-z0-9_.@+-]{1,64}$/;
const NAME = /^[\p{L}\p{Nd}_.@+-][\p{L}\p{M}\p{Nd}_.@+-]{0,63}$/u;
const DEVICE = /^[A-Za-z0-9_.-]{1,64}$/;
const MESSAGE_ID = /^[\x20-\x7e]{1,64}$/;

/** No name of 64 code points is longer than this in UTF-16 before NFC; longer input is refused unread. */
const NAME_UNITS_MAX = 512;

function parseName(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > NAME_UNITS_MAX) return undefined;
  if (PLAIN_NAME.test(value)) return value;
  const normal = value.normalize('NFC');
  return NAME.test(normal) ? normal : undefined;
}

export const parseUid = (value: unknown): Uid | undefined => parseName(value) as Uid | undefined;
export const parseRoom = (value: unknown): RoomId | undefined => parseName(value) as RoomId | undefined;

export const parseDevice = (value: unknown): DeviceId | undefined =>
  typeof value === 'string' && DEVICE.test(value) ? (value as DeviceId) : undefined;

export const parseMessageId = (value: unknown): MessageId | undefined =>
  typeof value === 'string' && MESSAGE_ID.test(value) ? (value as MessageId) : undefined;

export const DEFAULT_DEVICE = 'default' as DeviceId;
export const ALL = 'all' as Conv;

/** Negative, zero or positive, by code point: JavaScript's `<` compares UTF-16 units, which differs above U+FFFF. */
export function compareCodePoints(left: string, right: string): number {
  const end = Math.min(left.length, right.length);
  for (let i = 0; i < end; i++) {
    const l = left.charCodeAt(i);
    const r = right.charCodeAt(i);
    if (l === r) continue;
    const lHigh = l >= 0xd800 && l <= 0xdfff;
    const rHigh = r >= 0xd800 && r <= 0xdfff;
    if (lHigh !== rHigh) return lHigh ? 1 : -1;
    return l - r;
  }
  return left.length - right.length;
}

/** The conversation of two users, whichever comes first; of one user with oneself: notes to self. */
export function dmOf(one: Uid, other: Uid): Conv {
  return (compareCodePoints(one, other) <= 0 ? `dm:${one}:${other}` : `dm:${other}:${one}`) as Conv;
}

export const roomConv = (room: RoomId): Conv => `room:${room}` as Conv;

/** Reads a conversation's name; undefined unless it is canonical (names in form, smaller uid first). */
export function parseConv(value: unknown): Conversation | undefined {
  if (typeof value !== 'string') return undefined;
  if (value === ALL) return { kind: 'all', conv: ALL };
  if (value.startsWith('room:')) {
    const room = parseRoom(value.slice(5));
    return room && { kind: 'room', conv: roomConv(room), room };
  }
  if (!value.startsWith('dm:')) return undefined;
  const colon = value.indexOf(':', 3);
  if (colon < 0) return undefined;
  const a = parseUid(value.slice(3, colon));
  const b = parseUid(value.slice(colon + 1));
  if (a === undefined || b === undefined || compareCodePoints(a, b) > 0) return undefined;
  return { kind: 'dm', conv: `dm:${a}:${b}` as Conv, a, b };
}

/** The two uids of a conversation that is known to be a `dm`. */
export function sidesOf(dm: Conv): readonly [Uid, Uid] {
  const colon = dm.indexOf(':', 3);
  return [dm.slice(3, colon) as Uid, dm.slice(colon + 1) as Uid];
}

export const isDm = (conv: Conv): boolean => conv.charCodeAt(0) === 0x64;

/** A position in a conversation: a positive safe integer. */
export const isSeq = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;
