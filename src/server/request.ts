/** What both socket adapters do alike with a request before a handler sees it. */

import { failure } from './response.js';
import type { Request, Response } from './transport.js';

/** The request line and the headers: looked up by name, and measured as they came. */
export class Head {
  private readonly fields = new Map<string, string>();
  private size: number;

  constructor(
    readonly method: string,
    readonly path: string,
    readonly query: string,
  ) {
    this.size = method.length + path.length + query.length + ' ? HTTP/1.1\r\n\r\n'.length;
  }

  /** A header that comes twice is joined as in RFC 9110; two different lengths or tokens are then neither. */
  add(name: string, value: string): void {
    this.size += name.length + value.length + ': \r\n'.length;
    const before = this.fields.get(name);
    this.fields.set(name, before === undefined ? value : `${before}, ${value}`);
  }

  get(name: string): string | undefined {
    return this.fields.get(name);
  }

  /** Asks for a WebSocket; other upgrades (h2c) are ignored, as RFC 9110 lets a server do. */
  get isUpgrade(): boolean {
    return WEBSOCKET.test(this.get('upgrade') ?? '') && UPGRADE.test(this.get('connection') ?? '');
  }

  /** Bytes of the body: 0 if there is none, undefined if the length is not told in advance. */
  get bodyLength(): number | undefined {
    if (this.get('transfer-encoding') !== undefined) return undefined;
    return Number(this.get('content-length') ?? 0);
  }

  /** The answer to a request that no handler should see. */
  refusal(maxHeaders: number): Response | undefined {
    if (this.size > maxHeaders) return failure(431, 'too_large', `request line and headers over ${maxHeaders} bytes`);
    if (!this.path.startsWith('/')) return failure(400, 'bad_request', 'the request target must be a path');
    const length = this.get('content-length');
    if (length !== undefined && !/^\d{1,15}$/.test(length)) {
      return failure(400, 'bad_request', 'Content-Length is not one number');
    }
    const coding = this.get('transfer-encoding');
    if (coding !== undefined && (coding.toLowerCase() !== 'chunked' || length !== undefined)) {
      return failure(400, 'bad_request', 'Transfer-Encoding is not chunked alone');
    }
    return this.isUpgrade ? this.upgradeRefusal() : undefined;
  }

  private upgradeRefusal(): Response | undefined {
    if (this.method !== 'GET') return failure(400, 'bad_request', 'a WebSocket begins with GET');
    if (this.get('sec-websocket-version') !== '13') {
      return failure(426, 'bad_request', 'WebSocket version 13 is needed', {
        'sec-websocket-version': '13',
        upgrade: 'websocket',
      });
    }
    if (!/^[+/0-9A-Za-z]{22}==$/.test(this.get('sec-websocket-key') ?? '')) {
      return failure(400, 'bad_request', 'Sec-WebSocket-Key is missing or malformed');
    }
    return undefined;
  }
}

/** A token in a list of them. */
const WEBSOCKET = /(?:^|,)\s*websocket\s*(?:,|$)/i;
const UPGRADE = /(?:^|,)\s*upgrade\s*(?:,|$)/i;

type BodyResult = { readonly text: string } | 'too_large' | 'broken';

/** Collects a request's body; holds at most `cap` bytes, also while nobody has asked for it yet. */
export class Body {
  private chunks: Uint8Array[] = [];
  private size = 0;
  private limit: number;
  private result: BodyResult | undefined;
  private reading: Promise<BodyResult> | undefined;
  private settle: (result: BodyResult) => void = () => undefined;
  private hasEnded: boolean;

  constructor(
    private readonly length: number | undefined,
    cap: number,
  ) {
    this.limit = cap;
    this.hasEnded = length === 0;
    if (this.hasEnded) this.result = { text: '' };
  }

  /** All of it has come from the peer, so that the connection can serve another request. */
  get isComplete(): boolean {
    return this.hasEnded;
  }

  /** The chunk is copied: uWebSockets.js takes its memory back. */
  push(chunk: Uint8Array): void {
    if (this.result !== undefined) return;
    this.size += chunk.length;
    if (this.size > this.limit) return this.finish('too_large');
    this.chunks.push(chunk.slice());
  }

  end(): void {
    this.hasEnded = true;
    if (this.result === undefined) this.finish(decoded(this.chunks));
  }

  /** The peer went away. */
  fail(): void {
    if (this.result === undefined) this.finish('broken');
  }

  read(max: number): Promise<BodyResult> {
    if (this.reading !== undefined) return this.reading;
    this.limit = Math.min(this.limit, max);
    if (this.size > this.limit || (this.length ?? 0) > this.limit) this.finish('too_large');
    this.reading =
      this.result === undefined
        ? new Promise((resolve) => {
            this.settle = resolve;
          })
        : Promise.resolve(this.result);
    return this.reading;
  }

  private finish(result: BodyResult): void {
    this.result = result;
    this.chunks = [];
    this.settle(result);
  }
}

function decoded(chunks: readonly Uint8Array[]): BodyResult {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks)) };
  } catch (error) {
    if (error instanceof TypeError) return 'broken';
    throw error;
  }
}

/** A request as handlers see it, whichever adapter it came by. */
export class IncomingRequest implements Request {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  private hasGone = false;
  private controller: AbortController | undefined;

  constructor(
    readonly head: Head,
    readonly address: string,
    readonly content: Body,
  ) {
    this.method = head.method;
    this.path = head.path;
    this.query = head.query;
  }

  header(name: string): string | undefined {
    return this.head.get(name);
  }

  body(max: number): Promise<BodyResult> {
    return this.content.read(max);
  }

  get gone(): AbortSignal {
    this.controller ??= new AbortController();
    if (this.hasGone) this.controller.abort();
    return this.controller.signal;
  }

  get isGone(): boolean {
    return this.hasGone;
  }

  depart(): void {
    this.hasGone = true;
    this.content.fail();
    this.controller?.abort();
  }
}
