/** A message as the page keeps it: what stands in its place now, whatever happened to it since. */
import type { Json, MessageFrame, Uid } from '../../protocol/index.js';

export type Message = {
  readonly seq: number;
  readonly ts: number;
  readonly id?: string | undefined;
  readonly sender: Uid;
  readonly data?: Json | undefined;
  readonly isSystem: boolean;
  readonly isEdited: boolean;
  readonly isRecalled: boolean;
  /** A map, not an object: an emoji is any text that a user chose. */
  readonly reactions: ReadonlyMap<string, readonly Uid[]>;
};

/** The message in a frame; undefined for entries that only change another, and for what a blocked user wrote. */
export function messageIn(frame: MessageFrame): Message | undefined {
  if ((frame.op !== undefined && frame.op !== 'system') || frame.blocked) return undefined;
  return {
    seq: frame.seq,
    ts: frame.ts,
    id: frame.id,
    sender: frame.sender,
    data: frame.data,
    isSystem: frame.op === 'system',
    isEdited: frame.edited === true,
    isRecalled: frame.recalled === true,
    reactions: new Map(Object.entries(frame.reactions ?? {})),
  };
}

/** The message after a later entry of the log changed it. */
export function changed(message: Message, change: MessageFrame): Message {
  switch (change.op) {
    case 'recall':
      return { ...message, isRecalled: true, data: undefined, reactions: new Map() };
    case 'edit':
      return { ...message, isEdited: true, data: change.data };
    case 'react':
      return { ...message, reactions: reacted(message.reactions, change) };
    default:
      return message;
  }
}

function reacted(before: Message['reactions'], { emoji = '', sender, on }: MessageFrame): Message['reactions'] {
  const others = (before.get(emoji) ?? []).filter((uid) => uid !== sender);
  const after = new Map(before).set(emoji, on ? [...others, sender] : others);
  if (after.get(emoji)?.length === 0) after.delete(emoji);
  return after;
}
