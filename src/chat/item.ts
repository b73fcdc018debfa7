/**
 * An item of a log, as it is stored and hinted: one mark character, then the frame exactly as it will be sent.
 *
 *     3{"type":"message","conv":"dm:A:B","seq":1760000000000001,"ts":1760000000000,"id":"c1",…}
 *
 * The mark says what the service must know of an entry without parsing it. The frame begins with type, conv, seq and
 * ts in that order and holds no white space between members, so that all four are found by position.
 */

import type { RawJson } from '../protocol/decode.js';
import type { Conv, MessageId, RoomId, SystemEvent, Uid } from '../protocol/index.js';

/** Bits of the mark, added to the digit '0'. */
export const MARK = {
  /** Written by the greater side of a `dm` (clear: by the smaller side, or in another kind of conversation). */
  greater: 1,
  /** Has an `op`: not counted as unread or pending. */
  op: 2,
  /** The first entry that its conversation ever had: nothing came before it. */
  first: 4,
} as const;

const MARK_ZERO = 0x30;
const CONV_AT = 1 + '{"type":"message","conv":"'.length;
const SEQ_LABEL = '","seq":'.length;
const TS_LABEL = ',"ts":'.length;

export type Item = string;

export const frameOf = (item: Item): string => item.slice(1);
export const hasMark = (item: Item, bit: number): boolean => ((item.charCodeAt(0) - MARK_ZERO) & bit) !== 0;

/** The conversation and seq of an item, and where its ts begins. */
export function placeOf(item: Item): { readonly conv: Conv; readonly seq: number; readonly tsAt: number } {
  const convEnd = item.indexOf('"', CONV_AT);
  const seqEnd = item.indexOf(',', convEnd + SEQ_LABEL);
  return {
    conv: item.slice(CONV_AT, convEnd) as Conv,
    seq: Number(item.slice(convEnd + SEQ_LABEL, seqEnd)),
    tsAt: seqEnd + TS_LABEL,
  };
}

export const seqOf = (item: Item): number => placeOf(item).seq;

/** Milliseconds since 1970 at which an item was stored. */
export function tsOf(item: Item, tsAt = placeOf(item).tsAt): number {
  return Number(item.slice(tsAt, item.indexOf(',', tsAt)));
}

/** Who wrote an item. An id before it cannot be mistaken for it: there the quotes are escaped. */
export function senderOf(item: Item): Uid {
  const from = item.indexOf('"sender":"') + '"sender":"'.length;
  return item.slice(from, item.indexOf('"', from)) as Uid;
}

/** Puts an item together as every backend must. */
export function itemOf(mark: number, conv: Conv, seq: number, ts: number, tail: string): Item {
  return `${String.fromCharCode(MARK_ZERO + mark)}{"type":"message","conv":"${conv}","seq":${seq},"ts":${ts},${tail}`;
}

export type Target = { readonly receiver: Uid } | { readonly room: RoomId } | { readonly broadcast: true };

/** What follows `ts` in the frame of a message. Names need no escaping by their alphabet; ids do. */
export function messageTail(id: MessageId | undefined, sender: Uid, target: Target, data: RawJson): string {
  return `${idMember(id)}"sender":"${sender}",${targetMember(target)},"data":${data}}`;
}

export function systemTail(
  sender: Uid,
  room: RoomId,
  data: {
    readonly event: SystemEvent;
    readonly uid: Uid;
    readonly by: Uid;
    readonly role?: string;
    readonly name?: string;
  },
): string {
  return `"sender":"${sender}","room":"${room}","op":"system","data":${JSON.stringify(data)}}`;
}

export function idMember(id: MessageId | undefined): string {
  if (id === undefined) return '';
  return /["\\]/.test(id) ? `"id":${JSON.stringify(id)},` : `"id":"${id}",`;
}

export function targetMember(target: Target): string {
  if ('receiver' in target) return `"receiver":"${target.receiver}"`;
  return 'room' in target ? `"room":"${target.room}"` : '"broadcast":true';
}
