/** History, and the cursors and read positions of a conversation. */
import { decodeFields, parseObject } from '../../protocol/decode.js';
import type { ApiParts } from '../api.js';
import { failure } from '../replies.js';
import { type Call, DEVICE_FORM, deviceIn, numberIn, ofOutcome, type Route, readFrame } from '../route.js';
import type { Response } from '../transport.js';

export function conversationRoutes({ chat, limits }: ApiParts): readonly Route[] {
  async function history({ query, caller, path: [conv] }: Call): Promise<Response> {
    const [before, after, limit] = ['before', 'after', 'limit'].map((name) => numberIn(query, name));
    const frame = decodeFields('history', { conv, before, after, limit });
    if (frame.type === 'refused') return failure('bad_request', frame.message);
    return ofOutcome(await chat.requests.history(caller.uid, frame));
  }

  async function list({ query, caller, charge }: Call): Promise<Response> {
    const [before, limit] = ['before', 'limit'].map((name) => numberIn(query, name));
    const frame = decodeFields('conversations', { before, limit });
    if (frame.type === 'refused') return failure('bad_request', frame.message);
    return ofOutcome(await chat.requests.conversations(caller.uid, frame, charge));
  }

  async function mark({ request, query, caller, path: [conv, verb] }: Call): Promise<Response> {
    const device = deviceIn(query);
    if (device === undefined) return failure('bad_request', DEVICE_FORM);
    const frame = await readFrame(request, limits.frame, (text) => {
      const body = parseObject(text);
      return body ? decodeFields('ack', { conv, seq: body.seq }) : { type: 'refused', message: 'not a JSON object' };
    });
    if ('status' in frame) return frame;
    const moved = verb === 'ack' ? { device, delivered: frame.seq } : { read: frame.seq };
    return ofOutcome((await chat.requests.mark({ uid: caller.uid, conv: frame.conv, ...moved }, undefined)) ?? '{}');
  }

  return [
    { method: 'GET', pattern: /^\/v1\/conversations$/, needs: 'user', run: list },
    { method: 'GET', pattern: /^\/v1\/conversations\/([^/]+)\/messages$/, needs: 'user', run: history },
    { method: 'POST', pattern: /^\/v1\/conversations\/([^/]+)\/(ack|read)$/, needs: 'user', run: mark },
  ];
}
