/** Entries of a log that the server tells only by `sent`, because this client made them. */
import { type Conv, type MessageFrame, parseConv, type SentFrame, type Uid } from '../protocol/index.js';
import type { RequestFrame } from './requests.js';

/** The entry that a recall, edit or reaction became; undefined for any other request. */
export function changeEntry(asked: RequestFrame, { conv, seq, ts, id }: SentFrame, me: Uid): MessageFrame | undefined {
  const base = { type: 'message', conv, seq, ts, ...(id && { id }), sender: me, ...targetOf(conv, me) } as const;
  switch (asked.type) {
    case 'recall':
      return { ...base, op: 'recall', ref: asked.seq };
    case 'edit':
      return { ...base, op: 'edit', ref: asked.seq, data: asked.data };
    case 'react':
      return { ...base, op: 'react', ref: asked.seq, emoji: asked.emoji, on: asked.on };
    default:
      return undefined;
  }
}

function targetOf(conv: Conv, me: Uid): Pick<MessageFrame, 'receiver' | 'room' | 'broadcast'> {
  const named = parseConv(conv);
  if (named?.kind === 'dm') return { receiver: named.a === me ? named.b : named.a };
  return named?.kind === 'room' ? { room: named.room } : { broadcast: true };
}
