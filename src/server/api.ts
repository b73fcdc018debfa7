/** HTTP, for what cannot hold a WebSocket: the same objects, promises and errors as the frames. */

import { retryAfter, WORDS } from '../chat/answers.js';
import { Bucket } from '../chat/bucket.js';
import type { Chat } from '../chat/chat.js';
import { placeOf } from '../chat/handlers.js';
import { messageTail } from '../chat/item.js';
import type { Meter } from '../chat/meter.js';
import { mayBroadcast, type Refused } from '../chat/policy.js';
import { Unavailable } from '../chat/ports.js';
import type { Identity } from '../chat/session.js';
import { type Decoded, decodeBody, decodeFields, parseObject, type Refusal } from '../protocol/decode.js';
import {
  type ErrorCode,
  type ErrorFrame,
  POLL_WAIT_DEFAULT,
  POLL_WAIT_MAX,
  parseUid,
  sidesOf,
  type Uid,
  WATCH_MAX,
} from '../protocol/index.js';
import { callerOf, deviceIn, type Identify, isOriginAllowed } from './entrance.js';
import { failure, json } from './replies.js';
import type { Request, Response } from './transport.js';

export type ApiParts = {
  readonly chat: Chat;
  readonly identify: Identify;
  readonly origins: readonly string[];
  readonly limits: { readonly frame: number; readonly rate: number };
  readonly meter: Meter;
  readonly fault: (error: unknown) => void;
};

/** A request whose sender is known, and what its path held. */
type Call = {
  readonly request: Request;
  readonly query: URLSearchParams;
  readonly caller: Identity;
  readonly parts: readonly string[];
};

type Route = readonly [method: string, pattern: RegExp, run: (call: Call) => Promise<Response>];

/** Users whose rate over HTTP is remembered; the oldest is forgotten. */
const BUCKETS_MAX = 10_000;

export class Api {
  private readonly buckets = new Map<Uid, Bucket>();
  private readonly routes: readonly Route[] = [
    ['POST', /^\/v1\/messages$/, (call) => this.send(call)],
    ['GET', /^\/v1\/messages$/, (call) => this.poll(call)],
    ['GET', /^\/v1\/conversations\/([^/]+)\/messages$/, (call) => this.history(call)],
    ['POST', /^\/v1\/conversations\/([^/]+)\/(ack|read)$/, (call) => this.mark(call)],
    ['GET', /^\/v1\/presence$/, (call) => this.presence(call)],
  ];

  constructor(private readonly parts: ApiParts) {}

  /** Answers a request below `/v1`. */
  async answer(request: Request): Promise<Response> {
    if (!isOriginAllowed(request, this.parts.origins)) return failure('forbidden', 'this origin is not allowed');
    if (request.method === 'OPTIONS') return this.shared(request, { status: 204, headers: {}, body: '' });
    return this.shared(request, await this.run(request));
  }

  private async run(request: Request): Promise<Response> {
    const onPath = this.routes.filter(([, pattern]) => pattern.test(request.path));
    const route = onPath.find(
      ([method]) => method === request.method || (method === 'GET' && request.method === 'HEAD'),
    );
    if (onPath.length === 0) return failure('not_found');
    if (route === undefined) return methods(onPath.map(([method]) => method));
    const pathParts = decodedParts(route[1].exec(request.path) ?? []);
    if (pathParts === undefined) return failure('bad_request', 'the path is not well encoded');
    try {
      const query = new URLSearchParams(request.query);
      const caller = await callerOf(request, query, this.parts.identify);
      if ('status' in caller) return caller;
      const wait = this.bucketOf(caller.uid).take(performance.now());
      if (wait > 0) return failure('rate_limited', WORDS.rate_limited, wait);
      return await route[2]({ request, query, caller, parts: pathParts });
    } catch (error) {
      if (error instanceof Unavailable) return failure('unavailable', WORDS.unavailable, retryAfter());
      this.parts.fault(error);
      return failure('internal');
    }
  }

  /** Lets the page of an allowed origin read the answer. */
  private shared(request: Request, response: Response): Response {
    const origin = request.header('origin');
    if (origin === undefined) return response;
    const cors = {
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'GET, POST, PUT, DELETE',
      'access-control-allow-headers': 'authorization, content-type, last-event-id',
      'access-control-max-age': '600',
      vary: 'origin',
    };
    return { ...response, headers: { ...response.headers, ...cors } };
  }

  private bucketOf(uid: Uid): Bucket {
    let bucket = this.buckets.get(uid);
    if (bucket === undefined) {
      bucket = new Bucket(this.parts.limits.rate, performance.now());
      for (const oldest of this.buckets.keys()) {
        if (this.buckets.size < BUCKETS_MAX) break;
        this.buckets.delete(oldest);
      }
      this.buckets.set(uid, bucket);
    }
    return bucket;
  }

  private async send({ request, caller }: Call): Promise<Response> {
    const frame = await this.read(request, (text) => decodeBody('send', text));
    if ('status' in frame) return frame;
    if (frame.broadcast && !mayBroadcast(caller)) return failure('forbidden');
    const { conv, target } = placeOf(caller.uid, frame);
    const { commits } = this.parts.chat;
    const answer = await new Promise<string>((resolve) =>
      commits.submit({
        letter: {
          conv,
          sender: caller.uid,
          id: frame.id,
          tail: messageTail(frame.id, caller.uid, target, frame.data),
          ref: commits.nextRef(),
        },
        sides: 'receiver' in target ? sidesOf(conv) : undefined,
        session: undefined,
        attempt: undefined,
        answer: resolve,
        answered: false,
      }),
    );
    return answer.startsWith('{"type":"error"') ? ofErrorFrame(JSON.parse(answer)) : json(answer);
  }

  private async poll({ request, query, caller }: Call): Promise<Response> {
    const device = deviceIn(query);
    const wait = waitIn(query);
    if (device === undefined) return failure('bad_request', 'device: 1 to 64 of A-Z a-z 0-9 _ . -');
    if (wait === undefined) return failure('bad_request', `wait: 0 to ${POLL_WAIT_MAX} whole seconds`);
    const ack = query.get('ack') || undefined;
    const answer = await this.parts.chat.polls.poll({ uid: caller.uid, device }, wait * 1000, ack, request.gone);
    if ('refused' in answer) return failure(answer.refused, answer.message);
    return json(`{"messages":[${answer.frames.join(',')}],"cursor":"${answer.cursor}"}`);
  }

  private async history({ query, caller, parts: [conv] }: Call): Promise<Response> {
    const { before, after, limit } = Object.fromEntries(query);
    const numbers = { before: numeric(before), after: numeric(after), limit: numeric(limit) };
    const frame = decodeFields('history', { conv, ...numbers });
    if (frame.type === 'refused') return failure('bad_request', frame.message);
    return ofOutcome(await this.parts.chat.requests.history(caller.uid, frame));
  }

  private async mark({ request, query, caller, parts: [conv, verb] }: Call): Promise<Response> {
    const device = deviceIn(query);
    if (device === undefined) return failure('bad_request', 'device: 1 to 64 of A-Z a-z 0-9 _ . -');
    const frame = await this.read(request, (text) => {
      const body = parseObject(text);
      return body ? decodeFields('ack', { conv, seq: body.seq }) : { type: 'refused', message: 'not a JSON object' };
    });
    if ('status' in frame) return frame;
    const mark = verb === 'ack' ? { device, delivered: frame.seq } : { read: frame.seq };
    const refused = await this.parts.chat.requests.mark({ uid: caller.uid, conv: frame.conv, ...mark }, undefined);
    return ofOutcome(refused ?? '{}');
  }

  private async presence({ query }: Call): Promise<Response> {
    const uids = query.getAll('of').map(parseUid);
    if (uids.length > WATCH_MAX || uids.includes(undefined))
      return failure('bad_request', `of: at most ${WATCH_MAX} user names`);
    return json(await this.parts.chat.requests.presence(uids as Uid[]));
  }

  private async read<T extends Decoded>(
    request: Request,
    decode: (text: string) => T | Refusal,
  ): Promise<T | Response> {
    const body = await request.body(this.parts.limits.frame);
    if (body === 'too_large') return failure('too_large');
    if (body === 'broken') return failure('bad_request', 'the body did not arrive whole, or is not UTF-8');
    const frame = decode(body.text);
    return frame.type === 'refused' ? failure('bad_request', frame.message) : frame;
  }
}

function ofOutcome(outcome: string | Refused): Response {
  return typeof outcome === 'string' ? json(outcome) : failure(outcome.refused, outcome.message);
}

function ofErrorFrame({ code, message, retry }: ErrorFrame): Response {
  return failure(code, message, retry);
}

function methods(allowed: readonly string[]): Response {
  const body = JSON.stringify({
    error: { code: 'bad_request' satisfies ErrorCode, message: 'this method is not for this path' },
  });
  return json(body, 405, { allow: allowed.join(', ') });
}

function decodedParts(match: readonly (string | undefined)[]): readonly string[] | undefined {
  try {
    return match.slice(1).map((part) => decodeURIComponent(part ?? ''));
  } catch {
    return undefined;
  }
}

/** Whole seconds of a poll's `wait`; undefined where it is out of form. */
function waitIn(query: URLSearchParams): number | undefined {
  const text = query.get('wait');
  if (text === null) return POLL_WAIT_DEFAULT;
  return /^\d{1,2}$/.test(text) && Number(text) <= POLL_WAIT_MAX ? Number(text) : undefined;
}

/** A number in a query, as the decoder wants it: left out stays so, and what is no number is refused there. */
const numeric = (text: string | undefined): number | string | undefined =>
  text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : text;
