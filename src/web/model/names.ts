/** Conversations as people see them: who is on the other side, and how to address it. */
import type { To } from '../../client/index.js';
import { type Conv, type Conversation, dmOf, type MessageFrame, parseConv, type Uid } from '../../protocol/index.js';

export type Kind = 'person' | 'notes' | 'group' | 'all';

export function kindOf(place: Conversation, me: Uid): Kind {
  if (place.kind === 'room') return 'group';
  if (place.kind === 'all') return 'all';
  return place.a === me && place.b === me ? 'notes' : 'person';
}

/** The other side of a dm; oneself for notes; undefined where there is none. */
export function peerOf(place: Conversation, me: Uid): Uid | undefined {
  if (place.kind !== 'dm') return undefined;
  return place.a === me ? place.b : place.a;
}

export function addressOf(place: Conversation, me: Uid): To {
  if (place.kind === 'room') return { room: place.room };
  return place.kind === 'dm' ? { receiver: peerOf(place, me)! } : { broadcast: true };
}

/** The conversation that a `typing` belongs to. */
export function convOfTyping({ sender, room }: { readonly sender: Uid; readonly room?: string }, me: Uid): string {
  return room === undefined ? dmOf(me, sender) : `room:${room}`;
}

export function convOfTarget(target: { readonly receiver?: Uid; readonly room?: string }, me: Uid): string {
  if (target.receiver !== undefined) return dmOf(me, target.receiver);
  return target.room === undefined ? 'all' : `room:${target.room}`;
}

/** The conversation that a page's address names. */
export function convInHash(hash: string): Conv | undefined {
  try {
    return parseConv(decodeURIComponent(hash.replace(/^#/, '')))?.conv;
  } catch {
    return undefined; // a broken escape in the address names nothing
  }
}

/** Who a room's `system` entry is about, and what happened. */
export function eventOf({ data, sender }: Pick<MessageFrame, 'data' | 'sender'>) {
  const fields = (typeof data === 'object' && data !== null ? data : {}) as Readonly<Record<string, unknown>>;
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  return {
    event: text(fields.event) ?? '',
    uid: text(fields.uid) ?? sender,
    by: text(fields.by) ?? sender,
    role: text(fields.role),
    name: text(fields.name),
  };
}
