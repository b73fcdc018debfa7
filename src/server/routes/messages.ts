/** Sending, and polling for what is pending. */
import { placeOf } from '../../chat/handlers.js';
import { messageTail } from '../../chat/item.js';
import { mayBroadcast } from '../../chat/policy.js';
import { decodeBody } from '../../protocol/decode.js';
import { POLL_WAIT_DEFAULT, POLL_WAIT_MAX, sidesOf } from '../../protocol/index.js';
import type { ApiParts } from '../api.js';
import { failure, json } from '../replies.js';
import { type Call, DEVICE_FORM, deviceIn, ofAnswer, type Route, readFrame } from '../route.js';
import type { Response } from '../transport.js';

export function messageRoutes({ chat, limits }: ApiParts): readonly Route[] {
  async function send({ request, caller }: Call): Promise<Response> {
    const frame = await readFrame(request, limits.frame, (text) => decodeBody('send', text));
    if ('status' in frame) return frame;
    if (frame.broadcast && !mayBroadcast(caller)) return failure('forbidden');
    const { conv, target } = placeOf(caller.uid, frame);
    const tail = messageTail(frame.id, caller.uid, target, frame.data);
    const letter = { conv, sender: caller.uid, id: frame.id, tail, ref: chat.commits.nextRef() };
    const sides = 'receiver' in target ? sidesOf(conv) : undefined;
    return ofAnswer(await chat.commits.ask(letter, sides));
  }

  async function poll({ request, query, caller }: Call): Promise<Response> {
    const device = deviceIn(query);
    const wait = waitIn(query);
    if (device === undefined) return failure('bad_request', DEVICE_FORM);
    if (wait === undefined) return failure('bad_request', `wait: 0 to ${POLL_WAIT_MAX} whole seconds`);
    const ack = query.get('ack') || undefined;
    // Nobody waits longer than their token lasts.
    const waitMs = Math.min(wait * 1000, Math.max(0, (caller.expires ?? Infinity) - Date.now()));
    const answer = await chat.polls.poll({ uid: caller.uid, device }, waitMs, ack, request.gone);
    if ('refused' in answer) return failure(answer.refused, answer.message, answer.retry);
    return json(`{"messages":[${answer.frames.join(',')}],"cursor":"${answer.cursor}"}`);
  }

  return [
    { method: 'POST', pattern: /^\/v1\/messages$/, needs: 'user', run: send },
    { method: 'GET', pattern: /^\/v1\/messages$/, needs: 'user', run: poll },
  ];
}

/** Whole seconds of a poll's `wait`; undefined where it is out of form. */
function waitIn(query: URLSearchParams): number | undefined {
  const text = query.get('wait');
  if (text === null) return POLL_WAIT_DEFAULT;
  return /^\d{1,2}$/.test(text) && Number(text) <= POLL_WAIT_MAX ? Number(text) : undefined;
}
