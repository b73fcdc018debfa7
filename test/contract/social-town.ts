/** What the laws of the social ports speak of: people who change what was said, and who look at their conversations. */
import { frameOf, hasMark, type Item, MARK, targetMember } from '../../src/chat/item.js';
import type { Letter } from '../../src/chat/ports.js';
import type { Amendment, Conversed, Original } from '../../src/chat/social-ports.js';
import {
  ALL,
  type Conv,
  isDm,
  type MessageFrame,
  type MessageId,
  type RoomId,
  sidesOf,
  type Uid,
} from '../../src/protocol/index.js';
import { EVERYBODY, inRoom, letter, type Place, type Stored, stored, to } from './town.js';

export type Change =
  | { readonly op: 'edit'; readonly data: string }
  | { readonly op: 'recall' }
  | { readonly op: 'react'; readonly emoji: string; readonly on: boolean };

export const messageOf = (item: Item): MessageFrame => JSON.parse(frameOf(item));

/** The entry that says so, as the domain writes it. */
export function amending(sender: Uid, conv: Conv, seq: number, { op, ...what }: Change, id?: string): Letter {
  const target = targetOf(sender, conv);
  const members = JSON.stringify({ ...(id !== undefined && { id }), sender }).slice(1, -1);
  const rest = JSON.stringify({ op, ref: seq, ...what }).slice(1);
  const tail = `${members},${targetMember(target)},${rest}`;
  return { ...letter(sender, target, ''), conv, id: id as MessageId | undefined, tail };
}

function targetOf(sender: Uid, conv: Conv) {
  if (conv === ALL) return EVERYBODY;
  if (!isDm(conv)) return inRoom(conv.slice('room:'.length) as RoomId);
  const [a, b] = sidesOf(conv);
  return to(a === sender ? b : a);
}

/** What becomes of a message. */
export function changedBy(message: MessageFrame, sender: Uid, change: Change): MessageFrame {
  const { data, edited, reactions = {}, ...rest } = message;
  if (change.op === 'recall') return { ...rest, recalled: true };
  const isEdited = change.op === 'edit' || edited === true;
  const after = change.op === 'react' ? reacted(reactions, sender, change) : reactions;
  return {
    ...rest,
    ...(change.op === 'edit' ? { data: change.data } : data !== undefined && { data }),
    ...(isEdited && { edited: true as const }),
    ...(Object.keys(after).length > 0 && { reactions: after }),
  };
}

type Reactions = NonNullable<MessageFrame['reactions']>;

function reacted(before: Reactions, uid: Uid, { emoji, on }: { emoji: string; on: boolean }): Reactions {
  const { [emoji]: uids = [], ...others } = before;
  const after = [...uids.filter((each) => each !== uid), ...(on ? [uid] : [])];
  return after.length > 0 ? { ...others, [emoji]: after } : others;
}

const withFrame = (item: Item, message: MessageFrame): Item => item[0] + JSON.stringify(message);

/** An amendment of a message as it was read. */
export function amendment(sender: Uid, conv: Conv, seq: number, original: Original, change: Change, id?: string) {
  const was = original.item!;
  const becomes = withFrame(was, changedBy(messageOf(was), sender, change));
  const emptied = original.edits.map(({ seq: edit, item }) => {
    const { data: _, ...rest } = messageOf(item);
    return { seq: edit, was: item, becomes: withFrame(item, rest) };
  });
  const replace = [{ seq, was, becomes }, ...(change.op === 'recall' ? emptied : [])];
  return { letter: amending(sender, conv, seq, change, id), op: change.op, ref: seq, replace } satisfies Amendment;
}

/** Changes a message, which must not be recalled. */
export async function amends(
  place: Place,
  sender: Uid,
  conv: Conv,
  seq: number,
  change: Change,
  id?: string,
): Promise<Stored> {
  const outcome = await amendsUnlessRecalled(place, sender, conv, seq, change, id);
  if (outcome === undefined) throw new Error(`recalled: ${conv} ${seq}`);
  return outcome;
}

/** Changes a message as the domain does: on what was read, and again if that changed meanwhile. */
export async function amendsUnlessRecalled(
  place: Place,
  sender: Uid,
  conv: Conv,
  seq: number,
  change: Change,
  id?: string,
): Promise<Stored | undefined> {
  const { amendments } = place.node;
  for (;;) {
    const original = await amendments.original(conv, seq);
    if (messageOf(original.item!).recalled) return undefined;
    const outcome = await amendments.amend(amendment(sender, conv, seq, original, change, id));
    if (outcome !== 'changed') return stored(outcome);
  }
}

export const edit = (data: string): Change => ({ op: 'edit', data });
export const react = (emoji: string, on = true): Change => ({ op: 'react', emoji, on });
export const RECALL: Change = { op: 'recall' };

/** A message as its readers get it now. */
export async function messageAt(place: Place, conv: Conv, seq: number): Promise<MessageFrame> {
  const { items } = await place.node.log.read(conv, seq - 1, 1, 1e6);
  return messageOf(items[0]!);
}

export async function listOf(place: Place, uid: Uid): Promise<readonly Conversed[]> {
  return (await place.node.conversations.list(uid, undefined, 200)).conversations;
}

export async function listed(place: Place, uid: Uid, conv: Conv): Promise<Conversed | undefined> {
  return (await listOf(place, uid)).find((each) => each.conv === conv);
}

/** Whether the mark of an item says truly on which side of its dm it was written. */
export function isMarkedRightly(item: Item): boolean {
  const { conv, sender } = messageOf(item);
  const [a, b] = sidesOf(conv);
  return hasMark(item, MARK.greater) === (sender === b && a !== b);
}
