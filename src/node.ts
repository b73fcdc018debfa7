/** One node: the whole graph in plain calls, so that several live in one process. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Chat, createChat } from './chat/chat.js';
import type { Meter } from './chat/meter.js';
import type { Backend } from './chat/ports.js';
import { PRIVATE_NETWORKS } from './ops/kinds.js';
import type { Log } from './ops/log.js';
import type { Config } from './ops/settings.js';
import { AddressLimits } from './server/address-limits.js';
import { Api } from './server/api.js';
import { readCertificate } from './server/certificate.js';
import { chooseTransport } from './server/choose.js';
import { Gateway, upgradeRequired, type Visitor } from './server/gateway.js';
import { createFindKey } from './server/keys.js';
import { Pages } from './server/pages.js';
import { failure, json } from './server/replies.js';
import { createIdentify } from './server/tokens.js';
import type { Handlers, Request, Response } from './server/transport.js';

/** Bytes that may wait for one connection before writes to it are dropped. */
const BUFFERED_MAX = 1_048_576;
const HEADERS_MAX = 4_096;

/** Milliseconds in which the last answers and farewells leave this process, and busy proxies pass them on. */
const WRITTEN_MS = 250;

export type NodeParts = {
  readonly config: Config;
  readonly backend: Backend;
  readonly meter: Meter;
  readonly log: Log;
  readonly version: string;
};

/** Whether a node is fit for traffic, and why not or not fully. */
export type Readiness = {
  readonly ready: boolean;
  readonly draining: boolean;
  readonly node: string;
  readonly version: string;
  readonly backend: Backend['kind'];
  readonly sockets: 'uws' | 'ws';
  readonly canaryAge: number;
  readonly reasons: readonly string[];
};

export type Node = {
  /** Connects to the store and opens the port; resolves with the port. */
  listen(): Promise<number>;
  readiness(): Readiness;
  readonly sockets: 'uws' | 'ws';
  /** Why the fast socket library is not in use, if it is not. */
  readonly fallback: string | undefined;
  /** From now on not ready, and open to nobody new. */
  drain(): void;
  /** Sends the clients to other nodes, spread over a time in milliseconds. */
  sendAway(windowMs: number): Promise<void>;
  /** Answers what is in hand, writes the cursors, leaves the store. */
  close(): Promise<void>;
};

export async function createNode(parts: NodeParts): Promise<Node> {
  const { config, backend, meter, log } = parts;
  const debug = log.isLevelEnabled('debug') ? log.debug.bind(log) : undefined;
  const fault = (error: unknown) => log.error({ err: error }, 'a fault; the node goes on');
  const limits = {
    frame: config.maxFrame,
    rate: config.rate,
    rateBytes: config.rateBytes ?? (config.rate * config.maxFrame) / 2,
    queries: config.queries,
    dedup: Math.floor(config.dedupMs / 1000),
    userSockets: config.userSockets,
    userRooms: config.userRooms,
    roomMembers: config.roomMembers,
    recallMs: config.recallMs,
  };
  let draining = false;
  let chat: Chat | undefined;
  const identify = createIdentify({
    mode: config.auth,
    findKey: createFindKey({ secret: config.jwtSecret, keyFile: config.jwtKeyFile, jwksUrl: config.jwtJwksUrl }, fault),
    issuer: config.jwtIssuer,
    audience: config.jwtAudience,
    ownKey: () => chat?.secret() ?? '',
  });
  const addresses = new AddressLimits({
    proxies: config.trustedProxies,
    // Where no proxy is configured, what comes from a private address is as likely one, with everybody behind it.
    exempt: config.trustedProxies.length > 0 ? [] : PRIVATE_NETWORKS,
    sockets: config.addressSockets,
    logins: config.addressLogins,
    meter,
    onUnknownProxy: (address) =>
      log.warn({ address }, 'X-Forwarded-For comes from an address that is not in SKEIN_TRUSTED_PROXIES'),
  });
  const pages = new Pages();
  const handlers: Handlers<Visitor> = {
    upgrade: (request) => gateway.upgrade(request),
    open: (line, visitor) => gateway.open(line, visitor),
    message: (line, text) => gateway.message(line, text),
    ping: (line) => gateway.ping(line),
    pong: (line, payload) => gateway.pong(line, payload),
    drain: (line) => gateway.drain(line),
    close: (line, code, byClient) => gateway.close(line, code, byClient),
    http,
  };
  const { tlsCert, tlsKey } = config;
  const tls = tlsCert && tlsKey ? readCertificate(tlsCert, tlsKey, (why) => log.warn(why)) : undefined;
  const options = { maxFrame: config.maxFrame, maxBuffered: BUFFERED_MAX, maxHeaders: HEADERS_MAX, tls };
  const { transport, fallback } = await chooseTransport(config.sockets, options, handlers, fault);
  chat = createChat({ node: config.nodeId, backend, switchboard: transport, meter, limits, identify, debug, fault });
  const { auth: mode, serverKey, origins } = config;
  const entrance = { origins, checksHost: mode === 'open' && !config.allowOpen };
  const gateway = new Gateway({ chat, identify, entrance, addresses, meter, fault });
  const api = new Api({
    chat,
    identify,
    mode,
    serverKey,
    entrance,
    addresses,
    limits,
    meter,
    fault,
    status: readiness,
  });

  function readiness(): Readiness {
    const health = backend.health();
    const reasons = [...health.reasons, ...(fallback ? [fallback] : []), ...(draining ? ['this node stops'] : [])];
    return {
      ready: health.ready && !draining,
      draining,
      node: config.nodeId,
      version: parts.version,
      backend: backend.kind,
      sockets: transport.name,
      canaryAge: health.canaryAge,
      reasons,
    };
  }

  /** Answers below `/v1` that are not out yet. */
  const inHand = new Set<Promise<Response>>();

  function answerApi(request: Request): Promise<Response> {
    const answer = api.answer(request);
    inHand.add(answer);
    return answer.finally(() => inHand.delete(answer));
  }

  function http(request: Request): Response | Promise<Response> {
    if (request.path.startsWith('/v1/')) return answerApi(request);
    if (request.method !== 'GET' && request.method !== 'HEAD') return failure('not_found');
    switch (request.path) {
      case '/healthz':
        return json('{"ok":true}');
      case '/readyz': {
        const state = readiness();
        return json(JSON.stringify(state), state.ready ? 200 : 503);
      }
      case '/ws':
        return upgradeRequired();
      default:
        return pages.answer(request);
    }
  }

  const running = chat;
  return {
    sockets: transport.name,
    fallback,
    readiness,
    async listen() {
      await running.start();
      return transport.listen(config.host, config.port);
    },
    drain() {
      draining = true;
    },
    async sendAway(windowMs) {
      // Right after a poll for events: who still waits to be accepted is reset, and a POST must not be repeated for them.
      await nextTurn();
      transport.stopListening();
      gateway.closeDoors();
      await gateway.sendAway(windowMs);
    },
    async close() {
      await running.stop();
      await Promise.allSettled(inHand);
      await pause(WRITTEN_MS);
      await transport.close();
      await backend.close();
    },
  };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
