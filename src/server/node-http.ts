/** HTTP for the `ws` adapter: node:http's requests and responses as the transport's. */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { plainAddress } from './addresses.js';
import { Body, Head, IncomingRequest } from './request.js';
import { failure, guarded, isBodyless, type OnError, wireResponse } from './response.js';
import type { Response, Stream } from './transport.js';

export function requestOf(message: IncomingMessage, maxBody: number): IncomingRequest {
  const target = message.url ?? '';
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  const head = new Head(message.method ?? '', path, mark < 0 ? '' : target.slice(mark + 1));
  for (let i = 0; i + 1 < message.rawHeaders.length; i += 2) {
    head.add(message.rawHeaders[i]!.toLowerCase(), message.rawHeaders[i + 1]!);
  }
  const content = new Body(head.bodyLength, maxBody);
  return new IncomingRequest(head, plainAddress(message.socket.remoteAddress ?? ''), content);
}

/** Ties a request to its connection: the body as it comes, and when the peer goes away. */
export function follow(request: IncomingRequest, message: IncomingMessage, response: ServerResponse): void {
  const { content } = request;
  if (!content.isComplete) {
    message.on('data', (chunk: Buffer) => content.push(chunk));
    message.on('end', () => content.end());
  }
  response.on('close', () => {
    if (!response.writableFinished) request.depart();
  });
}

export type AnswerOptions = { readonly close: boolean; readonly maxBuffered: number; readonly onError: OnError };

export function answer(
  request: IncomingRequest,
  out: ServerResponse,
  response: Response,
  { close, maxBuffered, onError }: AnswerOptions,
): void {
  if (request.isGone) return;
  const wire = wireResponse(response, onError);
  const { status, body } = wire;
  if (close || wire.close || !request.content.isComplete) out.shouldKeepAlive = false;
  for (const [name, value] of wire.headers) out.setHeader(name, value);
  if (typeof body !== 'function' && !isBodyless(status)) out.setHeader('content-length', Buffer.byteLength(body));
  out.writeHead(status);
  if (request.method === 'HEAD' || isBodyless(status)) out.end();
  else if (typeof body === 'function') {
    out.flushHeaders();
    guarded(() => body(new NodeStream(out, maxBuffered, onError)), onError);
  } else out.end(body);
}

/** Milliseconds that a peer has to take the rest of an ended stream. */
const LINGER_MS = 30_000;

class NodeStream implements Stream {
  private isOpen = true;
  private readonly closeListeners: (() => void)[] = [];

  constructor(
    private readonly out: ServerResponse,
    private readonly maxBuffered: number,
    private readonly onError: OnError,
  ) {
    out.on('close', () => this.closed());
  }

  write(text: string): 'sent' | 'buffered' | 'dropped' {
    if (!this.isOpen || this.out.writableLength > this.maxBuffered) return 'dropped';
    return this.out.write(text) ? 'sent' : 'buffered';
  }

  buffered(): number {
    return this.isOpen ? this.out.writableLength : 0;
  }

  onDrain(listener: () => void): void {
    this.out.on('drain', () => {
      if (this.isOpen) guarded(listener, this.onError);
    });
  }

  onClose(listener: () => void): void {
    this.closeListeners.push(listener);
  }

  end(): void {
    if (!this.isOpen) return;
    this.out.end();
    const linger = setTimeout(() => this.out.destroy(), LINGER_MS).unref();
    this.out.once('close', () => clearTimeout(linger));
    this.closed();
  }

  private closed(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    for (const listener of this.closeListeners) guarded(listener, this.onError);
  }
}

/** Answers what is no HTTP request, or no whole one in time, and hangs up. */
export function refuseGarbage(socket: Socket, errorCode: string | undefined, maxHeaders: number): void {
  const { status, headers, body } = garbageResponse(errorCode, maxHeaders);
  const lines = Object.entries({ ...headers, connection: 'close', 'content-length': `${body.length}` });
  const text = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${text}\r\n${body}`);
  socket.destroySoon();
}

function garbageResponse(errorCode: string | undefined, maxHeaders: number): Response & { readonly body: string } {
  if (errorCode === 'HPE_HEADER_OVERFLOW') {
    return failure(431, 'too_large', `request line and headers over ${maxHeaders} bytes`);
  }
  if (errorCode === 'ERR_HTTP_REQUEST_TIMEOUT') return failure(408, 'bad_request', 'the request did not come in time');
  return failure(400, 'bad_request', 'not an HTTP request');
}
