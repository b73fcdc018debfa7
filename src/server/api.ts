/** HTTP, for what cannot hold a WebSocket: finds the route, the caller and their rate, and maps what comes of it. */
import { timingSafeEqual } from 'node:crypto';
import { retryAfter, WORDS } from '../chat/answers.js';
import { Bucket } from '../chat/bucket.js';
import type { Chat } from '../chat/chat.js';
import type { Meter } from '../chat/meter.js';
import { Unavailable } from '../chat/ports.js';
import type { ErrorCode, Uid } from '../protocol/index.js';
import { credentialsIn, type Identify, isOriginAllowed } from './entrance.js';
import { failure, json } from './replies.js';
import { type Call, deviceIn, type Route } from './route.js';
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
  readonly origins: readonly string[];
  readonly limits: { readonly frame: number; readonly rate: number };
  readonly meter: Meter;
  readonly status: () => NodeStatus;
  readonly fault: (error: unknown) => void;
};

/** Users whose rate over HTTP is remembered; the oldest is forgotten. */
const BUCKETS_MAX = 10_000;

export class Api {
  private readonly buckets = new Map<Uid, Bucket>();
  private readonly routes: readonly Route[];

  constructor(private readonly parts: ApiParts) {
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
    if (!isOriginAllowed(request, this.parts.origins)) return failure('forbidden', 'this origin is not allowed');
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

  /** Lets the caller in as the route wants them. */
  private async admit(route: Route, call: Omit<Call, 'caller'>): Promise<Response> {
    const credentials = credentialsIn(call.request, call.query);
    if (credentials === undefined) return failure('unauthorized');
    if (credentials !== 'none' && credentials.token !== undefined && this.isServerKey(credentials.token)) {
      return route.needs === 'user' ? failure('unauthorized') : route.run({ ...call, caller: 'server' });
    }
    if (route.needs === 'server') return failure('unauthorized');
    const identity = credentials === 'none' ? undefined : await this.parts.identify(credentials);
    if (identity === undefined) {
      const mayBeNobody = route.needs === 'either' && credentials === 'none' && this.parts.mode === 'open';
      return mayBeNobody ? route.run({ ...call, caller: undefined }) : failure('unauthorized');
    }
    if (this.parts.chat.bans.isBanned(identity.uid, deviceIn(call.query), identity.tokenId))
      return failure('forbidden', 'banned');
    const wait = this.bucketOf(identity.uid).take(performance.now());
    if (wait > 0) return failure('rate_limited', WORDS.rate_limited, wait);
    return route.run({ ...call, caller: identity });
  }

  private isServerKey(token: string): boolean {
    const { serverKey } = this.parts;
    if (serverKey === undefined) return false;
    const [given, own] = [Buffer.from(token), Buffer.from(serverKey)];
    return given.length === own.length && timingSafeEqual(given, own);
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
