/**
 * What the client asks of its surroundings, in its least form: browsers, Node and test doubles all satisfy it, and the
 * types need neither the DOM's nor Node's.
 */

type Handler<E> = { handle(event: E): void }['handle'];

/** The part of a WebSocket that is used. The class of `ws` and the browser's both fit. */
export interface Socket {
  onopen: Handler<unknown> | null;
  onmessage: Handler<{ readonly data: unknown }> | null;
  onclose: Handler<{ readonly code: number; readonly reason: string }> | null;
  onerror: Handler<unknown> | null;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

export type SocketClass = new (url: string) => Socket;
export type Fetch = typeof fetch;
export type Timer = ReturnType<typeof setTimeout>;

/** Web Locks: a lock is held until the promise that `hold` returns settles. */
export interface Locks {
  request(name: string, options: { readonly signal?: AbortSignal }, hold: () => Promise<unknown>): Promise<unknown>;
}

export interface Channel {
  onmessage: Handler<{ readonly data: unknown }> | null;
  postMessage(message: unknown): void;
  close(): void;
}

type Surroundings = {
  readonly WebSocket?: SocketClass;
  readonly location?: { readonly href: string };
  readonly navigator?: { readonly locks?: Locks };
  readonly BroadcastChannel?: new (name: string) => Channel;
  addEventListener?(event: string, listener: () => void): void;
  removeEventListener?(event: string, listener: () => void): void;
};

export const surroundings = globalThis as unknown as Surroundings;

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Calls back when the network may be there again: the browser says so, or the page is looked at again. */
export const onWake = (listener: () => void): (() => void) => onAny(['online', 'pageshow', 'focus'], listener);

/** Calls back when the page is about to go, perhaps for good: the last moment to say something. */
export const onLeave = (listener: () => void): (() => void) => onAny(['pagehide'], listener);

function onAny(events: readonly string[], listener: () => void): () => void {
  const { addEventListener, removeEventListener } = surroundings;
  if (addEventListener === undefined || removeEventListener === undefined) return () => undefined;
  for (const event of events) addEventListener.call(globalThis, event, listener);
  return () => {
    for (const event of events) removeEventListener.call(globalThis, event, listener);
  };
}
