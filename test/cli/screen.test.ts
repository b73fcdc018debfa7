import { afterEach, expect, test } from 'vitest';
import { Terminal } from '../../src/cli/chat/screen.js';
import { createPaint } from '../../src/cli/colours.js';
import { until } from '../support/until.js';
import { FakeTerminal } from './terminal.js';

const open: Terminal[] = [];
afterEach(() => {
  for (const screen of open.splice(0)) screen.close();
});

function atTerminal() {
  const terminal = new FakeTerminal();
  const screen = new Terminal(createPaint(false), terminal.input, terminal.output);
  open.push(screen);
  screen.show({ connection: 'open 1', to: 'A → B', facts: [] });
  const entered: string[] = [];
  const ended = (async () => {
    for await (const entry of screen.entries()) entered.push(entry);
  })();
  const shows = (...lines: readonly string[]) =>
    until(
      () => JSON.stringify(terminal.screen) === JSON.stringify(lines),
      () => `${JSON.stringify(lines)} on the screen, which shows ${JSON.stringify(terminal.screen)}`,
    );
  return { terminal, screen, entered, ended, shows };
}

const PROMPT = '[open 1] A → B> ';

test('what arrives is printed above the line that is being written', async () => {
  const { terminal, screen, shows } = atTerminal();
  terminal.type('half a sen');
  await shows(`${PROMPT}half a sen`);
  screen.print(['12:00 B: hi']);
  await shows('12:00 B: hi', `${PROMPT}half a sen`);
  terminal.type('tence');
  await shows('12:00 B: hi', `${PROMPT}half a sentence`);
});

test('also where that line has grown over several rows', async () => {
  const { terminal, screen, shows } = atTerminal();
  const long = 'word '.repeat(20).trim();
  terminal.type(long);
  const rows = `${PROMPT}${long}`.match(/.{1,60}/g) ?? [];
  await shows(...rows);
  screen.print(['one', 'two']);
  screen.print(['three']);
  await shows('one', 'two', 'three', ...rows);
});

test('what was written leaves the screen with Enter, however long, for it comes back as a message', async () => {
  const { terminal, screen, entered, shows } = atTerminal();
  screen.print(['before']);
  const long = 'x'.repeat(130);
  terminal.type(`${long}\r`);
  await until(() => entered.length === 1, 'the entry');
  expect(entered).toEqual([long]);
  await shows('before', PROMPT);
});

test('several pasted lines are one message, sent by Enter and not by the paste', async () => {
  const { terminal, entered, shows } = atTerminal();
  terminal.type('\x1b[200~one\r/quit\rthree\x1b[201~');
  await shows('[open 1 · 2 pasted lines, Enter sends] A → B> three');
  expect(entered).toEqual([]);
  terminal.type('\r');
  await until(() => entered.length === 1, 'the entry');
  expect(entered).toEqual(['one\n/quit\nthree']);
  await shows(PROMPT);
});

test('the terminal is told to mark pastes, and left as it was found', async () => {
  const { terminal, screen } = atTerminal();
  await until(() => terminal.written.includes('\x1b[?2004h'), 'bracketed paste to be on');
  screen.close();
  await until(() => terminal.written.includes('\x1b[?2004l'), 'bracketed paste to be off');
});

test('the state of things stands beside the input and changes under it', async () => {
  const { terminal, screen, shows } = atTerminal();
  terminal.type('hm');
  screen.show({ connection: 'closed 3', to: 'A → B', facts: ['1 waiting', 'B is typing'] });
  await shows('[closed 3 · 1 waiting · B is typing] A → B> hm');
  terminal.type('m'.repeat(100));
  screen.show({ connection: 'open 1', to: 'A → B', facts: [] });
  await shows(...(`${PROMPT}hm${'m'.repeat(100)}`.match(/.{1,60}/g) ?? []));
});

test('Ctrl-C empties the line first, what was pasted included, and ends the chat then', async () => {
  const { terminal, screen, entered, shows } = atTerminal();
  let interrupts = 0;
  screen.onInterrupt(() => interrupts++);
  terminal.type('\x1b[200~one\rtwo\x1b[201~');
  await shows('[open 1 · 1 pasted lines, Enter sends] A → B> two');
  terminal.type('\x03');
  await shows(PROMPT);
  expect(interrupts).toBe(0);
  terminal.type('\x03');
  await until(() => interrupts === 1, 'the interrupt');
  expect(entered).toEqual([]);
});

test('Ctrl-D ends what is entered', async () => {
  const { terminal, entered, ended } = atTerminal();
  terminal.type('hi\r\x04');
  await ended;
  expect(entered).toEqual(['hi']);
});

test('who types is told of, but not of commands', async () => {
  const { terminal, screen, shows } = atTerminal();
  let typings = 0;
  screen.onTyping(() => typings++);
  terminal.type('/who');
  await shows(`${PROMPT}/who`);
  expect(typings).toBe(0);
  terminal.type('\x15hello');
  await shows(`${PROMPT}hello`);
  expect(typings).toBeGreaterThan(0);
});
