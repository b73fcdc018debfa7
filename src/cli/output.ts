/** stdout as a program behind a pipe must use it. */

/** Resolves when the line is with the reader; rejects with the stream's error, EPIPE where the reader is gone. */
export function writeLine(line: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(`${line}\n`, (error) => (error ? reject(error) : resolve()));
  });
}

/** The reader took what it wanted and left, as `head` does: no fault of anybody. */
export const isReaderGone = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EPIPE';

/** Each write tells its own error; without a listener the same one would end the process as well. */
export function keepStreamErrors(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
}
