/**
 * Streams of server-sent events. A stream is a session whose line only goes one way: writing acknowledges nothing. Each
 * event has a cursor that stands for everything its stream has written up to there; the next stream of the device,
 * here or elsewhere, acknowledges by it and resumes right after it. A cursor carries what it stands for, and what does
 * not fit is saved before the event is written, so it outlives the node.
 */
import type { Conv } from '../protocol/index.js';
import { type CursorTokens, POSITIONS_CHARS_MAX, positionText } from './cursor-token.js';
import type { Line } from './line.js';
import type { Meter } from './meter.js';
import type { Refused } from './policy.js';
import { type Backend, type Devices, type Reader, Unavailable } from './ports.js';
import type { Registry } from './registry.js';

/** A stream ends after so many messages or milliseconds, so that its client comes back with a cursor. */
export const STREAM_MESSAGES_MAX = 500;
export const STREAM_MS = 300_000;
/** Milliseconds between two comments that keep proxies from taking a quiet stream for dead. */
export const STREAM_HEARTBEAT_MS = 15_000;
/** Times that one stream saves what it wrote: fewer than the store remembers of a device. */
const SAVES_MAX = 24;
const SAVE_AGAIN_MS = 250;

export type StreamParts = {
  readonly tokens: CursorTokens;
  readonly devices: Devices;
  readonly health: Backend['health'];
  readonly registry: Registry;
  readonly meter: Meter;
  /** Connections of one user to this node. */
  readonly userSockets: number;
  readonly fault: (error: unknown) => void;
};

export class Streams {
  private readonly open = new Set<Line>();
  private isClosing = false;

  constructor(private readonly parts: StreamParts) {}

  /** Acknowledges what a stream before this one wrote. Answers why no stream may follow; rejects with Unavailable. */
  async resume(reader: Reader, cursor: string | undefined): Promise<Refused | undefined> {
    if (this.isClosing) return { refused: 'unavailable', message: 'this node stops' };
    // Once it has begun, a stream cannot be answered with an error any more.
    if (!this.parts.health().ready) return { refused: 'unavailable', message: 'the store cannot be reached' };
    const sessions = this.parts.registry.get(reader.uid)?.sessions.length ?? 0;
    if (sessions >= this.parts.userSockets)
      return { refused: 'unavailable', message: 'too many connections of this user' };
    if (cursor === undefined || (await this.parts.tokens.acknowledge(reader, cursor))) return undefined;
    return { refused: 'bad_request', message: 'last-event-id: not a cursor of this device' };
  }

  /** What a stream that begins has written: nothing yet. */
  progress(reader: Reader): StreamProgress {
    return new StreamProgress(reader, this.parts);
  }

  opened(line: Line): void {
    this.open.add(line);
    this.parts.meter.cell('skein_connections', 'sse').value++;
    this.parts.meter.cell('skein_connections_opened_total', 'sse').value++;
  }

  closed(line: Line, code: number): void {
    if (!this.open.delete(line)) return;
    this.parts.meter.cell('skein_connections', 'sse').value--;
    this.parts.meter.cell('skein_connections_closed_total', String(code)).value++;
  }

  /** The streams of this node, for whoever sends them away. */
  lines(): readonly Line[] {
    return [...this.open];
  }

  /** From now on no stream begins. */
  closeDoors(): void {
    this.isClosing = true;
  }
}

export class StreamProgress {
  private readonly written = new Map<Conv, number>();
  /** The positions that moved since the last saving, as a cursor carries them. */
  private readonly moved = new Map<Conv, string>();
  private movedChars = 0;
  private saved = 0;
  private saves = 0;
  private cursor: string;
  private isOver = false;

  constructor(
    private readonly reader: Reader,
    private readonly parts: Pick<StreamParts, 'tokens' | 'devices' | 'fault'>,
  ) {
    this.cursor = parts.tokens.of(reader, 0);
  }

  /**
   * The cursor of a frame that is certain to be written next. Undefined: it would not fit, and what was written before
   * must be saved first.
   */
  advance(frame: string): string | undefined {
    const place = placeIn(frame);
    if (place === undefined) return this.cursor;
    const { conv, seq } = place;
    const position = positionText(this.reader.uid, conv, seq);
    const chars = this.movedChars - widthOf(this.moved.get(conv)) + widthOf(position);
    if (chars > POSITIONS_CHARS_MAX && this.moved.size > 0) return undefined;
    this.movedChars = chars;
    this.moved.set(conv, position);
    this.written.set(conv, seq);
    this.cursor = this.parts.tokens.of(this.reader, this.saved, [...this.moved.values()]);
    return this.cursor;
  }

  /** More savings would make the store forget the first ones, which the client may still come back with. */
  get isSpent(): boolean {
    return this.saves >= SAVES_MAX;
  }

  /** Saves what was written; tries again while the store is away, until `stop`. Nothing may be written meanwhile. */
  async save(): Promise<void> {
    while (!this.isOver) {
      try {
        this.saved = await this.parts.devices.savePoll(this.reader, [...this.written]);
        this.saves++;
        this.moved.clear();
        this.movedChars = 0;
        return;
      } catch (error) {
        if (!(error instanceof Unavailable)) this.parts.fault(error);
        await new Promise((resolve) => setTimeout(resolve, SAVE_AGAIN_MS * (1 + 2 * Math.random())));
      }
    }
  }

  stop(): void {
    this.isOver = true;
  }
}

/** With the comma before it. */
const widthOf = (position: string | undefined): number => (position === undefined ? 0 : position.length + 1);

const PLACE = /^\{"type":"(?:message","conv":"([^"]+)","seq":(\d+)|truncated","conv":"([^"]+)","from":\d+,"to":(\d+))/;

/** Where a client is that has a frame; undefined where the frame moves no position. */
function placeIn(frame: string): { readonly conv: Conv; readonly seq: number } | undefined {
  const [whole, conv, seq, gone, to] = PLACE.exec(frame) ?? [];
  if (whole === undefined) return undefined;
  return { conv: (conv ?? gone) as Conv, seq: Number(seq ?? to) };
}
