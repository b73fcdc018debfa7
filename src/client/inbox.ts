/**
 * The cursor rule: one number a conversation. What is not above it is a repeat and dropped; the next is handed on; what
 * lies further on waits until history has filled the gap. So the application sees every entry once and in order, over
 * reconnects, transports and tabs.
 */
import type { Conv, MessageFrame, TruncatedFrame } from '../protocol/index.js';
import { fullJitter, REPEAT } from './backoff.js';
import { isPassing, SkeinError } from './failure.js';
import { pause } from './platform.js';
import type { Answers } from './requests.js';

export type Entry = MessageFrame | TruncatedFrame;

/** Entries that wait behind a gap; what comes beyond them is left to history. */
const HELD_MAX = 500;

type Standing = {
  cursor: number;
  /** Where the conversation goes on, as far as is known; above the cursor: there is a gap. */
  known: number;
  held: Entry[];
  isFilling: boolean;
  /** What the application still works on, in order. */
  handing: Promise<void> | undefined;
};

export interface InboxEvents {
  /** Hands one entry on. A promise puts off that it is acknowledged. */
  hand(entry: Entry): Promise<void> | undefined;
  /** Everything up to here was handed on, and its handling is over. */
  done(conv: Conv, seq: number): void;
  /** A page of the log, oldest first: 200 entries above `after`, or the one below `before`. */
  page(conv: Conv, place: { readonly after: number } | { readonly before: number }): Promise<Answers['history']>;
  trouble(error: unknown): void;
}

export class Inbox {
  readonly #events: InboxEvents;
  readonly #standings = new Map<Conv, Standing>();
  readonly #busy = new Set<Promise<void>>();

  /** `cursors`: where the application stands already, from what it keeps itself. */
  constructor(events: InboxEvents, cursors: Iterable<readonly [Conv, number]> = []) {
    this.#events = events;
    for (const [conv, seq] of cursors) this.#begin(conv, seq);
  }

  /** One number a conversation: everything up to there was handed on. */
  get cursors(): readonly (readonly [Conv, number])[] {
    return [...this.#standings].map(([conv, { cursor }]) => [conv, cursor]);
  }

  /**
   * Takes an entry. A repeat (`sent` with `dup`) may come before older messages that are still pending, so a
   * conversation that was never met does not begin with one.
   */
  receive(entry: Entry, isRepeat = false): void {
    const { from, to } = spanOf(entry);
    if (isRepeat && !this.#standings.has(entry.conv)) return;
    const standing = this.#standings.get(entry.conv) ?? this.#begin(entry.conv, from - 1);
    if (to <= standing.cursor) {
      this.#finish(entry.conv, standing);
    } else if (from <= standing.cursor + 1 && !standing.isFilling) {
      this.#hand(standing, entry);
    } else {
      this.#hold(standing, entry, to);
      this.#fill(entry.conv, standing);
    }
  }

  /** There is an entry at this place, but nobody said what it is: history will. */
  missing(conv: Conv, seq: number): void {
    const standing = this.#standings.get(conv) ?? this.#begin(conv, seq - 1);
    standing.known = Math.max(standing.known, seq);
    this.#fill(conv, standing);
  }

  /** Where another tab stands: what it has and this one has not is missing; what this one never met begins there. */
  align(cursors: Iterable<readonly [Conv, number]>): void {
    for (const [conv, seq] of cursors) {
      if (this.#standings.has(conv)) this.missing(conv, seq);
      else this.#begin(conv, seq);
    }
  }

  /** After leaving a room: who joins again begins anew. */
  forget(conv: Conv): void {
    this.#standings.delete(conv);
  }

  /** A new line: gaps that could not be filled are tried again. */
  up(): void {
    for (const [conv, standing] of this.#standings) this.#fill(conv, standing);
  }

  async settled(): Promise<void> {
    while (this.#busy.size > 0) await Promise.all(this.#busy);
  }

  #begin(conv: Conv, cursor: number): Standing {
    const standing: Standing = { cursor, known: cursor, held: [], isFilling: false, handing: undefined };
    this.#standings.set(conv, standing);
    return standing;
  }

  #hand(standing: Standing, entry: Entry): void {
    const { to } = spanOf(entry);
    standing.cursor = to;
    standing.known = Math.max(standing.known, to);
    this.#finish(entry.conv, standing, isHidden(entry) ? undefined : this.#events.hand(entry));
  }

  /** Only when nothing before it is still being worked on: an acknowledgement speaks for all that came before. */
  #finish(conv: Conv, standing: Standing, handling?: Promise<void>): void {
    const { cursor, handing: before } = standing;
    if (before === undefined && handling === undefined) return this.#events.done(conv, cursor);
    const handing: Promise<void> = this.#track(
      Promise.all([before, handling]).then(() => {
        if (standing.handing === handing) standing.handing = undefined;
        this.#events.done(conv, cursor);
      }),
    );
    standing.handing = handing;
  }

  #hold(standing: Standing, entry: Entry, to: number): void {
    standing.known = Math.max(standing.known, to);
    if (standing.held.length < HELD_MAX) standing.held.push(entry);
  }

  #fill(conv: Conv, standing: Standing): void {
    if (standing.isFilling || standing.known <= standing.cursor) return;
    standing.isFilling = true;
    void this.#track(this.#fillUp(conv, standing));
  }

  async #fillUp(conv: Conv, standing: Standing): Promise<void> {
    for (let attempt = 0; standing.cursor < standing.known && this.#standings.get(conv) === standing; ) {
      try {
        await this.#fillPage(conv, standing);
        attempt = 0;
      } catch (error) {
        if (error instanceof SkeinError && error.code === 'closed') break;
        if (isPassing(error)) await pause(fullJitter(REPEAT, attempt++));
        else {
          this.#events.trouble(error);
          this.#release(conv, standing);
        }
      }
    }
    standing.isFilling = false;
  }

  async #fillPage(conv: Conv, standing: Standing): Promise<void> {
    const { messages, more } = await this.#events.page(conv, { after: standing.cursor });
    await this.#handPage(standing, messages);
    this.#drain(standing);
    if (messages.length === 0 && !more) this.#release(conv, standing);
  }

  async #handPage(standing: Standing, messages: readonly MessageFrame[]): Promise<void> {
    for (const message of messages) {
      if (message.seq > standing.cursor + 1) await this.#handJump(standing, message, message !== messages[0]);
      if (message.seq > standing.cursor) this.#hand(standing, message);
    }
  }

  /**
   * A page skips no entry that there is, so these numbers will never come. Where nobody said why: retention takes the
   * oldest, so if something older is still there, a new run began.
   */
  async #handJump(standing: Standing, next: MessageFrame, isWithin: boolean): Promise<void> {
    const { conv, seq } = next;
    const told = standing.held.find((one) => one.type === 'truncated' && one.from < seq && one.to > standing.cursor);
    if (told?.type === 'truncated') return this.#skip(conv, standing, seq - 1, told.reason);
    const older = isWithin ? undefined : await this.#events.page(conv, { before: seq });
    const isRestart = older === undefined || older.messages.some((one) => one.seq <= standing.cursor);
    this.#skip(conv, standing, seq - 1, isRestart ? 'restart' : 'retention');
  }

  /** Hands on what waited and has its turn now. */
  #drain(standing: Standing): void {
    standing.held.sort((a, b) => spanOf(a).from - spanOf(b).from);
    for (let next = standing.held[0]; next && spanOf(next).from <= standing.cursor + 1; next = standing.held[0]) {
      standing.held.shift();
      if (spanOf(next).to > standing.cursor) this.#hand(standing, next);
    }
  }

  /** History holds nothing for the gap: what waited goes on, and what it left open is announced. */
  #release(conv: Conv, standing: Standing): void {
    for (this.#drain(standing); standing.held.length > 0; this.#drain(standing)) {
      this.#skip(conv, standing, spanOf(standing.held[0]!).from - 1, 'retention');
    }
    this.#skip(conv, standing, standing.known, 'retention');
  }

  #skip(conv: Conv, standing: Standing, to: number, reason: TruncatedFrame['reason']): void {
    if (to > standing.cursor) this.#hand(standing, { type: 'truncated', conv, from: standing.cursor + 1, to, reason });
  }

  #track(work: Promise<void>): Promise<void> {
    this.#busy.add(work);
    return work.finally(() => this.#busy.delete(work));
  }
}

/** What a blocked sender wrote has its place, and is not shown. */
const isHidden = (entry: Entry): boolean => entry.type === 'message' && entry.blocked === true;

function spanOf(entry: Entry): { readonly from: number; readonly to: number } {
  return entry.type === 'message' ? { from: entry.seq, to: entry.seq } : entry;
}
