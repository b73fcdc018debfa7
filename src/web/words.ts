/** What the page says in words. */
import type { Json, MessageFrame, Status, Uid } from '../client/index.js';
import { parseConv } from '../protocol/index.js';

/** `data` by the convention of page and command line: a string, or `{"text":…}`; anything else as JSON. */
export function textOf(data: Json | undefined): string {
  if (typeof data === 'string') return data;
  if (typeof data === 'object' && data !== null && 'text' in data && typeof data.text === 'string') return data.text;
  return JSON.stringify(data) ?? '';
}

export function titleOf(conv: string, me: Uid | undefined): string {
  const named = parseConv(conv);
  if (named?.kind === 'room') return `# ${named.room}`;
  if (named?.kind !== 'dm') return 'Everybody';
  const peer = named.a === me ? named.b : named.a;
  return peer === me ? `${peer} (notes)` : peer;
}

const TRANSPORTS = { websocket: 'WebSocket', sse: 'Server-Sent Events', poll: 'long poll' } as const;

/** The state in words and as the number that a WebSocket has for it. */
export function stateInWords(status: Status, now: number): string {
  switch (status.state) {
    case 0:
      return '0 connecting';
    case 1:
      return `1 connected by ${TRANSPORTS[status.transport]}`;
    case 2:
      return '2 closing';
    case 3: {
      if (status.next === undefined) return `3 closed: ${status.reason}`;
      const seconds = Math.max(0, Math.ceil((status.next - now) / 1_000));
      return `3 offline, next try in ${seconds} s`;
    }
  }
}

const EVENTS: Readonly<Record<string, string>> = {
  created: 'created the group',
  joined: 'joined',
  left: 'left',
  removed: 'was removed',
  role: 'has a new role',
  renamed: 'renamed the group',
};

/** A change of a room in words. */
export function eventInWords({ data, sender }: MessageFrame): string {
  const { uid, event } = (typeof data === 'object' && data !== null ? data : {}) as { uid?: unknown; event?: unknown };
  return `${typeof uid === 'string' ? uid : sender} ${EVENTS[String(event)] ?? 'changed something'}`;
}
