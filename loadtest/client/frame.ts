/**
 * WebSocket frames made and read by hand: a load generator that parses, copies or masks more than it must would be what
 * is measured. Everything sent is ASCII, held in strings of one byte a character, headers included.
 */

const MASKED = 0x80;
/** A key of zeros leaves the payload as it is; the server unmasks it at the same cost as any other. */
const KEY = '\0\0\0\0';

export const OPCODE = { text: 1, close: 8, ping: 9, pong: 10 } as const;

/** A whole frame from a client, one byte a character. `payload` holds only characters below U+0100. */
export function frameOf(payload: string, opcode: number = OPCODE.text): string {
  return headerOf(payload.length, opcode) + payload;
}

export function headerOf(length: number, opcode: number = OPCODE.text): string {
  const first = String.fromCharCode(0x80 | opcode);
  if (length < 126) return `${first}${String.fromCharCode(MASKED | length)}${KEY}`;
  if (length > 0xffff) throw new RangeError(`a frame of ${length} bytes; 65535 is the most`);
  return `${first}${String.fromCharCode(MASKED | 126, length >> 8, length & 0xff)}${KEY}`;
}

/** Takes a payload where it stands: it is gone when the call returns. */
export interface FrameHandler {
  text(bytes: Buffer, from: number, end: number): void;
  ping(payload: string): void;
  closed(code: number): void;
}

/** Finds the frames of a server in what a socket hands over. Fragmented messages are not among them. */
export class FrameReader {
  private rest: Buffer | undefined;

  constructor(private readonly handler: FrameHandler) {}

  /** `chunk` may be used again by the caller afterwards. */
  push(chunk: Buffer): void {
    const bytes = this.rest === undefined ? chunk : Buffer.concat([this.rest, chunk]);
    this.rest = undefined;
    let at = 0;
    for (;;) {
      const from = payloadAt(bytes, at);
      if (from < 0) break;
      const end = from + lengthAt(bytes, at);
      if (end > bytes.length) break;
      this.frame(bytes[at]! & 0x0f, bytes, from, end);
      at = end;
    }
    if (at < bytes.length) this.rest = Buffer.from(bytes.subarray(at));
  }

  private frame(opcode: number, bytes: Buffer, from: number, end: number): void {
    if (opcode === OPCODE.text) this.handler.text(bytes, from, end);
    else if (opcode === OPCODE.ping) this.handler.ping(bytes.toString('latin1', from, end));
    else if (opcode === OPCODE.close) this.handler.closed(end - from >= 2 ? bytes.readUInt16BE(from) : 1005);
  }
}

/** Where the payload of the frame at `at` begins, or -1 while its header is not all there. */
function payloadAt(bytes: Buffer, at: number): number {
  if (bytes.length < at + 2) return -1;
  const short = bytes[at + 1]! & 0x7f;
  const from = at + (short < 126 ? 2 : short === 126 ? 4 : 10);
  return from > bytes.length ? -1 : from;
}

function lengthAt(bytes: Buffer, at: number): number {
  const short = bytes[at + 1]! & 0x7f;
  if (short < 126) return short;
  return short === 126 ? bytes.readUInt16BE(at + 2) : bytes.readUInt32BE(at + 6);
}
