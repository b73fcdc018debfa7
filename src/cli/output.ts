/** stdout as a program behind a pipe must use it. */
import { Failure } from './ending.js';

/** Resolves when the line is with the reader; rejects with EPIPE where the reader is gone, else with a Failure. */
export function writeLine(line: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(`${line}\n`, (error) => {
      if (!error) resolve();
      else reject(isReaderGone(error) ? error : new Failure(`nothing more can be written: ${error.message}`));
    });
  });
}

/** The reader took what it wanted and left, as `head` does: no fault of anybody. */
export const isReaderGone = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EPIPE';

/** Each write tells its own error; without a listener the same one would end the process as well. */
export function keepStreamErrors(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
}
