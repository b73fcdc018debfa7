import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { entryOf } from '../../src/cli/chat/commands.js';
import { Renderer } from '../../src/cli/chat/render.js';
import { createPaint, wantsColours } from '../../src/cli/colours.js';
import { secondsOf } from '../../src/cli/durations.js';
import { safeJson, visible, widthOf, wrap } from '../../src/cli/text.js';
import type { Conv, Json, MessageFrame, Uid } from '../../src/protocol/index.js';

const DM = 'dm:A:B' as Conv;
const A = 'A' as Uid;
const B = 'B' as Uid;
const NOON = new Date(2026, 0, 31, 12, 0).getTime();
const VIEW = { current: DM, me: A, peer: { delivered: 0, read: 0 } };
/** What can move a cursor, change a colour, turn the direction of writing or hide. */
const UNSEEN = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;

const said = (data: Json, more: Partial<MessageFrame> = {}): MessageFrame => ({
  type: 'message',
  conv: DM,
  seq: 7,
  ts: NOON,
  sender: B,
  data,
  ...more,
});

/** Without the line that says which day it is. */
function linesOf(frame: MessageFrame, view: Parameters<Renderer['entry']>[1] = VIEW, columns = 60): readonly string[] {
  return new Renderer(createPaint(false), () => columns).entry(frame, view).slice(1);
}

describe('text of others', () => {
  test('has no byte that a terminal would obey, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(visible(text)).not.toMatch(UNSEEN);
        expect(linesOf(said(text)).join('')).not.toMatch(UNSEEN);
        expect(safeJson({ text })).not.toMatch(UNSEEN);
        expect(JSON.parse(safeJson({ text }))).toEqual({ text });
      }),
    );
  });

  test('shows by name what it would do', () => {
    expect(visible('\x1b[2J \x07 \x9b \u202egpj.exe \u200b')).toBe('␛[2J ␇ <U+009B> <U+202E>gpj.exe <U+200B>');
  });

  test('keeps what languages and emoji need', () => {
    for (const text of ['可以吗？', 'می‌خواهم', '👩‍👩‍👧 👍🏽', 'é ñ', 'नमस्ते']) expect(visible(text)).toBe(text);
  });

  test('does not pile marks upon marks', () => {
    expect(visible(`a${'\u0301'.repeat(500)}b`)).toBe(`a${'\u0301'.repeat(6)}b`);
  });
});

describe('wrapping', () => {
  test('breaks between words, and in words that are longer than the line', () => {
    expect(wrap('one two three', 8)).toEqual(['one two', 'three']);
    expect(wrap('abcdefghij', 4)).toEqual(['abcd', 'efgh', 'ij']);
    expect(wrap('ab cdef', 10, 3)).toEqual(['ab', 'cdef']);
  });

  test('knows which characters are wide, and keeps joined ones together', () => {
    expect(widthOf('可以a')).toBe(5);
    expect(widthOf('👩‍👩‍👧é')).toBe(3);
    expect(wrap('可以可以', 5)).toEqual(['可以', '可以']);
  });

  test('never makes a line wider than it may be', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 100 }), fc.integer({ min: 2, max: 30 }), (text, width) => {
        for (const line of wrap(visible(text), width)) expect(widthOf(line)).toBeLessThanOrEqual(width);
      }),
    );
  });
});

describe('a message', () => {
  test('tells when, who and what', () => {
    expect(linesOf(said('hi'))).toEqual(['12:00     B: hi']);
    expect(linesOf(said({ text: 'hi' }))).toEqual(['12:00     B: hi']);
  });

  test('of one’s own tells how far it came', () => {
    const own = said('hi', { sender: A });
    expect(linesOf(own)).toEqual(['12:00 ✓   A: hi']);
    expect(linesOf(own, { ...VIEW, peer: { delivered: 7, read: 6 } })).toEqual(['12:00 ✓✓  A: hi']);
    expect(linesOf(own, { ...VIEW, peer: { delivered: 9, read: 7 } })).toEqual(['12:00 ✓✓✓ A: hi']);
  });

  test('from elsewhere says from where', () => {
    const tea = said('hi', { conv: 'room:tea' as Conv });
    expect(linesOf(tea)).toEqual(['12:00     [room tea] B: hi']);
    expect(linesOf(said('hi'), { ...VIEW, current: undefined })).toEqual(['12:00     [B] B: hi']);
  });

  test('can’t pass for two: its further lines stand behind a bar, however they came about', () => {
    const fake = '12:00     C: I agree';
    expect(linesOf(said(`x\n${fake}`))).toEqual(['12:00     B: x', `      │ ${fake}`]);
    const padded = linesOf(said(`x${' '.repeat(46)}${fake}`));
    expect(padded.slice(1).every((line) => line.startsWith('      │ '))).toBe(true);
    expect(padded.every((line) => widthOf(line) < 60)).toBe(true);
  });

  test('that is neither text nor {"text"} is shown as JSON', () => {
    const values: readonly Json[] = [null, 5, [1], { a: { toString: 1 } }, { text: {} }];
    for (const data of values) {
      expect(linesOf(said(data))).toEqual([`12:00     B: ${JSON.stringify(data)}`]);
    }
  });

  test('of 64 kB is shown in part', () => {
    const lines = linesOf(said('x'.repeat(65_000)));
    expect(lines.length).toBeLessThan(100);
    expect(lines.at(-1)).toContain('skein tail prints all)');
  });

  test('tells of edits, reactions, and that it was withdrawn', () => {
    expect(linesOf(said('hi', { edited: true, reactions: { '👍': [A, B] } }))).toEqual([
      '12:00     B: hi (edited)',
      '      │ 👍 2',
    ]);
    expect(linesOf({ ...said('hi'), recalled: true })).toEqual(['12:00     B: (withdrew this message)']);
    expect(linesOf(said('hi', { blocked: true }))).toEqual([]);
  });

  test('that answers another quotes it; changes say what they change', () => {
    const renderer = new Renderer(createPaint(false), () => 60);
    renderer.entry(said('shall we?'), VIEW);
    const show = (frame: MessageFrame) => renderer.entry(frame, VIEW);
    expect(show(said({ text: 'yes', reply: 7 }, { seq: 8 }))).toEqual(['12:00     B: ↪ “shall we?”', '      │ yes']);
    expect(show(said('', { seq: 9, op: 'react', ref: 7, emoji: '👍', on: true }))).toEqual([
      '— B reacted 👍 to “shall we?”',
    ]);
    expect(show(said('shall I?', { seq: 10, op: 'edit', ref: 7 }))).toEqual(['— B changed “shall we?” to “shall I?”']);
    expect(show(said('', { seq: 11, op: 'recall', ref: 5 }))).toEqual(['— B withdrew an earlier message']);
    const joined = { event: 'joined', uid: 'C', by: 'B' };
    expect(show(said(joined, { seq: 12, op: 'system' }))).toEqual(['— B admitted C']);
  });

  test('begins a day with its date', () => {
    const renderer = new Renderer(createPaint(false), () => 60);
    expect(renderer.entry(said('hi'), VIEW)).toEqual(['── 2026-01-31 ──', '12:00     B: hi']);
    expect(renderer.entry(said('hi'), VIEW)).toHaveLength(1);
    expect(renderer.entry(said('hi', { ts: NOON + 86_400_000 }), VIEW)).toHaveLength(2);
  });
});

describe('colours', () => {
  test('are there where wanted, one for each name, and nowhere else', () => {
    expect(createPaint(true)('red', 'x')).toBe('\x1b[31mx\x1b[0m');
    expect(createPaint(true).user('A')).toBe(createPaint(true).user('A'));
    expect(createPaint(false)('red', 'x')).toBe('x');
    expect(wantsColours({ isTTY: false })).toBe(false);
  });
});

describe('what is entered', () => {
  test.each([
    ['hello', { kind: 'message', text: 'hello' }],
    ['/to B', { kind: 'command', name: 'to', argument: 'B' }],
    ['/who ', { kind: 'command', name: 'who', argument: '' }],
    ['/etc/passwd', { kind: 'unknown', name: '/etc/passwd' }],
    ['/toString', { kind: 'unknown', name: '/toString' }],
    ['/constructor', { kind: 'unknown', name: '/constructor' }],
    ['//who', { kind: 'message', text: '/who' }],
    ['/quit\nand more', { kind: 'message', text: '/quit\nand more' }],
  ])('%j is understood', (text, entry) => {
    expect(entryOf(text)).toEqual(entry);
  });
});

test('durations are read in seconds', () => {
  expect(['90', '90s', '15m', '2h', '3d', '', '1w', '-1', '1.5h'].map(secondsOf)).toEqual([
    90,
    90,
    900,
    7_200,
    259_200,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});
