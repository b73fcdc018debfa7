/** Servers and clients for the transport suite. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectSecurely } from 'node:tls';
import { afterEach, expect, vi } from 'vitest';
import { type ClientOptions, WebSocket } from 'ws';
import type { Line } from '../../src/chat/line.js';
import type { Certificate } from '../../src/server/certificate.js';
import type { Handlers, Transport, TransportOptions } from '../../src/server/transport.js';
import type { createWs } from '../../src/server/ws.js';

export type Adapter = {
  readonly name: 'uws' | 'ws';
  readonly create: typeof createWs;
  /** Everything goes over TLS; `ca` is what the clients trust. */
  readonly tls?: { readonly certificate: Certificate; readonly ca: string };
};

export const OPTIONS: TransportOptions = { maxFrame: 4096, maxBuffered: 262_144, maxHeaders: 4096 };

/** Waits for a claim to hold; fails with the claim's own words. */
export const holds = (claim: () => void): Promise<void> => vi.waitFor(claim, { timeout: 10_000, interval: 5 });

export type Seen = {
  readonly lines: Line[];
  readonly messages: (string | undefined)[];
  readonly pongs: string[];
  readonly closes: { readonly code: number; readonly byClient: boolean }[];
  readonly errors: unknown[];
  drains: number;
  pings: number;
};

export type House = {
  readonly transport: Transport;
  readonly port: number;
  readonly seen: Seen;
  /** The authority that clients trust, where the port speaks TLS. */
  readonly ca: string | undefined;
};

const cleanups: (() => unknown)[] = [];
export const cleanUp = (work: () => unknown): unknown => cleanups.push(work);
export function tidyAfterEach(): void {
  afterEach(async () => {
    for (const work of cleanups.splice(0).reverse()) await work();
  });
}

/** A listening server that records what its handlers are told. */
export async function open(
  adapter: Adapter,
  overrides: Partial<Handlers<string>> = {},
  options: Partial<TransportOptions> = {},
  port = 0,
): Promise<House> {
  const seen: Seen = { lines: [], messages: [], pongs: [], closes: [], errors: [], drains: 0, pings: 0 };
  const handlers: Handlers<string> = {
    upgrade: () => ({ accept: 'guest' }),
    open: (line) => seen.lines.push(line),
    message: (_line, text) => seen.messages.push(text),
    ping: () => seen.pings++,
    pong: (_line, payload) => seen.pongs.push(payload),
    drain: () => seen.drains++,
    close: (_line, code, byClient) => seen.closes.push({ code, byClient }),
    http: () => ({ status: 200, headers: { 'content-type': 'text/plain' }, body: 'fine' }),
    ...overrides,
  };
  const transport = adapter.create({ ...OPTIONS, tls: adapter.tls?.certificate, ...options }, handlers, (error) =>
    seen.errors.push(error),
  );
  cleanUp(() => transport.close());
  return { transport, port: await transport.listen('127.0.0.1', port), seen, ca: adapter.tls?.ca };
}

export type Visitor = {
  readonly client: WebSocket;
  readonly received: string[];
  readonly closed: Promise<number>;
};

export function webSocketTo({ port, ca }: House, path: string, protocols: string[] = [], options: ClientOptions = {}) {
  const url = `ws${ca ? 's' : ''}://127.0.0.1:${port}${path}`;
  return new WebSocket(url, protocols, { ...options, ...(ca !== undefined && { ca }) });
}

/** A WebSocket client that is let in. */
export async function visit(house: House, path = '/ws'): Promise<Visitor> {
  const client = webSocketTo(house, path);
  const received: string[] = [];
  client.on('message', (data) => received.push(String(data)));
  client.on('error', () => client.terminate());
  cleanUp(() => client.terminate());
  const closed = new Promise<number>((resolve) => client.on('close', resolve));
  await once(client, 'open');
  return { client, received, closed };
}

/** The line of the visitor who came last. */
export async function lineOf(house: House, nth = 1): Promise<Line> {
  await holds(() => expect(house.seen.lines.length).toBeGreaterThanOrEqual(nth));
  return house.seen.lines[nth - 1]!;
}

/** A bare TCP client; a reset is an end like any other. */
export class Raw {
  text = '';
  isClosed = false;

  private constructor(
    readonly socket: Socket,
    private readonly tcp: Socket,
  ) {
    socket.on('data', (chunk) => {
      this.text += chunk.toString('latin1');
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.isClosed = true;
    });
    cleanUp(() => socket.destroy());
  }

  static async to(house: House): Promise<Raw> {
    const { port, ca } = house;
    const tcp = connect(port, '127.0.0.1');
    const socket = ca ? connectSecurely({ socket: tcp, host: '127.0.0.1', ca }) : tcp;
    const raw = new Raw(socket, tcp);
    await once(socket, ca ? 'secureConnect' : 'connect');
    return raw;
  }

  write(data: string | Uint8Array): this {
    if (this.socket.writable) this.socket.write(data);
    return this;
  }

  reset(): void {
    this.tcp.resetAndDestroy();
  }

  reads(part: string): Promise<void> {
    return holds(() => expect(this.text).toContain(part));
  }

  isHungUpOn(): Promise<void> {
    return holds(() => expect(this.isClosed).toBe(true));
  }
}

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

export const upgradeRequest = (changes: Readonly<Record<string, string | undefined>> = {}, path = '/ws'): string => {
  const headers = {
    Host: 'localhost',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': KEY,
    ...changes,
  };
  const lines = Object.entries(headers).filter((entry) => entry[1] !== undefined);
  return `GET ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
};

/** A raw WebSocket, past its handshake. */
export async function rawVisit(house: House): Promise<Raw> {
  const raw = (await Raw.to(house)).write(upgradeRequest());
  await raw.reads('\r\n\r\n');
  expect(raw.text).toContain(' 101 ');
  raw.text = '';
  return raw;
}

export type FrameShape = { readonly fin?: boolean; readonly rsv?: number; readonly masked?: boolean };

/** One client frame as bytes. */
export function frame(opcode: number, payload: string | Uint8Array = '', shape: FrameShape = {}): Buffer {
  const { fin = true, rsv = 0, masked = true } = shape;
  const body = Buffer.from(payload);
  const first = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  const bit = masked ? 0x80 : 0;
  const head =
    body.length < 126
      ? Buffer.from([first, bit | body.length])
      : Buffer.from([first, bit | 126, body.length >> 8, body.length & 255]);
  if (!masked) return Buffer.concat([head, body]);
  const mask = Buffer.from([7, 77, 177, 3]);
  return Buffer.concat([head, mask, body.map((byte, i) => byte ^ mask[i % 4]!)]);
}

export const OPCODE = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** A request over HTTP as text; the connection stays open unless told otherwise. */
export const request = (line: string, headers: readonly string[] = [], body = ''): string =>
  `${[`${line} HTTP/1.1`, 'Host: localhost', ...headers].join('\r\n')}\r\n\r\n${body}`;

/** How often a server has answered so far. */
export const answers = (text: string, status: number): number => text.split(`HTTP/1.1 ${status} `).length - 1;
