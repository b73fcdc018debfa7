/** A terminal for tests: keys in, and the screen that a person would see, of any length. */
import { PassThrough } from 'node:stream';

const COLUMNS = 60;
const ESCAPE = String.fromCharCode(0x1b);
const SEQUENCE = new RegExp(`${ESCAPE}\\[([?0-9;]*)([A-Za-z])`, 'y');

export class FakeTerminal {
  readonly input = new PassThrough();
  readonly output = Object.assign(new PassThrough(), { columns: COLUMNS, rows: 24, isTTY: true });
  /** Everything written, as it was. */
  written = '';

  constructor() {
    this.output.setEncoding('utf8').on('data', (text: string) => {
      this.written += text;
    });
  }

  type(keys: string): void {
    this.input.write(keys);
  }

  /** Understands what readline and the chat use: up, column, clear below, clear to the end; and where lines end. */
  get screen(): readonly string[] {
    const lines: string[] = [''];
    let [row, column] = [0, 0];
    const text = this.written;
    for (let at = 0; at < text.length; ) {
      SEQUENCE.lastIndex = at;
      const [sequence = '', argument = '', kind = ''] = SEQUENCE.exec(text) ?? [];
      const character = text[at] ?? '';
      at += sequence.length || 1;
      if (kind === 'A') row = Math.max(0, row - Number(argument || 1));
      else if (kind === 'C') column += Number(argument || 1);
      else if (kind === 'G') column = Number(argument || 1) - 1;
      else if (kind === 'J') lines.splice(row, lines.length, (lines[row] ?? '').slice(0, column));
      else if (kind === 'K') lines[row] = (lines[row] ?? '').slice(0, column);
      else if (sequence === '' && character === '\r') column = 0;
      else if (sequence === '' && character === '\n') row++;
      else if (sequence === '') {
        if (column >= COLUMNS) [row, column] = [row + 1, 0];
        const line = (lines[row] ?? '').padEnd(column);
        lines[row] = line.slice(0, column) + character + line.slice(column + 1);
        column++;
      }
      while (lines.length <= row) lines.push('');
    }
    return lines;
  }
}
