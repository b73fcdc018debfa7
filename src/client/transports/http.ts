/** What Server-Sent Events and polls share: requests, their errors, and presence, which HTTP does not push. */
import { CLOSE, type ClientFrame, ERRORS, type ErrorCode, type ServerFrame, type Uid } from '../../protocol/index.js';
import type { Auth } from '../credentials.js';
import type { Timer } from '../platform.js';
import { type Call, callOf } from './calls.js';
import type { Ending, Endpoint, LinkEvents } from './link.js';

/** Milliseconds between two looks at who is online. */
const PRESENCE_MS = 15_000;
/** Milliseconds to wait where a server or proxy is unwell and does not say for how long. */
const UNWELL_MS = 1_000;

type Refused = { readonly code: ErrorCode; readonly message: string; readonly retry?: number };

export class HttpCalls {
  readonly #to: Endpoint;
  readonly #events: LinkEvents;
  readonly #over = new AbortController();
  readonly #watched = new Map<Uid, boolean | undefined>();
  #watching: Timer | undefined;
  #auth: Auth;

  constructor(to: Endpoint, auth: Auth, events: LinkEvents) {
    this.#to = to;
    this.#auth = auth;
    this.#events = events;
  }

  get isOver(): boolean {
    return this.#over.signal.aborted;
  }

  renew(auth: Auth): void {
    this.#auth = auth;
  }

  /** Ends every request; nothing is heard of them any more. */
  close(): void {
    clearTimeout(this.#watching);
    this.#over.abort();
  }

  end(ending: Ending): void {
    if (this.isOver) return;
    this.close();
    this.#events.down(ending);
  }

  /** One request. `within` bounds it in milliseconds, its body included; 0: no bound. Rejects as fetch does. */
  fetch(path: string, within: number, init: { method?: string; headers?: Record<string, string>; body?: string } = {}) {
    const { token, uid } = this.#auth;
    const headers = { ...init.headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) };
    const who = token === undefined && uid !== undefined ? `uid=${encodeURIComponent(uid)}` : '';
    const signals = [this.#over.signal, ...(within > 0 ? [AbortSignal.timeout(within)] : [])];
    const { fetch } = this.#to;
    const joint = who === '' ? '' : path.includes('?') ? '&' : '?';
    return fetch(`${this.#to.base}${path}${joint}${who}`, {
      ...init,
      headers,
      signal: AbortSignal.any(signals),
    });
  }

  /** Sends a frame as a request; answer and refusal come as frames, a broken connection ends the link. */
  async send(frame: ClientFrame): Promise<void> {
    if (frame.type === 'unwatch') for (const uid of frame.uids) this.#watched.delete(uid);
    const call = callOf(frame, this.#to.device, this.#auth.uid);
    if (call === undefined) return this.#events.unsupported(frame);
    const result = await this.#make(call);
    if (this.isOver || result === undefined) return;
    if ('code' in result) this.#events.frame({ type: 'error', ...(frame.id && { id: frame.id }), ...result });
    else for (const answer of call.answer(result.json)) this.#events.frame(answer);
    if (frame.type === 'watch' && !('code' in result)) this.#watch(call.answer(result.json));
  }

  /** Undefined: the link is over. */
  async #make(call: Call): Promise<{ readonly json: object } | Refused | undefined> {
    try {
      const response = await this.fetch(call.path, this.#to.patience, {
        method: call.method,
        headers: call.body === undefined ? {} : { 'content-type': 'application/json' },
        ...(call.body !== undefined && { body: JSON.stringify(call.body) }),
      });
      const json = await jsonOf(response);
      if (response.ok && json !== undefined) return { json };
      if (response.status === call.otherwise?.status) return await this.#make(call.otherwise.call);
      if (response.status === 401) this.end({ code: CLOSE.unauthorized.code, reason: CLOSE.unauthorized.reason });
      return refusalOf(response, json);
    } catch (error) {
      this.end({ code: 1006, reason: String(error) });
      return undefined;
    }
  }

  #watch(now: readonly ServerFrame[]): void {
    for (const one of now) if (one.type === 'presence') this.#watched.set(one.uid, one.online);
    clearTimeout(this.#watching);
    if (this.#watched.size > 0) this.#watching = setTimeout(() => void this.#look(), PRESENCE_MS);
  }

  async #look(): Promise<void> {
    const call = callOf({ type: 'watch', uids: [...this.#watched.keys()] }, this.#to.device, this.#auth.uid);
    const result = call && (await this.#make(call));
    if (this.isOver || call === undefined || result === undefined) return;
    const now = 'code' in result ? [] : call.answer(result.json);
    const moved = now.filter((one) => one.type === 'presence' && this.#watched.get(one.uid) !== one.online);
    for (const one of moved) this.#events.frame(one);
    this.#watch(now);
  }
}

/** The ending that a refused poll or stream stands for. */
export async function endingOf(response: Response): Promise<Ending> {
  const { code, message, retry } = refusalOf(response, await jsonOf(response));
  if (response.status === 401) return CLOSE.unauthorized;
  if (response.status === 403) return { code: CLOSE.banned.code, reason: message };
  // Anything else, such as a 404, may well mean that this transport does not get through.
  const isAskedToWait = response.status === 429 || response.status === 503;
  return { code: 1006, reason: `${code}: ${message}`, ...(isAskedToWait && { retry }) };
}

/** Server's clock minus this one's, in milliseconds, as exact as the Date header is; 0 where it is hidden. */
export function clockOf(response: Response): number {
  const date = Date.parse(response.headers.get('date') ?? '');
  return Number.isNaN(date) ? 0 : date - Date.now();
}

async function jsonOf(response: Response): Promise<object | undefined> {
  const text = await response.text();
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined; // a proxy's own page
  }
}

function refusalOf(response: Response, json: object | undefined): Refused {
  const error = json && 'error' in json && typeof json.error === 'object' ? json.error : null;
  const said = error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  const code = Object.hasOwn(ERRORS, said) ? (said as ErrorCode) : 'unavailable';
  const message = error && 'message' in error ? String(error.message) : `status ${response.status}`;
  if (code !== 'unavailable' && code !== 'rate_limited') return { code, message };
  const exact = error && 'retry' in error && typeof error.retry === 'number' ? error.retry : undefined;
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return { code, message, retry: exact ?? (seconds >= 0 ? seconds * 1_000 : UNWELL_MS) };
}
