/** Which of the two socket adapters a node runs on. */
import type { OnError } from './response.js';
import type { Handlers, Transport, TransportOptions } from './transport.js';
import { createWs } from './ws.js';

export type SocketChoice = 'auto' | 'uws' | 'ws';

export type ChosenTransport = {
  readonly transport: Transport;
  /** Why `auto` did not take uWebSockets.js, and what to do about it, in words for an operator. */
  readonly fallback?: string;
};

type Factory = typeof createWs;
const loadUws = async (): Promise<Factory> => (await import('./uws.js')).createUws;

const REMEDY =
  'its binaries need glibc 2.38 or newer (2.27 on Node 20) and Node 20, 22, 24 or 25; they run on Debian 13 and Ubuntu 24.04, not on Alpine';

/**
 * `auto` takes uWebSockets.js where its binary loads, else `ws`; `uws` rejects, with the reason, where it does not.
 * `onError` gets what a handler threw.
 */
export async function chooseTransport<State>(
  choice: SocketChoice,
  options: TransportOptions,
  handlers: Handlers<State>,
  onError: OnError,
  load: () => Promise<Factory> = loadUws,
): Promise<ChosenTransport> {
  if (choice === 'ws') return { transport: createWs(options, handlers, onError) };
  let create: Factory;
  try {
    create = await load();
  } catch (error) {
    const reason = `uWebSockets.js does not load here (${lastLine(error)}); ${REMEDY}`;
    if (choice === 'uws') throw new Error(reason, { cause: error });
    const fallback = `${reason}. Serving with ws and node:http, at a lower rate; choose 'ws' to have it so on purpose`;
    return { transport: createWs(options, handlers, onError), fallback };
  }
  return { transport: create(options, handlers, onError) };
}

/** The library's message ends with the loader's own words. */
const lastLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).trim().split('\n').at(-1) ?? '';
