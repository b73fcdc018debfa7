import { rawMember } from '../protocol/decode.js';
import type { Conv, Uid } from '../protocol/index.js';
import { frameOf, type Item, placeOf } from './item.js';

/**
 * An item of a conversation, with another name in a user's place wherever the service itself wrote it: as a side, in
 * what happened to a room, among those who reacted. What people wrote stays as it is.
 */
export function renamed(item: Item, conv: Conv, from: Uid, to: Uid): Item {
  const moved = withConv(item, conv);
  if (!moved.includes(`"${from}"`)) return moved;
  // Quotes within an id or an emoji are escaped, so no member is found where it isn't one.
  const at = moved.indexOf(',"data":');
  const head = at < 0 ? moved : moved.slice(0, at);
  const rest = at < 0 ? '' : moved.slice(at);
  const named = head
    .replace(`"sender":"${from}"`, () => `"sender":"${to}"`)
    .replace(`"receiver":"${from}"`, () => `"receiver":"${to}"`);
  if (head.includes('"op":"system"')) return `${named},"data":${inEvent(frameOf(moved), from, to)}}`;
  return `${named}${inReactions(rest, frameOf(moved), from, to)}`;
}

function withConv(item: Item, conv: Conv): Item {
  const { conv: before } = placeOf(item);
  return before === conv ? item : item.replace(`"conv":"${before}"`, () => `"conv":"${conv}"`);
}

function inEvent(frame: string, from: Uid, to: Uid): string {
  const data: Readonly<Record<string, string>> = JSON.parse(rawMember(frame, 'data') ?? '{}');
  const entries = Object.entries(data).map(([name, value]) => {
    const isName = name === 'uid' || name === 'by';
    return [name, isName && value === from ? to : value];
  });
  return JSON.stringify(Object.fromEntries(entries));
}

/** Reactions are the last member. */
function inReactions(rest: string, frame: string, from: Uid, to: Uid): string {
  const raw = rawMember(frame, 'reactions');
  if (!raw?.includes(`"${from}"`)) return rest;
  const reactions: Readonly<Record<string, readonly Uid[]>> = JSON.parse(raw);
  const pairs = Object.entries(reactions).map(([emoji, uids]) => {
    const others = uids.map((uid) => (uid === from ? to : uid));
    return `${JSON.stringify(emoji)}:${JSON.stringify(others)}`;
  });
  return `${rest.slice(0, -raw.length - 1)}{${pairs.join(',')}}}`;
}
