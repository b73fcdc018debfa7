/** Where a chat is shown and written: a terminal, or a pipe. */
import { createInterface } from 'node:readline';
import type { Paint } from '../colours.js';
import { say } from '../ending.js';

/** What stands beside the input; texts are harmless already, and may have colours. */
export type Beside = {
  readonly connection: string;
  /** Where the next message goes. */
  readonly to: string;
  /** How far one's last message came, who is typing, what waits to be sent. */
  readonly facts: readonly string[];
};

export interface Screen {
  /** A person sits before it. */
  readonly isInteractive: boolean;
  columns(): number;
  print(lines: readonly string[]): void;
  show(beside: Beside): void;
  /** What is entered, a message or a command at a time, until the input ends. */
  entries(): AsyncIterable<string>;
  onTyping(listener: () => void): void;
  onInterrupt(listener: () => void): void;
  close(): void;
}

const PIPE_COLUMNS = 100;

/** Lines in, lines out; what changes beside them is told as it changes, the connection on stderr. */
export class Pipe implements Screen {
  readonly isInteractive = false;
  #shown: Beside = { connection: '', to: '', facts: [] };
  #isOver = false;

  columns(): number {
    return process.stdout.columns ?? PIPE_COLUMNS;
  }

  print(lines: readonly string[]): void {
    for (const line of lines) process.stdout.write(`${line}\n`);
  }

  show(beside: Beside): void {
    if (this.#isOver) return;
    if (beside.connection !== this.#shown.connection) say(`connection: ${beside.connection}`);
    this.print(beside.facts.filter((fact) => !this.#shown.facts.includes(fact)).map((fact) => `— ${fact}`));
    this.#shown = beside;
  }

  entries(): AsyncIterable<string> {
    return createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY });
  }

  onTyping(): void {}

  onInterrupt(): void {}

  close(): void {
    this.#isOver = true;
    process.stdin.destroy();
  }
}

const PASTE = { on: '\x1b[?2004h', off: '\x1b[?2004l' } as const;
const CLEAR_BELOW = '\x1b[J';

type TerminalOutput = NodeJS.WritableStream & { readonly columns?: number };

/**
 * A terminal: what arrives is printed above the line that is being written, and what was written is taken off the screen,
 * for it comes back as a message. Pasted lines become one message, which leaves with the next Enter.
 */
export class Terminal implements Screen {
  readonly isInteractive = true;
  readonly #paint: Paint;
  readonly #input: NodeJS.ReadableStream;
  readonly #output: TerminalOutput;
  readonly #lines: ReturnType<typeof createInterface>;
  readonly #entered: string[] = [];
  #pasted: string[] | undefined;
  #isPasting = false;
  #beside: Beside = { connection: '', to: '', facts: [] };
  #wake: (() => void) | undefined;
  #isOver = false;

  constructor(paint: Paint, input: NodeJS.ReadableStream = process.stdin, output: TerminalOutput = process.stdout) {
    this.#paint = paint;
    this.#output = output;
    this.#input = input;
    this.#lines = createInterface({ input, output, terminal: true, historySize: 200 });
    this.#lines.on('line', (line) => this.#take(line));
    this.#lines.on('close', () => this.#end());
    this.#input.on('keypress', (_, key: { readonly name?: string }) => {
      if (key.name === 'paste-start') this.#isPasting = true;
      if (key.name === 'paste-end') this.#isPasting = false;
    });
    this.#output.write(PASTE.on);
  }

  columns(): number {
    return this.#output.columns ?? PIPE_COLUMNS;
  }

  print(lines: readonly string[]): void {
    if (lines.length > 0) this.#draw(lines);
  }

  show(beside: Beside): void {
    this.#beside = beside;
    this.#draw();
  }

  async *entries(): AsyncIterable<string> {
    for (;;) {
      while (this.#entered.length > 0) yield this.#entered.shift() ?? '';
      if (this.#isOver) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  onTyping(listener: () => void): void {
    this.#input.on('keypress', () => {
      if (this.#lines.line !== '' && !this.#lines.line.startsWith('/')) listener();
    });
  }

  /** Ctrl-C empties the line, as in a shell, and ends the chat where it is empty. */
  onInterrupt(listener: () => void): void {
    this.#lines.on('SIGINT', () => {
      if (this.#lines.line === '' && this.#pasted === undefined) return listener();
      this.#pasted = undefined;
      this.#lines.write(null, { ctrl: true, name: 'e' });
      this.#lines.write(null, { ctrl: true, name: 'u' });
      this.#draw();
    });
  }

  close(): void {
    if (!this.#isOver) this.#lines.close();
  }

  #take(line: string): void {
    this.#takeBack(line);
    const lines = [...(this.#pasted ?? []), line];
    if (this.#isPasting) this.#pasted = lines;
    else {
      this.#pasted = undefined;
      this.#entered.push(lines.join('\n'));
      this.#wake?.();
    }
    this.#draw();
  }

  /** readline counts the rows of what it had on the screen. */
  #takeBack(line: string): void {
    this.#lines.setPrompt(`${this.#words()}${line}`);
    const { rows } = this.#lines.getCursorPos();
    this.#output.write(`${up(rows + 1)}\r${CLEAR_BELOW}`);
    this.#lines.setPrompt('');
  }

  #words(): string {
    const { connection, to, facts } = this.#beside;
    const waiting = this.#pasted ? [`${this.#pasted.length} pasted lines, Enter sends`] : [];
    const beside = [connection, ...facts, ...waiting].join(' · ');
    return `${this.#paint('dim', `[${beside}]`)} ${this.#paint('bold', to)}> `;
  }

  /** Draws the input anew, below these lines. */
  #draw(lines: readonly string[] = []): void {
    if (this.#isOver) return;
    const { rows } = this.#lines.getCursorPos();
    // readline goes up again by the rows that it knows of, so they are given to it; characters that came at once it has
    // not counted yet.
    const { prevRows: known = rows } = this.#lines as { readonly prevRows?: number };
    const above = lines.map((line) => `${line}\r\n`).join('');
    this.#output.write(`${up(rows)}\r${CLEAR_BELOW}${above}${'\n'.repeat(known)}`);
    this.#lines.setPrompt(this.#words());
    this.#lines.prompt(true);
  }

  #end(): void {
    this.#isOver = true;
    this.#output.write(`${PASTE.off}\r${CLEAR_BELOW}`);
    this.#wake?.();
  }
}

const up = (rows: number): string => (rows > 0 ? `\x1b[${rows}A` : '');
