/** The socket adapter on uWebSockets.js. No other file imports that library. */

import uWS, {
  type HttpRequest,
  type HttpResponse,
  type TemplatedApp,
  type us_listen_socket,
  type WebSocket,
} from 'uWebSockets.js';
import { STATUS_CODES } from 'node:http';
import type { Line } from '../chat/line.js';
import { addressOfBytes } from './addresses.js';
import { assertFree, BACKLOG } from './port.js';
import { Body, Head, IncomingRequest } from './request.js';
import { guarded, internal, isBodyless, type OnError, settle, wireResponse } from './response.js';
import type { Admission, Handlers, Response, Transport, TransportOptions } from './transport.js';
import { Turn, UwsLine } from './uws-line.js';
import { UwsStream } from './uws-stream.js';

/**
 * Seconds without a frame from the client. The domain's heartbeats end a dead connection long before; this bounds the
 * time that a closed one may take to drain.
 */
const IDLE_SECONDS = 120;

/**
 * The library lets 512 connections wait for a port until they are accepted; whoever comes then is let down by the
 * system, and tries again after one second, then three. So the port is listened to several times over.
 */
const QUEUES = Math.ceil(BACKLOG / 512);

type Context<State> = { state: State; line?: UwsLine };
type Socket<State> = WebSocket<Context<State>> & Context<State>;
type UpgradeContext = Parameters<HttpResponse['upgrade']>[4];

export function createUws<State>(options: TransportOptions, handlers: Handlers<State>, onError: OnError): Transport {
  return new UwsTransport(options, handlers, onError);
}

class UwsTransport<State> implements Transport {
  readonly name = 'uws';
  private readonly app: TemplatedApp;
  private readonly lines = new Set<UwsLine>();
  private readonly turn = new Turn();
  private listening: us_listen_socket[] = [];

  constructor(
    private readonly options: TransportOptions,
    private readonly handlers: Handlers<State>,
    private readonly onError: OnError,
  ) {
    const { tls } = options;
    this.app = tls ? uWS.SSLApp({ cert_file_name: tls.certFile, key_file_name: tls.keyFile }) : uWS.App();
    this.app.ws<Context<State>>('/*', {
      maxPayloadLength: options.maxFrame,
      maxBackpressure: options.maxBuffered,
      closeOnBackpressureLimit: 0,
      compression: uWS.DISABLED,
      idleTimeout: IDLE_SECONDS,
      sendPingsAutomatically: false,
      upgrade: (res, req, context) => this.serve(res, req, context),
      open: (ws) => this.open(ws as Socket<State>),
      message: (ws, message, isBinary) => {
        const line = lineOf(ws);
        if (!line.isOpen) return;
        const text = isBinary ? undefined : Buffer.from(message).toString('utf8');
        // As `guarded`, without a closure for each message.
        try {
          handlers.message(line, text);
        } catch (error) {
          onError(error);
        }
      },
      pong: (ws, payload) => {
        const line = lineOf(ws);
        if (line.isOpen) guarded(() => handlers.pong(line, Buffer.from(payload).toString('latin1')), onError);
      },
      ping: (ws) => {
        const line = lineOf(ws);
        line.ponged();
        if (line.isOpen) guarded(() => handlers.ping(line), onError);
      },
      drain: (ws) => {
        const line = lineOf(ws);
        line.drained();
        if (line.isOpen) guarded(() => handlers.drain(line), onError);
      },
      dropped: (ws) => lineOf(ws).dropped(),
      close: (ws, code) => lineOf(ws).ended(code),
    });
    this.app.any('/*', (res, req) => this.serve(res, req, undefined));
  }

  /**
   * The library would share the port with another process, and each get half of the clients; asked not to, it would not
   * get a port back on which an earlier process had connections a minute ago. So whether it is free is found out first.
   */
  async listen(host: string, port: number): Promise<number> {
    await assertFree(host, port);
    // The library shares a port that was named, and not one that the system chose.
    for (let i = 1; i < QUEUES && port !== 0; i++) await this.listenOnce(host, port);
    return this.listenOnce(host, port);
  }

  private listenOnce(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.app.listen(host, port, (socket) => {
        if (!socket) return reject(new Error(`cannot listen on ${host}:${port}`));
        this.listening.push(socket);
        resolve(uWS.us_socket_local_port(socket));
      });
    });
  }

  stopListening(): void {
    for (const socket of this.listening.splice(0)) uWS.us_listen_socket_close(socket);
  }

  async close(): Promise<void> {
    this.stopListening();
    this.app.close();
  }

  /** What lines wait to write was sent before: published frames would overtake it. */
  publish(topic: string, frame: string, except?: Line): void {
    this.turn.flush();
    if (except instanceof UwsLine && except.isOpen && except.hasSubscribed) except.publish(topic, frame);
    else this.app.publish(topic, frame, false, false);
  }

  private open(ws: Socket<State>): void {
    const line = new UwsLine(ws, this.options.maxBuffered, this.turn, (closed, code, byClient) => {
      this.lines.delete(closed);
      guarded(() => this.handlers.close(closed, code, byClient), this.onError);
    });
    ws.line = line;
    this.lines.add(line);
    guarded(() => this.handlers.open(line, ws.state), this.onError);
  }

  /** Every request; `context` is there if it came by the WebSocket route. `req` dies when this returns. */
  private serve(res: HttpResponse, req: HttpRequest, context: UpgradeContext | undefined): void {
    const head = headOf(req);
    const refusal = head.refusal(this.options.maxHeaders);
    const content = new Body(head.bodyLength, this.options.maxFrame);
    const request = new IncomingRequest(head, addressOfBytes(new Uint8Array(res.getRemoteAddress())), content);
    const exchange: Exchange = { res, request, stream: undefined };
    if (!refusal && head.isUpgrade && context && content.isComplete) return this.upgrade(exchange, context);
    res.onAborted(() => aborted(exchange));
    if (!content.isComplete) res.onData((chunk, isLast) => receive(content, chunk, isLast));
    if (refusal) return this.answer(exchange, refusal, true);
    if (head.isUpgrade && context) return this.upgradeLater(exchange, context, () => this.handlers.upgrade(request));
    settle(
      () => this.handlers.http(request),
      (failed) => failed,
      (response) => this.answer(exchange, response, false),
      this.onError,
    );
  }

  /** Answered in its own turn, which most are, it needs nothing that would hear of the peer's going. */
  private upgrade(exchange: Exchange, context: UpgradeContext): void {
    const { res, request } = exchange;
    try {
      const admission = this.handlers.upgrade(request);
      if (admission instanceof Promise) {
        res.onAborted(() => aborted(exchange));
        this.upgradeLater(exchange, context, () => admission);
      } else if ('refuse' in admission) this.answer(exchange, admission.refuse, true);
      else accepted(res, request, { state: admission.accept }, context);
    } catch (error) {
      this.onError(error);
      this.answer(exchange, internal(), true);
    }
  }

  private upgradeLater(
    exchange: Exchange,
    context: UpgradeContext,
    work: () => Admission<State> | Promise<Admission<State>>,
  ): void {
    const { res, request } = exchange;
    let isSameTurn = true;
    settle<Admission<State>>(
      work,
      (refuse) => ({ refuse }),
      (admission) => {
        if (request.isGone) return;
        if ('refuse' in admission) return this.answer(exchange, admission.refuse, true);
        const accept = (): void => accepted(res, request, { state: admission.accept }, context);
        if (isSameTurn) accept();
        else this.uncorked(res, accept);
      },
      this.onError,
    );
    isSameTurn = false;
  }

  /**
   * An upgrade in a later turn must not be corked: `cork` would look at the HTTP response that it has just replaced.
   * Outside of any cork the library prints a warning each time; while another socket is corked it does neither.
   */
  private uncorked(res: HttpResponse, work: () => void): void {
    const other = this.lines.values().next().value;
    if (other) other.holdCork(() => res.cork(work));
    else work();
  }

  private answer(exchange: Exchange, response: Response, close: boolean): void {
    const { res, request } = exchange;
    if (request.isGone) return;
    const wire = wireResponse(response, this.onError);
    const { status, body } = wire;
    const closes = close || wire.close || !request.content.isComplete;
    const isHeadOnly = request.method === 'HEAD' || isBodyless(status);
    res.cork(() => {
      res.writeStatus(`${status} ${STATUS_CODES[status] ?? ''}`);
      for (const [name, value] of wire.headers) res.writeHeader(name, value);
      if (isHeadOnly) endHead(res, isBodyless(status) || typeof body === 'function' ? undefined : body, closes);
      else if (typeof body === 'function') this.stream(exchange, body, wire.isEvents);
      else res.end(body, closes);
    });
  }

  private stream(exchange: Exchange, begin: (stream: UwsStream) => void, isEvents: boolean): void {
    const stream = new UwsStream(exchange.res, this.options.maxBuffered, this.onError);
    exchange.stream = stream;
    if (isEvents) stream.comment();
    guarded(() => begin(stream), this.onError);
  }
}

/** A request and how far its answer has come. */
type Exchange = { readonly res: HttpResponse; readonly request: IncomingRequest; stream: UwsStream | undefined };

function aborted({ request, stream }: Exchange): void {
  request.depart();
  stream?.closed();
}

function receive(content: Body, chunk: ArrayBuffer, isLast: boolean): void {
  content.push(new Uint8Array(chunk));
  if (isLast) content.end();
}

function accepted<State>(
  res: HttpResponse,
  request: IncomingRequest,
  context: Context<State>,
  native: UpgradeContext,
): void {
  const key = request.header('sec-websocket-key') ?? '';
  res.upgrade<Context<State>>(context, key, request.header('sec-websocket-protocol') ?? '', '', native);
}

/**
 * Without a body, but with the length that it would have. The library's own way to tell that length leaves the request
 * open, and the one without it cannot hang up: that is left to the peer, and to the library's idle timeout.
 */
function endHead(res: HttpResponse, body: string | Uint8Array | undefined, closes: boolean): void {
  if (body !== undefined) res.writeHeader('content-length', `${Buffer.byteLength(body)}`);
  if (closes) res.writeHeader('connection', 'close');
  res.endWithoutBody();
}

function headOf(req: HttpRequest): Head {
  const head = new Head(req.getCaseSensitiveMethod(), req.getUrl(), req.getQuery() ?? '');
  req.forEach((name, value) => {
    head.add(name, value);
  });
  return head;
}

/** The library copies the context's members onto the socket itself. */
const lineOf = <State>(ws: WebSocket<Context<State>>): UwsLine => (ws as Socket<State>).line!;
