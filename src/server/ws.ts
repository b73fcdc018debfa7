/** The socket adapter on `ws` and node:http, for hosts where uWebSockets.js cannot load. */
import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import type { Line } from '../chat/line.js';
import { answer, follow, refuseGarbage, requestOf } from './node-http.js';
import { BACKLOG } from './port.js';
import type { IncomingRequest } from './request.js';
import { failure, guarded, type OnError, settle } from './response.js';
import { Topics } from './topics.js';
import type { Admission, Handlers, Response, Transport, TransportOptions } from './transport.js';
import { WsLine } from './ws-line.js';

/** Milliseconds for a request's headers, for all of a request, between requests, and for a closed WebSocket to end. */
const TIMES = { headers: 10_000, request: 30_000, idle: 10_000, check: 2_000, linger: 10_000 };
/** As uWebSockets.js has it. */
const TLS = { minVersion: 'TLSv1.2', handshakeTimeout: TIMES.headers } as const;

export function createWs<State>(options: TransportOptions, handlers: Handlers<State>, onError: OnError): Transport {
  return new WsTransport(options, handlers, onError);
}

class WsTransport<State> implements Transport {
  readonly name = 'ws';
  private readonly server: Server;
  private readonly websockets: WebSocketServer;
  private readonly topics = new Topics<WsLine>();
  /** All TCP connections, those in their TLS handshake included. */
  private readonly sockets = new Set<Socket>();
  /** Sockets that asked for a WebSocket, with the line of those that are admitted. */
  private readonly upgraded = new Map<Socket, WsLine | undefined>();
  /** Sockets with an answer under way, into which no error page may be written. */
  private readonly busy = new Set<Socket>();
  private stopped: Promise<void> | undefined;

  constructor(
    private readonly options: TransportOptions,
    private readonly handlers: Handlers<State>,
    private readonly onError: OnError,
  ) {
    const http = {
      maxHeaderSize: options.maxHeaders,
      headersTimeout: TIMES.headers,
      requestTimeout: TIMES.request,
      keepAliveTimeout: TIMES.idle,
      connectionsCheckingInterval: TIMES.check,
    };
    const { tls } = options;
    this.server = tls ? createSecureServer({ ...http, ...TLS, cert: tls.cert, key: tls.key }) : createServer(http);
    // closeTimeout is missing in the library's types.
    const settings: ServerOptions & { closeTimeout: number } = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: options.maxFrame,
      autoPong: false,
      closeTimeout: TIMES.linger,
    };
    this.websockets = new WebSocketServer(settings);
    this.server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
    // Who does not manage TLS is not told so in plain text.
    this.server.on('tlsClientError', (_error: Error, socket: Socket) => socket.destroy());
    this.server.on('request', (message, out) => this.serve(message, out));
    this.server.on('upgrade', (message, socket, head) => this.upgrade(message, socket as Socket, head));
    this.server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      if (!socket.writable || this.busy.has(socket as Socket)) socket.destroy();
      else refuseGarbage(socket as Socket, error.code, options.maxHeaders);
    });
  }

  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.once('error', (error) => reject(new Error(`cannot listen on ${host}:${port}: ${error.message}`)));
      this.server.listen({ host, port, backlog: BACKLOG }, () => resolve((this.server.address() as AddressInfo).port));
    });
  }

  stopListening(): void {
    this.stopped ??= new Promise((resolve) => this.server.close(() => resolve()));
  }

  async close(): Promise<void> {
    this.stopListening();
    for (const [socket, line] of this.upgraded) {
      socket.destroy();
      line?.ended(1006);
    }
    for (const socket of this.sockets) socket.destroy();
    await this.stopped;
  }

  publish(topic: string, frame: string, except?: Line): void {
    const bytes = Buffer.from(frame);
    for (const line of this.topics.of(topic)) {
      if (line !== except) line.receive(bytes);
    }
  }

  private serve(message: IncomingMessage, out: ServerResponse): void {
    const request = requestOf(message, this.options.maxFrame);
    const { socket } = message;
    this.busy.add(socket);
    out.on('close', () => this.busy.delete(socket));
    follow(request, message, out);
    const refusal = request.head.refusal(this.options.maxHeaders);
    if (refusal) return this.answer(request, out, refusal, true);
    settle(
      () => this.handlers.http(request),
      (failed) => failed,
      (response) => this.answer(request, out, response, false),
      this.onError,
    );
  }

  private answer(request: IncomingRequest, out: ServerResponse, response: Response, close: boolean): void {
    answer(request, out, response, { close, maxBuffered: this.options.maxBuffered, onError: this.onError });
  }

  /** node:http hands the socket over for every `Upgrade` header, h2c included, and stops reading it. */
  private upgrade(message: IncomingMessage, socket: Socket, early: Buffer): void {
    this.upgraded.set(socket, undefined);
    socket.on('close', () => this.upgraded.delete(socket));
    // A broken connection; the close that follows says all there is to say.
    socket.on('error', () => socket.destroy());
    const out = new ServerResponse(message);
    out.assignSocket(socket);
    out.shouldKeepAlive = false;
    out.on('finish', () => socket.destroySoon());
    const request = requestOf(message, this.options.maxFrame);
    if (!request.head.isUpgrade) return this.serveUnupgraded(request, message, out);
    const refusal = request.head.refusal(this.options.maxHeaders);
    if (refusal) return this.answer(request, out, refusal, true);
    this.admit(request, message, out, early);
  }

  private serveUnupgraded(request: IncomingRequest, message: IncomingMessage, out: ServerResponse): void {
    // Reading is how its leaving is noticed.
    message.socket.on('end', () => message.socket.destroy()).resume();
    if (request.content.isComplete) return this.serve(message, out);
    this.answer(request, out, failure(400, 'bad_request', 'an Upgrade with a body is not served'), true);
  }

  private admit(request: IncomingRequest, message: IncomingMessage, out: ServerResponse, early: Buffer): void {
    const { socket } = message;
    const depart = (): void => {
      socket.destroy();
      request.depart();
    };
    // A client that says anything before it is admitted breaks RFC 6455; reading is how its leaving is noticed.
    socket.on('data', depart).on('end', depart).on('close', depart);
    const unwatch = (): void => {
      socket.off('data', depart).off('end', depart).off('close', depart);
    };
    settle<Admission<State>>(
      () => this.handlers.upgrade(request),
      (refuse) => ({ refuse }),
      (admission) => {
        unwatch();
        if (request.isGone) return;
        if ('refuse' in admission) return this.answer(request, out, admission.refuse, true);
        out.detachSocket(socket);
        this.websockets.handleUpgrade(message, socket, early, (websocket) =>
          this.open(websocket, socket, admission.accept),
        );
      },
      this.onError,
    );
  }

  private open(websocket: WebSocket, socket: Socket, state: State): void {
    const { handlers, onError } = this;
    const line = new WsLine(websocket, socket, this.topics, this.options.maxBuffered, {
      drain: (drained) => guarded(() => handlers.drain(drained), onError),
      close: (closed, code, byClient) => guarded(() => handlers.close(closed, code, byClient), onError),
    });
    this.upgraded.set(socket, line);
    websocket.on('message', (data: Buffer, isBinary: boolean) => {
      if (!line.isLive) return;
      const text = isBinary ? undefined : data.toString('utf8');
      guarded(() => handlers.message(line, text), onError);
    });
    websocket.on('ping', (payload: Buffer) => {
      line.pong(payload);
      if (line.isLive) guarded(() => handlers.ping(line), onError);
    });
    websocket.on('pong', (payload: Buffer) => {
      if (line.isLive) guarded(() => handlers.pong(line, payload.toString('latin1')), onError);
    });
    websocket.on('close', (code: number) => line.ended(code));
    // The peer broke the protocol or the connection; the library closes, and `close` comes with 1006.
    websocket.on('error', () => websocket.close());
    guarded(() => handlers.open(line, state), onError);
  }
}
