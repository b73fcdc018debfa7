import { describe, expect, test } from 'vitest';
import { FrameReader, frameOf } from '../../loadtest/client/frame.js';

/** A frame as a server sends it: not masked. */
function serverFrame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  if (length < 126) return Buffer.concat([Buffer.from([0x80 | opcode, length]), payload]);
  const head = Buffer.alloc(length <= 0xffff ? 4 : 10);
  head[0] = 0x80 | opcode;
  head[1] = length <= 0xffff ? 126 : 127;
  if (length <= 0xffff) head.writeUInt16BE(length, 2);
  else head.writeUInt32BE(length, 6);
  return Buffer.concat([head, payload]);
}

function readerThatNotes(): { readonly reader: FrameReader; readonly heard: string[] } {
  const heard: string[] = [];
  const reader = new FrameReader({
    text: (bytes, from, end) => heard.push(bytes.toString('latin1', from, end)),
    ping: (payload) => heard.push(`ping ${payload}`),
    closed: (code) => heard.push(`closed ${code}`),
  });
  return { reader, heard };
}

describe('the load generator hears', () => {
  const texts = ['a', 'b'.repeat(125), 'c'.repeat(126), 'd'.repeat(70_000), ''];
  const stream = Buffer.concat([
    ...texts.map((text) => serverFrame(1, Buffer.from(text))),
    serverFrame(9, Buffer.from('17')),
    serverFrame(8, Buffer.from([0x03, 0xf4])),
  ]);
  const all = [...texts, 'ping 17', 'closed 1012'];

  test('every frame, short and long', () => {
    const { reader, heard } = readerThatNotes();
    reader.push(stream);
    expect(heard).toEqual(all);
  });

  test.each([1, 2, 3, 7, 1_000])('the same frames when they come %i bytes at a time', (size) => {
    const { reader, heard } = readerThatNotes();
    const reused = Buffer.alloc(size);
    const part = size === 1 ? stream.subarray(0, 1_000) : stream;
    for (let at = 0; at < part.length; at += size) {
      const length = part.copy(reused, 0, at, Math.min(part.length, at + size));
      reader.push(reused.subarray(0, length));
    }
    expect(heard).toEqual(size === 1 ? texts.slice(0, 3) : all);
  });
});

test.each([0, 125, 126, 65_535])('a frame of %i bytes says that it is masked, and how long it is', (length) => {
  const frame = Buffer.from(frameOf('x'.repeat(length)), 'latin1');
  const isShort = length < 126;
  expect(frame[0]).toBe(0x81);
  expect(frame[1]! & 0x80).toBe(0x80);
  expect(isShort ? frame[1]! & 0x7f : frame.readUInt16BE(2)).toBe(length);
  expect(frame.length).toBe((isShort ? 6 : 8) + length);
});
