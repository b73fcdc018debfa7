/** What an HTTP and WebSocket library must do for a node. uws.ts and ws.ts do it; test/transport holds both to it. */
import type { Line, Switchboard } from '../chat/line.js';
import type { Certificate } from './certificate.js';

export type Request = {
  readonly method: string;
  /** The path as sent, still percent-encoded, without the query. */
  readonly path: string;
  /** The query as sent, without the question mark; empty if there is none. */
  readonly query: string;
  /** A header by its lower-case name; undefined if absent. */
  header(name: string): string | undefined;
  /** The peer's address, IPv4 in dotted form also where it came in IPv6 dress. */
  readonly address: string;
  /**
   * The body as UTF-8; `too_large` as soon as it passes `max` bytes, or maxFrame, which bounds what is held before this
   * is called; `broken` if the peer went away or it is not UTF-8.
   */
  body(max: number): Promise<{ readonly text: string } | 'too_large' | 'broken'>;
  /** Aborted when the peer goes away before the answer is complete. */
  readonly gone: AbortSignal;
};

export type Headers = Readonly<Record<string, string>>;

export type Response = {
  readonly status: number;
  readonly headers: Headers;
  /** Whole, or a stream that begins when the headers are out. A HEAD request gets the headers only. */
  readonly body: string | Uint8Array | ((stream: Stream) => void);
};

/** A response that goes on. One of server-sent events may begin with an empty comment, which sends the headers. */
export interface Stream {
  /** Like Line.send. */
  write(text: string): 'sent' | 'buffered' | 'dropped';
  buffered(): number;
  /** Called each time the buffer has emptied. */
  onDrain(listener: () => void): void;
  /** Called once, when the peer went away or the stream was ended. */
  onClose(listener: () => void): void;
  end(): void;
}

export type Admission<State> = { readonly accept: State } | { readonly refuse: Response };

/**
 * What a node does with connections. No handler throws. `message` has undefined for a binary frame. `close` comes once
 * for each `open`, with the client's code if the client closed in order, else 1006, or the code that Line.close gave,
 * and then within that call.
 */
export interface Handlers<State> {
  /** A WebSocket upgrade, any path. Rejects nothing: a failure is a refusal. */
  upgrade(request: Request): Admission<State> | Promise<Admission<State>>;
  open(line: Line, state: State): void;
  message(line: Line, text: string | undefined): void;
  /** The client's ping, which is answered already. */
  ping(line: Line): void;
  pong(line: Line, payload: string): void;
  drain(line: Line): void;
  close(line: Line, code: number, byClient: boolean): void;
  http(request: Request): Response | Promise<Response>;
}

export type TransportOptions = {
  /** Bytes of a frame; a longer one ends the connection. */
  readonly maxFrame: number;
  /** Bytes that may wait for one line before a write is dropped. */
  readonly maxBuffered: number;
  /** Bytes of a request's line and headers together, and of one header. */
  readonly maxHeaders: number;
  /** Then the port speaks TLS 1.2 or later, and nothing else. */
  readonly tls?: Certificate | undefined;
};

export interface Transport extends Switchboard {
  readonly name: 'uws' | 'ws';
  /** Resolves with the port (0 chooses one); rejects if it is taken. */
  listen(host: string, port: number): Promise<number>;
  /** Takes no new connections; those that are there stay. */
  stopListening(): void;
  /** Ends what is left. */
  close(): Promise<void>;
}
