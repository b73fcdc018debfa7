/** What both socket adapters do alike with a handler's answer. */
import type { Headers, Response } from './transport.js';

/** Takes what a handler threw: a bug, for the log. */
export type OnError = (error: unknown) => void;

/** A refusal in the protocol's form. */
export function failure(
  status: number,
  code: string,
  message: string,
  headers: Headers = {},
): Response & { readonly body: string } {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ error: { code, message } }),
  };
}

export const internal = (): Response => failure(500, 'internal', 'internal error');

/**
 * Runs a handler and passes its result on, in the same turn if it did not wait: uWebSockets.js answers pipelined
 * requests only then. What it throws becomes `fallback(500)` and goes to `onError`.
 */
export function settle<T>(
  work: () => T | Promise<T>,
  fallback: (refusal: Response) => T,
  done: (result: T) => void,
  onError: OnError,
): void {
  const failed = (error: unknown): T => {
    onError(error);
    return fallback(internal());
  };
  const finish = (result: T): void => guarded(() => done(result), onError);
  let result: T | Promise<T>;
  try {
    result = work();
  } catch (error) {
    return finish(failed(error));
  }
  if (result instanceof Promise) result.catch(failed).then(finish);
  else finish(result);
}

/** Calls into the domain from a native callback, where an exception would end the process. */
export function guarded(work: () => void, onError: OnError): void {
  try {
    work();
  } catch (error) {
    onError(error);
  }
}

/** The transport frames the answer itself; a handler may only ask for `connection: close`. */
const FRAMING = new Set(['connection', 'content-length', 'date', 'keep-alive', 'transfer-encoding']);
const TOKEN = /^[!#$%&'*+.^_`|~\dA-Za-z-]+$/;
const PRINTABLE = /^[\t\x20-\x7e]*$/;

export type WireResponse = {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Response['body'];
  readonly close: boolean;
  /** Server-sent events. */
  readonly isEvents: boolean;
};

/** A response as it may be written; a 500 in place of one whose headers would break out of their lines. */
export function wireResponse(response: Response, onError: OnError): WireResponse {
  const headers = Object.entries(response.headers);
  const bad = headers.find(([name, value]) => !TOKEN.test(name) || !PRINTABLE.test(value));
  if (bad) {
    onError(new Error(`the response header ${JSON.stringify(bad[0])} holds characters that no header may hold`));
    return wireResponse(internal(), onError);
  }
  const has = (name: string, prefix: string): boolean =>
    headers.some(([key, value]) => key.toLowerCase() === name && value.toLowerCase().startsWith(prefix));
  return {
    status: response.status,
    headers: headers.filter(([name]) => !FRAMING.has(name.toLowerCase())),
    body: response.body,
    close: has('connection', 'close'),
    isEvents: has('content-type', 'text/event-stream'),
  };
}

/** Statuses that have no body by definition, and no length either. */
export const isBodyless = (status: number): boolean => status < 200 || status === 204 || status === 304;
