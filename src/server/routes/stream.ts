/** Server-Sent Events: what is pending, then everything that comes, for as long as the stream lasts. */
import { retryAfter } from '../../chat/answers.js';
import type { Session } from '../../chat/session.js';
import { STREAM_HEARTBEAT_MS, STREAM_MESSAGES_MAX, STREAM_MS } from '../../chat/streams.js';
import type { Household } from '../address-limits.js';
import type { ApiParts } from '../api.js';
import { failure } from '../replies.js';
import { type Call, DEVICE_FORM, deviceIn, type Route } from '../route.js';
import { SseLine } from '../sse-line.js';
import type { Headers, Response, Stream } from '../transport.js';

const HEADERS: Headers = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
  'x-content-type-options': 'nosniff',
};

export function streamRoutes({ chat, addresses }: Pick<ApiParts, 'chat' | 'addresses'>): readonly Route[] {
  async function open({ request, query, caller, household }: Call): Promise<Response> {
    const device = deviceIn(query);
    if (device === undefined) return failure('bad_request', DEVICE_FORM);
    // A reader of its own may find a query easier to set than a header.
    const cursor = request.header('last-event-id') || query.get('lastEventId') || undefined;
    const refusal = await chat.streams.resume({ uid: caller.uid, device }, cursor);
    if (refusal?.refused === 'unavailable') return failure('unavailable', refusal.message, retryAfter());
    if (refusal) return failure(refusal.refused, refusal.message);
    const options = { identity: caller, device, ack: 'manual', replace: query.get('replace') === '1' } as const;
    return { status: 200, headers: HEADERS, body: (stream) => begin(stream, options, household) };
  }

  function begin(stream: Stream, options: Parameters<typeof chat.admit>[1], household: Household): void {
    let session: Session | undefined;
    const line = new SseLine(stream, {
      progress: chat.streams.progress({ uid: options.identity.uid, device: options.device }),
      messages: STREAM_MESSAGES_MAX,
      life: STREAM_MS,
      heartbeat: STREAM_HEARTBEAT_MS,
      onDrain: () => session && chat.drain(session),
      onAlive: () => session && chat.pong(session, ''),
      onClose: (code) => {
        addresses.leave(household);
        chat.streams.closed(line, code);
        if (session) chat.close(session, false);
      },
    });
    addresses.enter(household);
    chat.streams.opened(line);
    session = chat.admit(line, options);
  }

  return [{ method: 'GET', pattern: /^\/v1\/stream$/, needs: 'user', run: open }];
}
