/** What the routes below `/v1` have in common: one table row each, the caller known, bodies decoded, errors mapped. */
import type { Refused } from '../chat/policy.js';
import type { Identity } from '../chat/session.js';
import { type Decoded, parseObject, type Refusal } from '../protocol/decode.js';
import { DEFAULT_DEVICE, type DeviceId, type ErrorFrame, parseDevice } from '../protocol/index.js';
import type { Household } from './address-limits.js';
import type { Query } from './query.js';
import { failure, json } from './replies.js';
import type { Request, Response } from './transport.js';

/** A request on its way to its route. */
export type Call<Caller = Identity> = {
  readonly request: Request;
  readonly query: URLSearchParams;
  readonly caller: Caller;
  /** What the groups of the route's pattern held, decoded. */
  readonly path: readonly string[];
  /** Takes further tokens of the caller, for what the request turned out to cost. */
  readonly charge: (tokens: number) => void;
  /** Whose address it came from, as far as addresses have limits. */
  readonly household: Household;
};

/**
 * One row of the table. `user`: needs a user's credentials; `server`: the server key; `either`: a user's credentials or
 * the server key, or nobody's in open mode. A run that throws Unavailable is answered so.
 */
export type Route = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly pattern: RegExp;
} & (
  | { readonly needs: 'user'; readonly run: (call: Call) => Promise<Response> }
  | {
      readonly needs: 'server' | 'either';
      readonly run: (call: Call<'server' | Identity | undefined>) => Promise<Response>;
    }
);

export const DEVICE_FORM = 'device: 1 to 64 of A-Z a-z 0-9 _ . -';

/** The device in a query; undefined where it is out of form. */
export function deviceIn(query: Query): DeviceId | undefined {
  return query.has('device') ? parseDevice(query.get('device')) : DEFAULT_DEVICE;
}

/** A number in a query as a decoder wants it: left out stays so, and what is no number is refused there. */
export function numberIn(query: URLSearchParams, name: string): number | string | undefined {
  const text = query.get(name) ?? undefined;
  return text !== undefined && /^\d{1,16}$/.test(text) ? Number(text) : text;
}

/** Reads a body as a frame, or answers why not. */
export async function readFrame<T extends Decoded>(
  request: Request,
  maxBytes: number,
  decode: (text: string) => T | Refusal,
): Promise<T | Response> {
  const body = await readText(request, maxBytes);
  if (typeof body !== 'string') return body;
  const frame = decode(body);
  return frame.type === 'refused' ? failure('bad_request', frame.message) : frame;
}

/** Reads a body as a JSON object, or answers why not. An empty body is an empty object. */
export async function readObject(
  request: Request,
  maxBytes: number,
): Promise<{ readonly fields: Readonly<Record<string, unknown>> } | Response> {
  const body = await readText(request, maxBytes);
  if (typeof body !== 'string') return body;
  const fields = body.trim() === '' ? {} : parseObject(body);
  return fields === undefined ? failure('bad_request', 'not a JSON object') : { fields };
}

async function readText(request: Request, maxBytes: number): Promise<string | Response> {
  const body = await request.body(maxBytes);
  if (body === 'too_large') return failure('too_large');
  if (body === 'broken') return failure('bad_request', 'the body did not arrive whole, or is not UTF-8');
  return body.text;
}

/** The answer that came of a request: JSON text, or a refusal. */
export function ofOutcome(outcome: string | Refused): Response {
  return typeof outcome === 'string' ? json(outcome) : failure(outcome.refused, outcome.message);
}

/** The HTTP form of the frame that answers a send. */
export function ofAnswer(frame: string): Response {
  if (!frame.startsWith('{"type":"error"')) return json(frame);
  const { code, message, retry }: ErrorFrame = JSON.parse(frame);
  return failure(code, message, retry);
}
