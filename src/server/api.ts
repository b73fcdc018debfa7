/** HTTP, for what cannot hold a WebSocket: finds the route, the caller and their rate, and maps what comes of it. */
import { timingSafeEqual } from 'node:crypto';
import { retryAfter, WORDS } from '../chat/answers.js';
import { Bucket, Buckets } from '../chat/bucket.js';
import type { Chat } from '../chat/chat.js';
import { costOfMany } from '../chat/cost.js';
import type { Meter } from '../chat/meter.js';
import { Unavailable } from '../chat/ports.js';
import type { Identity } from '../chat/session.js';
import { type ErrorCode, PAGE_LIMIT_MAX } from '../protocol/index.js';
import type { AddressLimits } from './address-limits.js';
import { barTo, credentialsIn, type Entrance, type Identify } from './entrance.js';
import { failure, json } from './replies.js';
import { type Call, deviceIn, numberIn, type Route } from './route.js';
import { blockRoutes } from './routes/blocks.js';
import { conversationRoutes } from './routes/conversations.js';
import { messageRoutes } from './routes/messages.js';
import { moderationRoutes } from './routes/moderation.js';
import { presenceRoutes } from './routes/presence.js';
import { roomRoutes } from './routes/rooms.js';
import { type NodeStatus, serverRoutes } from './routes/server.js';
import { streamRoutes } from './routes/stream.js';
import { tokenRoutes } from './routes/tokens.js';
import type { Request, Response } from './transport.js';

export type ApiParts = {
  readonly chat: Chat;
  readonly identify: Identify;
  readonly mode: 'open' | 'jwt';
  readonly serverKey: string | undefined;
  readonly entrance: Entrance;
  readonly addresses: AddressLimits;
  readonly limits: { readonly frame: number; readonly rate: number; readonly rateBytes: number };
  readonly meter: Meter;
  readonly status: () => NodeStatus;
  readonly fault: (error: unknown) => void;
};

/** Callers whose rate over HTTP is remembered. */
const CALLERS_MAX = 10_000;

/** What a caller may take, requests and bytes a second. */
type Allowance = { readonly requests: Bucket; readonly bytes: Bucket };

export class Api {
  private readonly allowances: Buckets<Allowance>;
  private readonly routes: readonly Route[];

  constructor(private readonly parts: ApiParts) {
    const { frame, rate, rateBytes } = parts.limits;
    this.allowances = new Buckets(CALLERS_MAX, () => ({
      requests: new Bucket(rate, performance.now()),
      bytes: new Bucket(rateBytes, performance.now(), Math.max(rateBytes, frame)),
    }));
    this.routes = [
      ...messageRoutes(parts),
      ...conversationRoutes(parts),
      ...presenceRoutes(parts),
      ...blockRoutes(parts),
      ...moderationRoutes(parts),
      ...roomRoutes(parts),
      ...tokenRoutes(parts),
      ...serverRoutes(parts),
      ...streamRoutes(parts),
    ];
  }

  /** Answers a request below `/v1`. */
  async answer(request: Request): Promise<Response> {
    const bar = barTo(request, this.parts.entrance);
    if (bar !== undefined) return failure('forbidden', bar);
    if (request.method === 'OPTIONS') return shared(request, { status: 204, headers: {}, body: '' });
    return shared(request, await this.run(request));
  }

  private async run(request: Request): Promise<Response> {
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const onPath = this.routes.filter(({ pattern }) => pattern.test(request.path));
    const route = onPath.find((each) => each.method === method);
    if (onPath.length === 0) return failure('not_found');
    if (route === undefined) return wrongMethod(onPath.map((each) => each.method));
    const path = decodedGroups(route.pattern.exec(request.path) ?? []);
    if (path === undefined) return failure('bad_request', 'the path is not well encoded');
    try {
      return await this.admit(route, { request, query: new URLSearchParams(request.query), path });
    } catch (error) {
      if (error instanceof Unavailable) return failure('unavailable', WORDS.unavailable, retryAfter());
      this.parts.fault(error);
      return failure('internal');
    }
  }

  /** Lets the caller in as the route wants them, one of so many of their address. */
  private async admit(route: Route, call: Omit<Unadmitted, 'household'>): Promise<Response> {
    const { addresses } = this.parts;
    const household = addresses.householdOf(call.request);
    const wait = addresses.waitToEnter(household);
    if (wait > 0) return failure('rate_limited', 'too many connections of this address', wait);
    addresses.enter(household);
    try {
      return await this.identify(route, { ...call, household });
    } finally {
      addresses.leave(household);
    }
  }

  private async identify(route: Route, call: Unadmitted): Promise<Response> {
    const { addresses, identify, mode } = this.parts;
    const credentials = credentialsIn(call.request, call.query);
    if (credentials === undefined) return failure('unauthorized');
    if (credentials === 'none') {
      const mayBeNobody = route.needs === 'either' && mode === 'open';
      return mayBeNobody ? this.allow(route, call, undefined) : failure('unauthorized');
    }
    const wait = addresses.waitToLogIn(call.household);
    if (wait > 0) return failure('rate_limited', 'too many bad credentials from this address', wait);
    if (credentials.token !== undefined && this.isServerKey(credentials.token)) {
      addresses.proven(call.household);
      return route.needs === 'user' ? failure('unauthorized') : route.run({ ...call, caller: 'server', charge: free });
    }
    const identity = route.needs === 'server' ? undefined : await identify(credentials);
    if (identity === undefined) {
      addresses.failed(call.household);
      return failure('unauthorized');
    }
    addresses.proven(call.household);
    return this.allow(route, call, identity);
  }

  /** Runs the route at the caller's expense; nobody's are their address's. */
  private async allow(route: Route, call: Unadmitted, caller: Identity | undefined): Promise<Response> {
    const { request, query } = call;
    if (caller !== undefined && this.parts.chat.bans.isBanned(caller.uid, deviceIn(query), caller.tokenId))
      return failure('forbidden', 'banned');
    const { requests, bytes } = this.allowances.of(
      caller === undefined ? ` ${call.household ?? request.address}` : caller.uid,
    );
    const now = performance.now();
    const wait = Math.max(requests.take(now, costOfQuery(query)), bytes.take(now, this.lengthOf(request)));
    if (wait > 0) return failure('rate_limited', WORDS.rate_limited, wait);
    const charge = (tokens: number): void => requests.charge(performance.now(), tokens);
    if (route.needs !== 'user') return route.run({ ...call, caller, charge });
    return caller === undefined ? failure('unauthorized') : route.run({ ...call, caller, charge });
  }

  /** Bytes of the body, as far as they are told in advance; of one that is too large nothing will be read. */
  private lengthOf(request: Request): number {
    const length = Number(request.header('content-length') ?? 0);
    return length > this.parts.limits.frame ? 0 : length;
  }

  private isServerKey(token: string): boolean {
    const { serverKey } = this.parts;
    if (serverKey === undefined) return false;
    const [given, own] = [Buffer.from(token), Buffer.from(serverKey)];
    return given.length === own.length && timingSafeEqual(given, own);
  }
}

type Unadmitted = Omit<Call, 'caller' | 'charge'>;

const free = (): void => undefined;

/** What a query asks for, whatever it asks of; one that is out of form gets nothing. */
function costOfQuery(query: URLSearchParams): number {
  const limit = Number(numberIn(query, 'limit') ?? 0);
  return costOfMany(Math.max(limit <= PAGE_LIMIT_MAX ? limit : 0, query.getAll('of').length));
}

/** Lets the page of an allowed origin read the answer. */
function shared(request: Request, response: Response): Response {
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

function wrongMethod(allowed: readonly string[]): Response {
  const error = { code: 'bad_request' satisfies ErrorCode, message: 'this method is not for this path' };
  return json(JSON.stringify({ error }), 405, { allow: allowed.join(', ') });
}

function decodedGroups(match: readonly (string | undefined)[]): readonly string[] | undefined {
  try {
    return match.slice(1).map((group) => decodeURIComponent(group ?? ''));
  } catch {
    return undefined;
  }
}
