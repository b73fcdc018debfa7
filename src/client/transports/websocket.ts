import { CLOSE, HEARTBEAT_SECONDS, type ServerFrame } from '../../protocol/index.js';
import type { Auth } from '../credentials.js';
import type { Timer } from '../platform.js';
import { type Endpoint, factsOf, type Link, type LinkEvents, parseFrame } from './link.js';

/** Milliseconds for the other side to answer a closing handshake. */
const CLOSING_MS = 1_000;

/**
 * A WebSocket. Credentials go in the first frame, not in the URL, where proxies would log them; browsers can set no
 * header. Browsers also hide the server's pings, so a silent line is tried with a ping of the protocol's own.
 */
export function openWebSocket(to: Endpoint, auth: Auth, events: LinkEvents): Link {
  if (to.WebSocket === undefined) throw new Error('no WebSocket here: pass one to the client');
  const socket = new to.WebSocket(`${to.base.replace(/^http/, 'ws')}ws`);
  let open = false;
  let over = false;
  let silence = to.heartbeat ?? HEARTBEAT_SECONDS * 1_000;
  let timer: Timer | undefined;
  let trial = false;
  let closing: Promise<void> | undefined;

  const put = (frame: object): void => socket.send(JSON.stringify(frame));

  function end(code: number, reason: string): void {
    if (over) return;
    over = true;
    clearTimeout(timer);
    events.down({ code, reason });
  }

  function heard(): void {
    trial = false;
    clearTimeout(timer);
    timer = setTimeout(attempt, silence);
  }

  function attempt(): void {
    if (over || trial) return;
    trial = true;
    clearTimeout(timer);
    if (open) put({ type: 'ping' });
    timer = setTimeout(giveUp, to.patience);
  }

  function giveUp(): void {
    // A dead peer never completes the closing handshake, so nothing is waited for.
    socket.close();
    end(1006, 'the line is dead');
  }

  function receive(frame: ServerFrame): void {
    if (frame.type !== 'welcome') return events.frame(frame);
    if (open) return;
    open = true;
    silence = to.heartbeat ?? frame.heartbeat * 1_000;
    events.ready(factsOf(frame));
  }

  socket.onopen = () => {
    if (!over) put({ type: 'hello', ...helloOf(auth), device: to.device, ack: 'manual' });
  };
  socket.onmessage = ({ data }) => {
    if (over) return;
    heard();
    const frame = typeof data === 'string' ? parseFrame(data) : undefined;
    if (frame === undefined) events.garbled(String(data));
    else receive(frame);
  };
  socket.onclose = ({ code, reason }) => end(code, reason || reasonOf(code));
  // Says nothing of use, and `close` always follows; but `ws` throws where nobody listens.
  socket.onerror = () => undefined;

  function close(): Promise<void> {
    over = true;
    clearTimeout(timer);
    return new Promise((resolve) => {
      const late = setTimeout(resolve, CLOSING_MS);
      socket.onclose = () => {
        clearTimeout(late);
        resolve();
      };
      socket.close(1000);
    });
  }

  return {
    send: (frame) => {
      if (open && !over) put(frame);
    },
    renew: (by) => {
      if (open && !over) put({ type: 'hello', ...helloOf(by) });
    },
    probe: attempt,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

function helloOf({ uid, token }: Auth): { readonly token: string } | { readonly uid: string | undefined } {
  return token === undefined ? { uid } : { token };
}

function reasonOf(code: number): string {
  return Object.values(CLOSE).find((close) => close.code === code)?.reason ?? 'connection lost';
}
