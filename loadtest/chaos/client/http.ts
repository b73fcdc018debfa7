/** HTTP as the clients of a run need it. */
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { Place } from './client.js';
import { Unreachable } from './unreachable.js';

export type Answer = { readonly status: number; readonly retryAfter: number; readonly body: unknown };

export type Ask = {
  readonly method?: string;
  readonly path: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds until the connection is given up. */
  readonly timeout: number;
  /** Hands over the request, for whoever may have to end it. */
  readonly began?: (request: ClientRequest) => void;
};

const GRACE_MS = 250;

/** Resolves with the beginning of an answer; rejects with Unreachable where none came in time. */
export function open(place: Place, ask: Ask): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const body = ask.body === undefined ? undefined : JSON.stringify(ask.body);
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const sent = request({
      ...{ host: place.host, port: place.port, path: ask.path, method: ask.method ?? 'GET', agent: false },
      headers: { ...type, ...ask.headers },
    });
    ask.began?.(sent);
    const giveUp = (): void => void sent.destroy(new Error('no answer in time'));
    // Who was late itself finds here what came meanwhile, before it gives up.
    let timer = setTimeout(() => {
      timer = setTimeout(giveUp, GRACE_MS);
    }, ask.timeout);
    sent.once('close', () => clearTimeout(timer));
    sent.once('response', (answer) => {
      // The rest may fail, too: whoever reads it hears of it, and nobody else has to.
      answer.once('error', () => undefined);
      resolve(answer);
    });
    sent.once('error', (error) => reject(new Unreachable(error.message)));
    sent.end(body);
  });
}

/** A whole answer. One that is not JSON is not of a node, but of what stands before it: rejects with Unreachable. */
export async function ask(place: Place, question: Ask): Promise<Answer> {
  const answer = await open(place, question);
  let text = '';
  try {
    for await (const chunk of answer) text += String(chunk);
    const retryAfter = Number(answer.headers['retry-after'] ?? 0) * 1_000;
    return { status: answer.statusCode ?? 0, retryAfter, body: JSON.parse(text) };
  } catch (error) {
    throw new Unreachable(`an answer that breaks off, or is none: ${error}`);
  }
}
