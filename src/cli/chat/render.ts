/** Entries of a log as lines for a person. What others wrote is harmless here, and can't pass for anything else. */

import type { Peer } from '../../client/index.js';
import { type Conv, type Json, type MessageFrame, parseConv, type Uid } from '../../protocol/index.js';
import type { Paint } from '../colours.js';
import { visible, visibleLines, widthOf, wrap } from '../text.js';

/** Characters of a message that are shown. */
const SHOWN_MAX = 4_000;
const GIST_MAX = 60;
/** Messages whose gist is remembered, for replies and reactions. */
const GISTS_MAX = 1_000;
/** Before every line of a message but its first: no line of a message can look like another message. */
const GUTTER = '      │ ';
const COLUMNS_LEAST = 30;

const MARKS = { stored: '✓', delivered: '✓✓', read: '✓✓✓' } as const;
export type Mark = keyof typeof MARKS;
export const MARK_LEGEND = '✓ stored   ✓✓ delivered   ✓✓✓ read';

export type View = {
  /** The conversation in the window; entries of others say where they are from. */
  readonly current: Conv | undefined;
  readonly me: Uid | undefined;
  readonly peer: Peer;
};

export class Renderer {
  readonly #paint: Paint;
  readonly #columns: () => number;
  readonly #gists = new Map<string, string>();
  #day = '';

  /** `columns`: of the screen. */
  constructor(paint: Paint, columns: () => number) {
    this.#paint = paint;
    this.#columns = columns;
  }

  /** The lines of one entry; none for what there is nothing to show of. */
  entry(frame: MessageFrame, view: View): readonly string[] {
    if (frame.blocked) return [];
    const lines = frame.op === undefined ? this.#message(frame, view) : this.#change(frame, view);
    return lines.length === 0 ? [] : [...this.#dayOf(frame.ts), ...lines];
  }

  note(text: string): string {
    return this.#paint('dim', `— ${visible(text)}`);
  }

  trouble(text: string): string {
    return this.#paint('red', `! ${visible(text)}`);
  }

  mark(mark: Mark): string {
    return mark === 'read' ? this.#paint('green', MARKS.read) : MARKS[mark];
  }

  #message(frame: MessageFrame, view: View): readonly string[] {
    const isOwn = frame.sender === view.me;
    this.#remember(frame);
    const mark = isOwn ? markOf(frame, view.peer) : undefined;
    const gap = ' '.repeat(MARKS.read.length - (mark === undefined ? 0 : MARKS[mark].length));
    const where = frame.conv === view.current ? '' : `[${nameOf(frame.conv, view.me)}] `;
    const plainHead = `${clockOf(frame.ts)} ${gap}${mark ? MARKS[mark] : ''} ${where}${frame.sender}: `;
    const head = `${this.#paint('dim', clockOf(frame.ts))} ${mark ? this.mark(mark) : ''}${gap} ${this.#paint('dim', where)}${this.#paint.user(frame.sender)}: `;
    const body = frame.recalled ? ['(withdrew this message)'] : this.#body(frame);
    const width = Math.max(COLUMNS_LEAST, this.#columns()) - GUTTER.length - 1;
    const first = Math.max(8, width + GUTTER.length - widthOf(plainHead));
    const lines = body.flatMap((line, i) => wrap(line, width, i === 0 ? first : width));
    return lines.map((line, i) => (i === 0 ? `${head}${line}` : `${this.#paint('dim', GUTTER)}${line}`));
  }

  #body(frame: MessageFrame): readonly string[] {
    const { data, edited, reactions = {} } = frame;
    const lines = [...visibleLines(clipped(textOf(data)))];
    const reply = replyOf(data);
    if (reply !== undefined) lines.unshift(`↪ ${this.#gist(frame.conv, reply)}`);
    if (edited) lines[lines.length - 1] += ' (edited)';
    const shown = Object.entries(reactions).map(([emoji, uids]) => `${visible(emoji)} ${uids.length}`);
    return shown.length > 0 ? [...lines, shown.join('  ')] : lines;
  }

  #change(frame: MessageFrame, view: View): readonly string[] {
    const where = frame.conv === view.current ? '' : `[${nameOf(frame.conv, view.me)}] `;
    const about = frame.ref === undefined ? '' : this.#gist(frame.conv, frame.ref);
    const { sender } = frame;
    switch (frame.op) {
      case 'recall':
        return [this.note(`${where}${sender} withdrew ${about}`)];
      case 'edit':
        return [this.note(`${where}${sender} changed ${about} to ${gistOf(frame.data)}`)];
      case 'react':
        return [
          this.note(`${where}${sender} ${frame.on === false ? 'took back' : 'reacted'} ${frame.emoji} to ${about}`),
        ];
      default:
        return [this.note(`${where}${eventOf(frame)}`)];
    }
  }

  #dayOf(ts: number): readonly string[] {
    const day = new Date(ts).toLocaleDateString('sv-SE');
    if (day === this.#day) return [];
    this.#day = day;
    return [this.#paint('dim', `── ${day} ──`)];
  }

  #remember({ conv, seq, data }: MessageFrame): void {
    const [oldest] = this.#gists.keys();
    if (this.#gists.size >= GISTS_MAX && oldest !== undefined) this.#gists.delete(oldest);
    this.#gists.set(`${conv} ${seq}`, gistOf(data));
  }

  #gist(conv: Conv, seq: number): string {
    return this.#gists.get(`${conv} ${seq}`) ?? 'an earlier message';
  }
}

/** Who or what a conversation is with. */
export function nameOf(conv: Conv, me: Uid | undefined): string {
  const named = parseConv(conv);
  if (named?.kind === 'dm') return named.a === me ? named.b : named.a;
  return named?.kind === 'room' ? `room ${named.room}` : 'everybody';
}

export function markOf({ conv, seq }: Pick<MessageFrame, 'conv' | 'seq'>, peer: Peer): Mark {
  if (parseConv(conv)?.kind !== 'dm') return 'stored';
  return peer.read >= seq ? 'read' : peer.delivered >= seq ? 'delivered' : 'stored';
}

export const clockOf = (ts: number): string => new Date(ts).toLocaleTimeString('en-GB', { timeStyle: 'short' });

/** By the convention of the page and the command line: a string, or `{"text":…}`; anything else is JSON. */
function textOf(data: Json | undefined): string {
  if (typeof data === 'string') return data;
  const text = fieldOf(data, 'text');
  return typeof text === 'string' ? text : (JSON.stringify(data) ?? '');
}

function replyOf(data: Json | undefined): number | undefined {
  const reply = fieldOf(data, 'reply');
  return Number.isSafeInteger(reply) ? (reply as number) : undefined;
}

function fieldOf(data: Json | undefined, name: string): Json | undefined {
  const isFields = typeof data === 'object' && data !== null && !Array.isArray(data) && Object.hasOwn(data, name);
  return isFields ? (data as Readonly<Record<string, Json>>)[name] : undefined;
}

function clipped(text: string): string {
  if (text.length <= SHOWN_MAX) return text;
  return `${text.slice(0, SHOWN_MAX)}… (${text.length - SHOWN_MAX} more characters; skein tail prints all)`;
}

/** The beginning of a message, in quotes, on one line. */
export function gistOf(data: Json | undefined): string {
  const text = textOf(data)
    .slice(0, 4 * GIST_MAX)
    .replace(/\s+/g, ' ')
    .trim();
  return `“${visible(text.length > GIST_MAX ? `${text.slice(0, GIST_MAX)}…` : text)}”`;
}

function eventOf({ data, sender }: MessageFrame): string {
  const uid = String(fieldOf(data, 'uid') ?? sender);
  const by = String(fieldOf(data, 'by') ?? sender);
  switch (fieldOf(data, 'event')) {
    case 'created':
      return `${by} created the room`;
    case 'joined':
      return by === uid ? `${uid} joined` : `${by} admitted ${uid}`;
    case 'left':
      return `${uid} left`;
    case 'removed':
      return `${by} removed ${uid}`;
    case 'role':
      return `${uid} is now ${fieldOf(data, 'role')}`;
    case 'renamed':
      return `${by} renamed the room`;
    default:
      return JSON.stringify(data) ?? 'something changed';
  }
}
