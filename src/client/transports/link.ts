/** One connection to a node, whatever carries it. Above this line, all transports look the same. */
import type { ClientFrame, DeviceId, ServerFrame } from '../../protocol/index.js';
import type { Auth } from '../credentials.js';
import type { Fetch, SocketClass } from '../platform.js';

export type TransportName = 'websocket' | 'sse' | 'poll';

/** What a link knows of its server once it is ready. */
export type Facts = {
  readonly transport: TransportName;
  readonly uid?: Auth['uid'];
  /**
   * `sent` stands in the message's place among the pushed messages, and sends may follow each other unanswered (a
   * WebSocket). Else every send waits for the answer of the one before, and comes again as a pushed message.
   */
  readonly inPlace: boolean;
  /** Server's clock minus this one's, in milliseconds. */
  readonly clock: number;
  /** Bytes of a frame, sends a second (0: unknown), seconds for which an id is remembered. */
  readonly limits: { readonly frame: number; readonly rate: number; readonly dedup: number };
};

/** Until a server says otherwise: what every server must offer. */
export const LEAST_LIMITS: Facts['limits'] = { frame: 65_536, rate: 0, dedup: 300 };

/** What a `welcome` says, on a WebSocket. */
export function factsOf({ uid, limits, ts }: Extract<ServerFrame, { readonly type: 'welcome' }>): Facts {
  return { transport: 'websocket', uid, limits, clock: ts - Date.now(), inPlace: true };
}

/** Why a link ended: a WebSocket close code (1006 where there was none), and how long to stay away if it was said. */
export type Ending = { readonly code: number; readonly reason: string; readonly retry?: number | undefined };

/** No event comes after `down`, and none after `close` was called. */
export interface LinkEvents {
  /** Once: frames may be sent from now on. */
  ready(facts: Facts): void;
  frame(frame: ServerFrame): void;
  /** A request that this transport cannot carry. */
  unsupported(frame: ClientFrame): void;
  /** What arrived and could not be read. */
  garbled(text: string): void;
  down(ending: Ending): void;
  /** Resolves when everything that came as a frame so far has been handed on and may be acknowledged. */
  settled(): Promise<void>;
}

export interface Link {
  /** Sends a frame; its answer, if it has one, comes as a frame. Before `ready` and after the end: nothing. */
  send(frame: ClientFrame): void;
  /** Proves with a newer token who this is, without ending anything. */
  renew(auth: Auth): void;
  /** Looks whether the line is alive; if not, `down` follows soon. */
  probe(): void;
  /** Ends it in order. Resolves, soon in any case, when the other side knows. */
  close(): Promise<void>;
}

/** Where links lead to, and with what. */
export type Endpoint = {
  /** `http(s)://host/path/`, with the slash at its end. */
  readonly base: string;
  readonly device: DeviceId;
  readonly fetch: Fetch;
  readonly WebSocket: SocketClass | undefined;
  /** Milliseconds without a sound after which a line is tried; undefined: as the server says. */
  readonly heartbeat: number | undefined;
  /** Milliseconds for the answer to a heartbeat, and to an HTTP request. */
  readonly patience: number;
  readonly poll: { readonly wait: number; readonly pause: number };
};

export type OpenLink = (to: Endpoint, auth: Auth, events: LinkEvents) => Link;

/** The server frame that a text holds; undefined where it holds none. */
export function parseFrame(text: string): ServerFrame | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isFrame = typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
    return isFrame ? (value as ServerFrame) : undefined;
  } catch {
    return undefined;
  }
}
