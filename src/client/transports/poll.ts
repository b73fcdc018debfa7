import type { ServerFrame } from '../../protocol/index.js';
import type { Auth } from '../credentials.js';
import { pause } from '../platform.js';
import { clockOf, endingOf, HttpCalls } from './http.js';
import { type Endpoint, LEAST_LIMITS, type Link, type LinkEvents } from './link.js';

/** Milliseconds that an empty answer must have taken, or the next poll waits: two polls of a device end each other. */
const QUICK_MS = 1_000;

type Answer = { readonly messages: readonly ServerFrame[]; readonly cursor?: string };

/**
 * Long poll, or short poll with `wait` 0 and a pause. Each poll acknowledges, by its cursor, what the answer before it
 * held, once all of that was handed on; so `ack` frames are not needed here.
 */
export function openPoll(to: Endpoint, auth: Auth, events: LinkEvents): Link {
  const http = new HttpCalls(to, auth, events);
  void run(to, http, events).catch((error: unknown) => http.end({ code: 1006, reason: String(error) }));
  return {
    send: (frame) => {
      if (frame.type !== 'ack') void http.send(frame);
    },
    renew: (by) => http.renew(by),
    probe: () => undefined,
    close: async () => http.close(),
  };
}

async function run(to: Endpoint, http: HttpCalls, events: LinkEvents): Promise<void> {
  let cursor: string | undefined;
  // Until nothing is pending polls wait for nothing; the first one only shows that they work here.
  for (let wait = 0, first = true, isSynced = false; !http.isOver; first = false) {
    const [started, waited] = [Date.now(), wait];
    const response = await http.fetch(pathOf(to, waited, cursor), to.patience + waited * 1_000);
    if (response.status === 400 && cursor !== undefined) {
      cursor = undefined; // another server's, or one too old: what it held comes again
      continue;
    }
    if (!response.ok) return http.end(await endingOf(response));
    const answer = (await response.json()) as Answer;
    if (first) {
      events.ready({ transport: 'poll', limits: LEAST_LIMITS, clock: clockOf(response), inPlace: false });
    }
    for (const message of answer.messages) events.frame(message);
    await events.settled();
    cursor = answer.cursor ?? cursor;
    if (!isSynced && answer.messages.length === 0) {
      isSynced = true;
      wait = to.poll.wait;
      events.frame({ type: 'synced' });
    }
    const isQuick = waited > 0 && answer.messages.length === 0 && Date.now() - started < QUICK_MS;
    const rest = Math.max(to.poll.pause, isQuick ? QUICK_MS : 0);
    if (rest > 0) await pause(rest);
  }
}

function pathOf(to: Endpoint, wait: number, ack: string | undefined): string {
  const query = new URLSearchParams({ device: to.device, wait: String(wait) });
  if (ack !== undefined) query.set('ack', ack);
  return `v1/messages?${query}`;
}
