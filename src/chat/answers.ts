/** Frames that a server writes, put together once for every transport. */
import { rawMember } from '../protocol/decode.js';
import type { Conv, ErrorCode, MessageId, ServerFrame, TruncatedReason } from '../protocol/index.js';
import { frameOf, type Item, idMember, placeOf, tsOf } from './item.js';
import type { Receipt } from './ports.js';
import type { Conversed } from './social-ports.js';

export const encode = (frame: ServerFrame): string => JSON.stringify(frame);

export function sentFrame(id: MessageId | undefined, conv: Conv, seq: number, ts: number, dup: boolean): string {
  return `{"type":"sent",${idMember(id)}"conv":"${conv}","seq":${seq},"ts":${ts}${dup ? ',"dup":true}' : '}'}`;
}

/** The answer to a stored send, as the hint of its entry tells it. */
export function sentOf(id: MessageId | undefined, item: Item): string {
  const { conv, seq, tsAt } = placeOf(item);
  return sentFrame(id, conv, seq, tsOf(item, tsAt), false);
}

export function errorFrame(id: MessageId | undefined, code: ErrorCode, message: string, retry?: number): string {
  return encode({
    type: 'error',
    ...(id === undefined ? {} : { id }),
    code,
    message,
    ...(retry === undefined ? {} : { retry }),
  });
}

export const receiptFrame = (receipt: Receipt): string => encode({ type: 'receipt', ...receipt });

export function truncatedFrame(conv: Conv, from: number, to: number, reason: TruncatedReason): string {
  return encode({ type: 'truncated', conv, from, to, reason });
}

/** `{"type":"history",…}` with the messages spliced in as they are stored. */
export function pageFrame(id: MessageId | undefined, conv: Conv, frames: readonly string[], more: boolean): string {
  return `{"type":"history",${idMember(id)}"conv":"${conv}","messages":[${frames.join(',')}],"more":${more}}`;
}

/** One conversation of a list, with its last message spliced in. */
export function summaryOf(conversed: Conversed, blocks: ReadonlySet<string>): string {
  const { last, conv, head, read, unread, peer, at } = conversed;
  const rest = JSON.stringify({ conv, head, read, unread, at, ...(peer ? { peer } : {}) });
  return `${rest.slice(0, -1)},"last":${last === undefined ? 'null' : viewOf(last, blocks)}}`;
}

export function conversationsFrame(id: MessageId | undefined, summaries: readonly string[], more: boolean): string {
  return `{"type":"conversations",${idMember(id)}"conversations":[${summaries.join(',')}],"more":${more}}`;
}

/** What a viewer sees of an item: without its data where they block its sender, and without reactions of the blocked. */
export function viewOf(item: Item, blocks: ReadonlySet<string>): string {
  const frame = frameOf(item);
  if (blocks.size === 0) return frame;
  const message: Record<string, unknown> = JSON.parse(frame);
  if (!blocks.has(String(message.sender))) return withoutReactionsOf(blocks, frame, message.reactions);
  const { data: _, emoji: __, reactions: ___, ...rest } = message;
  return JSON.stringify({ ...rest, blocked: true });
}

/** The reactions are a frame's last member; all before them stays as it was written. */
function withoutReactionsOf(blocks: ReadonlySet<string>, frame: string, reactions: unknown): string {
  if (reactions === undefined) return frame;
  const all = Object.entries(reactions as Readonly<Record<string, readonly string[]>>);
  if (!all.some(([, uids]) => uids.some((uid) => blocks.has(uid)))) return frame;
  const left = all.map(([emoji, uids]) => [emoji, uids.filter((uid) => !blocks.has(uid))] as const);
  const shown = left.filter(([, uids]) => uids.length > 0);
  const pairs = shown.map(([emoji, uids]) => `${JSON.stringify(emoji)}:${JSON.stringify(uids)}`);
  const before = frame.slice(0, -`,"reactions":${rawMember(frame, 'reactions')}}`.length);
  return `${before}${pairs.length > 0 ? `,"reactions":{${pairs.join(',')}}` : ''}}`;
}

/** The words that go with an error code where the request itself says nothing more. */
export const WORDS: Readonly<Record<ErrorCode, string>> = {
  bad_request: 'the request is out of form',
  unauthorized: 'no valid credentials',
  forbidden: 'this is not yours to do',
  not_member: 'not a member of this room',
  not_found: 'there is no such thing',
  conflict: 'a room of this name exists',
  too_large: 'too large',
  rate_limited: 'too many requests',
  internal: 'something went wrong here; nothing took effect',
  unavailable: 'the store cannot be reached; repeat with the same id',
  box_full: 'the receiver has too much pending; repeat when they have been back',
};

/** Milliseconds after which a repeat makes sense, spread so that not everybody repeats at once. */
export const retryAfter = (): number => 200 + Math.floor(Math.random() * 800);
