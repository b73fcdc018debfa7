import type { Frame } from './frame.js';

/**
 * Promise 3 of the protocol, checked on everything that one connection receives: each conversation comes in `seq`
 * order without gaps, `sent` standing in the place of the connection's own messages, and a gap only where
 * `truncated` announced it. What breaks it is collected, so that every story checks it without saying so.
 */
export class PushOrder {
  readonly violations: string[] = [];
  private uid: string | undefined;
  private readonly last = new Map<string, number>();
  /** The highest place of a repeated send in a conversation of which nothing else came yet. */
  private readonly repeated = new Map<string, number>();
  private readonly announced = new Map<string, { from: number; to: number }>();

  see(frame: Frame): void {
    if (frame.type === 'truncated') this.announced.set(frame.conv!, { from: frame.from!, to: frame.to! });
    if (frame.type === 'welcome') this.uid = frame.uid;
    // A room of this name that was deleted, which no entry tells, had other numbers.
    if (eventOf(frame) === 'created' || this.isOwn(frame, 'joined')) this.last.delete(frame.conv!);
    if (frame.type === 'sent' && frame.dup) this.repeat(frame.conv!, frame.seq!);
    else if (frame.type === 'message' || frame.type === 'sent') this.place(frame.conv!, frame.seq!, frame.type);
    // Who has left a room has no place in it; after joining again its numbers begin anew.
    if (frame.type === 'left') this.last.delete(`room:${frame.room}`);
    else if (this.isOwn(frame, 'left', 'removed')) this.last.delete(frame.conv!);
  }

  private isOwn(frame: Frame, ...events: readonly string[]): boolean {
    const event = eventOf(frame);
    return event !== undefined && events.includes(event) && (frame.data as RoomChange).uid === this.uid;
  }

  /** A `dup` may name any earlier place; one that is still to come it takes, after every lower `seq`. */
  private repeat(conv: string, seq: number): void {
    const last = this.last.get(conv);
    if (last === undefined) this.repeated.set(conv, Math.max(seq, this.repeated.get(conv) ?? 0));
    else if (seq > last) this.place(conv, seq, 'sent');
  }

  private place(conv: string, seq: number, type: string): void {
    const last = this.last.get(conv);
    if (last === undefined && seq < (this.repeated.get(conv) ?? 0)) {
      this.violations.push(`${type} ${conv} ${seq} came after a repeated send was answered with a higher place`);
    }
    if (last !== undefined && seq <= last) {
      this.violations.push(`${type} ${conv} ${seq} came after ${last}`);
      return;
    }
    if (last !== undefined && seq !== last + 1 && !this.isAnnounced(conv, last + 1, seq - 1)) {
      this.violations.push(`${type} ${conv} ${seq} came after ${last}: a gap that nothing announced`);
    }
    this.last.set(conv, seq);
  }

  private isAnnounced(conv: string, from: number, to: number): boolean {
    const gap = this.announced.get(conv);
    return gap !== undefined && gap.from <= from && gap.to >= to;
  }
}

interface RoomChange {
  readonly event: string;
  readonly uid: string;
}

/** What an entry of a room's log says that happened to the room. */
const eventOf = ({ op, data }: Frame): string | undefined => (op === 'system' ? (data as RoomChange).event : undefined);

/** The rule with which a client sees each message exactly once: drop what is not above the own cursor. */
export class CursorRule {
  /** Numbers that were passed over, on whatever connection, and that no `truncated` announced. */
  readonly gaps: string[] = [];
  private readonly cursors = new Map<string, number>();

  /** Whether the message is new; the cursor moves to it if so. */
  accepts(conv: string, seq: number): boolean {
    const cursor = this.cursors.get(conv);
    if (cursor !== undefined && seq <= cursor) return false;
    if (cursor !== undefined && seq > cursor + 1) this.gaps.push(`${conv}: ${seq} came to a cursor at ${cursor}`);
    this.cursors.set(conv, seq);
    return true;
  }

  /** Numbers that will not come for this reader. */
  skips(conv: string, to: number): void {
    this.cursors.set(conv, Math.max(to, this.cursors.get(conv) ?? 0));
  }

  get entries(): IterableIterator<[string, number]> {
    return this.cursors.entries();
  }
}
