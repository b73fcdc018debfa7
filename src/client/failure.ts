import type { ErrorCode, ErrorFrame } from '../protocol/index.js';

/**
 * The protocol's error codes, and what can go wrong without the server's word: `timeout` (no answer in time; whether it
 * took effect is unknown), `closed` (the client was closed meanwhile), `unsupported` (this transport cannot carry it).
 */
export type FailureCode = ErrorCode | 'timeout' | 'closed' | 'unsupported';

/** Why a request or a message failed. */
export class SkeinError extends Error {
  override readonly name = 'SkeinError';
  readonly code: FailureCode;
  /** Milliseconds after which a repeat makes sense, where the server said so. */
  readonly retry: number | undefined;

  constructor(code: FailureCode, message: string, retry?: number) {
    super(message);
    this.code = code;
    this.retry = retry;
  }

  static of(frame: ErrorFrame): SkeinError {
    return new SkeinError(frame.code, frame.message, frame.retry);
  }
}

const PASSING: ReadonlySet<FailureCode> = new Set(['unavailable', 'rate_limited', 'internal', 'timeout']);

/** Whether the same request may succeed later. */
export const isPassing = (error: unknown): boolean => error instanceof SkeinError && PASSING.has(error.code);

/** What was thrown as an error that an application can tell apart. */
export function failureOf(error: unknown): SkeinError {
  if (error instanceof SkeinError) return error;
  return new SkeinError('internal', error instanceof Error ? error.message : String(error));
}
