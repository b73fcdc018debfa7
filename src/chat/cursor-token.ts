/**
 * Cursors as a client of polls or streams holds them, signed for one device: no other text acknowledges anything. A
 * cursor names by a number what the store remembers (0: nothing), and may itself carry positions that came after that:
 *
 *     <number>.<signature>        <number>;<position>,<position>.<signature>
 *
 * A position is `*` (all), `#<room>` or `@<the dm's other side>`, then `=` and the seq in base 36. Names are encoded
 * as in a URL: a cursor travels in a header, which holds ASCII only.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { ALL, type Conv, dmOf, isDm, type RoomId, roomConv, sidesOf, type Uid } from '../protocol/index.js';
import type { Cursors } from './cursors.js';
import type { Devices, Reader } from './ports.js';

/** No cursor is longer (protocol section 6). */
const CURSOR_CHARS_MAX = 1_024;
/** What a cursor holds beside its positions: number, two separators, signature. */
const FRAME_CHARS = 16 + 1 + 1 + 22;
/** Characters of positions that fit into one cursor. The longest single one has some 780. */
export const POSITIONS_CHARS_MAX = CURSOR_CHARS_MAX - FRAME_CHARS;

const FORM = /^(0|[1-9]\d{0,15})(?:;([^;]+))?\.([\w-]{22})$/;

export type TokenParts = {
  readonly devices: Devices;
  readonly cursors: Cursors;
  readonly secret: () => string;
};

export class CursorTokens {
  constructor(private readonly parts: TokenParts) {}

  /** The cursor of what is saved under a number and of positions, as `positionText` wrote them, after it. */
  of(reader: Reader, saved: number, positions: readonly string[] = []): string {
    const body = positions.length > 0 ? `${saved};${positions.join(',')}` : `${saved}`;
    return `${body}.${this.sign(reader, body)}`;
  }

  /**
   * Acknowledges for the device what it was given up to a cursor; false, and nothing, where the text is no cursor of
   * this device. What the store has forgotten of it stays pending. Rejects with Unavailable.
   */
  async acknowledge(reader: Reader, text: string): Promise<boolean> {
    const held = this.read(reader, text);
    if (held === undefined) return false;
    const saved = held.saved === 0 ? undefined : await this.parts.devices.openPoll(reader, held.saved);
    const positions = new Map([...(saved ?? []), ...held.positions]);
    const marks = [...positions].map(([conv, delivered]) => ({ ...reader, conv, delivered }));
    if (marks.length > 0) await this.parts.cursors.write(marks, undefined);
    return true;
  }

  private read(reader: Reader, text: string) {
    if (text.length > CURSOR_CHARS_MAX) return undefined;
    const [whole, saved = '', positions = '', signature = ''] = FORM.exec(text) ?? [];
    if (whole === undefined) return undefined;
    // As text: the last character has bits to spare, and decoded, four of them would be the same signature.
    const own = this.sign(reader, positions === '' ? saved : `${saved};${positions}`);
    if (!timingSafeEqual(Buffer.from(signature), Buffer.from(own))) return undefined;
    return { saved: Number(saved), positions: positionsIn(reader.uid, positions) };
  }

  private sign(reader: Reader, body: string): string {
    const text = `poll ${reader.uid} ${reader.device} ${body}`;
    return createHmac('sha256', this.parts.secret()).update(text).digest().subarray(0, 16).toString('base64url');
  }
}

/** A position in a conversation of a user, as a cursor carries it. */
export const positionText = (uid: Uid, conv: Conv, seq: number): string => `${nameOf(uid, conv)}=${seq.toString(36)}`;

function nameOf(uid: Uid, conv: Conv): string {
  if (conv === ALL) return '*';
  if (!isDm(conv)) return `#${encodeURIComponent(conv.slice(roomConv('' as RoomId).length))}`;
  const [a, b] = sidesOf(conv);
  return `@${encodeURIComponent(a === uid ? b : a)}`;
}

/** Reads positions that a signature vouches for. */
function positionsIn(uid: Uid, text: string): (readonly [Conv, number])[] {
  if (text === '') return [];
  return text.split(',').map((position) => {
    const [name = '', seq = ''] = position.split('=');
    return [convNamed(uid, name), Number.parseInt(seq, 36)] as const;
  });
}

function convNamed(uid: Uid, name: string): Conv {
  if (name === '*') return ALL;
  const rest = decodeURIComponent(name.slice(1));
  return name.startsWith('#') ? roomConv(rest as RoomId) : dmOf(uid, rest as Uid);
}
