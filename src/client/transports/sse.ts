import type { ServerFrame } from '../../protocol/index.js';
import type { Auth } from '../credentials.js';
import { pause, type Timer } from '../platform.js';
import { eventReader } from './event-stream.js';
import { clockOf, endingOf, HttpCalls } from './http.js';
import { type Endpoint, factsOf, LEAST_LIMITS, type Link, type LinkEvents, parseFrame } from './link.js';

/** Milliseconds without a byte after which a stream is taken for dead and asked for again. */
const SILENCE_MS = 60_000;
/** Milliseconds to wait before asking again where a stream ended as soon as it began. */
const QUICK_MS = 1_000;
/** Milliseconds for `welcome` to come; a stream is good without it, too. */
const WELCOME_MS = 500;

/**
 * Server-Sent Events, read with fetch: EventSource can send no Authorization header. The server ends a stream now and
 * then; the next one resumes after the last event that was handed on, which also acknowledges it.
 */
export function openSse(to: Endpoint, auth: Auth, events: LinkEvents): Link {
  const http = new HttpCalls(to, auth, events);
  void run(to, http, events).catch((error: unknown) => http.end({ code: 1006, reason: String(error) }));
  return {
    send: (frame) => void http.send(frame),
    renew: (by) => http.renew(by),
    probe: () => undefined,
    close: async () => http.close(),
  };
}

async function run(to: Endpoint, http: HttpCalls, events: LinkEvents): Promise<void> {
  let lastId: string | undefined;
  let isReady = false;

  function ready(response: Response, welcome?: Extract<ServerFrame, { readonly type: 'welcome' }>): void {
    if (isReady || http.isOver) return;
    isReady = true;
    const least = { transport: 'sse', limits: LEAST_LIMITS, clock: clockOf(response), inPlace: false } as const;
    events.ready(welcome ? { ...factsOf(welcome), transport: 'sse', inPlace: false } : least);
  }

  while (!http.isOver) {
    const headers = { accept: 'text/event-stream', ...(lastId !== undefined && { 'last-event-id': lastId }) };
    const response = await http.fetch(`v1/stream?${new URLSearchParams({ device: to.device })}`, 0, { headers });
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
    if (!response.ok || !isStream || response.body === null) return http.end(await endingOf(response));
    const late = setTimeout(ready, WELCOME_MS, response);
    const read = eventReader(({ id, data }) => {
      const frame = parseFrame(data);
      ready(response, frame?.type === 'welcome' ? frame : undefined);
      if (frame === undefined) events.garbled(data);
      else if (frame.type !== 'welcome') events.frame(frame);
      lastId = id ?? lastId;
    });
    const started = Date.now();
    await drain(response.body, to.heartbeat ?? SILENCE_MS, read).finally(() => clearTimeout(late));
    await events.settled();
    if (Date.now() - started < QUICK_MS) await pause(QUICK_MS);
  }
}

/** Reads a body to its end, or until it has been silent for too long. */
async function drain(body: ReadableStream<Uint8Array>, silence: number, read: (text: string) => void): Promise<void> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let timer: Timer | undefined;
  const heard = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => void reader.cancel(), silence);
  };
  try {
    heard();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      heard();
      read(decoder.decode(part.value, { stream: true }));
    }
  } finally {
    clearTimeout(timer);
  }
}
