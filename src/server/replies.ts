/** Answers over HTTP. */

import { WORDS } from '../chat/answers.js';
import { ERRORS, type ErrorCode } from '../protocol/index.js';
import type { Headers, Response } from './transport.js';

const SAFE: Headers = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

/** A JSON answer; `body` is JSON text already. */
export function json(body: string, status = 200, headers: Headers = {}): Response {
  return { status, headers: { 'content-type': 'application/json; charset=utf-8', ...SAFE, ...headers }, body };
}

/** `{"error":{"code","message"}}` with the status that goes with the code. `retry`: milliseconds. */
export function failure(code: ErrorCode, message: string = WORDS[code], retry?: number): Response {
  const headers: Headers = retry === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(retry / 1000))) };
  const error = retry === undefined ? { code, message } : { code, message, retry };
  return json(JSON.stringify({ error }), ERRORS[code], headers);
}
