/** How a command ends: exit codes, what must be put in order before, and what goes to stderr. */
import { SkeinError } from '../client/failure.js';
import { visibleLines } from './text.js';

/** What shells and scripts expect. */
export const EXIT = { ok: 0, failed: 1, usage: 2, interrupted: 130, terminated: 143 } as const;

/** The command was not asked in the right way. */
export class Usage extends Error {}

/** It was asked rightly, and did not work out. `code`: the protocol's, where the server refused. */
export class Failure extends Error {
  constructor(
    message: string,
    readonly code?: string,
  ) {
    super(code === undefined ? message : `${code}: ${message}`);
  }

  static of(error: SkeinError): Failure {
    return new Failure(error.message, error.code);
  }
}

/** Milliseconds for putting things in order. */
const FAREWELL_MS = 2_500;

const farewells = new Set<() => Promise<void> | void>();

/** Something to be done before the process ends, however that comes about; what was begun last is ended first. */
export function beforeEnd(farewell: () => Promise<void> | void): void {
  farewells.add(farewell);
}

let ending: Promise<void> | undefined;

/** Ends the process when everything is in order and written out; the first code counts. */
export function end(code: number): Promise<void> {
  ending ??= endInOrder(code);
  return ending;
}

async function endInOrder(code: number): Promise<void> {
  const late = new Promise((resolve) => setTimeout(resolve, FAREWELL_MS));
  const all = [...farewells].reverse().map(async (farewell) => farewell());
  farewells.clear();
  const results = await Promise.race([Promise.allSettled(all), late]);
  for (const result of Array.isArray(results) ? results : []) {
    if (result.status === 'rejected') say(`error: ${result.reason}`);
  }
  await new Promise((resolve) => process.stdout.write('', resolve));
  process.exit(code);
}

/** Ends in order at the first signal, at once at the second. */
export function endOnSignals(): void {
  const codes = { SIGINT: EXIT.interrupted, SIGTERM: EXIT.terminated, SIGHUP: 129 } as const;
  for (const [signal, code] of Object.entries(codes)) {
    process.once(signal, () => {
      process.once(signal, () => process.exit(code));
      void end(code);
    });
  }
}

/** Words for the person, never for the script: to stderr. */
export function say(text: string): void {
  process.stderr.write(`${visibleLines(text).join('\n')}\n`);
}

/** Tells what went wrong, and gives the exit code for it. */
export function report(error: unknown): number {
  if (error instanceof Usage) {
    say(`error: ${error.message}`);
    return EXIT.usage;
  }
  if (error instanceof SkeinError) return report(Failure.of(error));
  say(`error: ${error instanceof Failure ? error.message : stackOf(error)}`);
  return EXIT.failed;
}

const stackOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));
