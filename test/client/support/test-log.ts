/** The conversations of a test node: logs, and how far each device has acknowledged them. */
import {
  ALL,
  type Conv,
  type ConversationSummary,
  dmOf,
  type FrameOf,
  type MessageFrame,
  parseConv,
  type RoomId,
  roomConv,
  type SentFrame,
  type Uid,
} from '../../../src/protocol/index.js';

const ORIGIN = 1_760_000_000_000_001;

export class TestLog {
  readonly logs = new Map<Conv, MessageFrame[]>();
  readonly members = new Map<RoomId, Set<Uid>>();
  readonly #cursors = new Map<string, number>();
  /** Places by conversation, sender and id; cleared, it has forgotten all ids. */
  readonly dedup = new Map<string, SentFrame>();

  of(conv: string): MessageFrame[] {
    const log = this.logs.get(conv as Conv) ?? [];
    this.logs.set(conv as Conv, log);
    return log;
  }

  append(sender: Uid, frame: FrameOf<'send'>): SentFrame {
    const { receiver, room, broadcast, id, data } = frame;
    const conv = receiver ? dmOf(sender, receiver) : room ? roomConv(room) : ALL;
    const key = `${conv} ${sender} ${id}`;
    const known = id === undefined ? undefined : this.dedup.get(key);
    if (known !== undefined) return { ...known, dup: true };
    const target = receiver ? { receiver } : room ? { room } : { broadcast };
    const message = this.put(conv, { sender, ...target, ...(id && { id }), data } as Partial<MessageFrame>);
    const sent: SentFrame = { type: 'sent', ...(id && { id }), conv, seq: message.seq, ts: message.ts };
    this.dedup.set(key, sent);
    return sent;
  }

  /** Puts an entry at the end of a log, or at a place further on. */
  put(conv: string, fields: Partial<MessageFrame>): MessageFrame {
    const log = this.of(conv);
    const seq = fields.seq ?? (log.at(-1)?.seq ?? ORIGIN - 1) + 1;
    const entry = { type: 'message', conv, seq, ts: Date.now(), ...fields } as MessageFrame;
    log.push(entry);
    return entry;
  }

  readers(conv: Conv): (uid: Uid) => boolean {
    const named = parseConv(conv);
    if (named?.kind === 'dm') return (uid) => uid === named.a || uid === named.b;
    if (named?.kind === 'room') return (uid) => this.members.get(named.room)?.has(uid) ?? false;
    return () => true;
  }

  cursor(uid: Uid, device: string, conv: Conv): number {
    const key = `${uid} ${device} ${conv}`;
    const known = this.#cursors.get(key);
    if (known !== undefined || conv !== ALL) return known ?? 0;
    const head = this.of(ALL).at(-1)?.seq ?? 0;
    this.#cursors.set(key, head);
    return head;
  }

  ack(uid: Uid, device: string, conv: Conv, seq: number): boolean {
    const before = this.cursor(uid, device, conv);
    this.#cursors.set(`${uid} ${device} ${conv}`, Math.max(before, seq));
    return seq > before;
  }

  /** Of `all`, only what comes after the first time. */
  pending(uid: Uid, device: string): MessageFrame[] {
    this.of(ALL);
    return [...this.logs].flatMap(([conv, log]) => {
      const cursor = this.cursor(uid, device, conv);
      return this.readers(conv)(uid) ? log.filter(({ seq }) => seq > cursor) : [];
    });
  }

  summaries(uid: Uid): { conversations: ConversationSummary[] } {
    const mine = [...this.logs].filter(([conv]) => this.readers(conv)(uid));
    const conversations = mine.map(([conv, log]) => {
      const others = [...this.#cursors].filter(([key]) => key.endsWith(` ${conv}`) && !key.startsWith(`${uid} `));
      const peer = { delivered: Math.max(0, ...others.map(([, seq]) => seq)), read: 0 };
      return { conv, head: log.at(-1)?.seq ?? 0, read: 0, unread: 0, last: log.at(-1) ?? null, peer };
    });
    return { conversations };
  }

  page({ conv, before, after, limit = 50 }: Omit<FrameOf<'history'>, 'type'>) {
    const log = this.of(conv);
    const all = log.filter(({ seq }) => seq < (before ?? Infinity) && seq > (after ?? 0));
    const messages = after === undefined ? all.slice(-limit) : all.slice(0, limit);
    return { conv, messages, more: all.length > messages.length };
  }
}
