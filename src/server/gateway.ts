/** WebSocket connections: who is let in, by the upgrade or by a first `hello`, and what then goes to the domain. */

import { encode, retryAfter } from '../chat/answers.js';
import type { Chat } from '../chat/chat.js';
import type { Line } from '../chat/line.js';
import type { Cell, Meter } from '../chat/meter.js';
import { Unavailable } from '../chat/ports.js';
import type { Identity, Session } from '../chat/session.js';
import { decode } from '../protocol/decode.js';
import { type AckMode, CLOSE, DEFAULT_DEVICE, type DeviceId, HELLO_MS } from '../protocol/index.js';
import type { AddressLimits, Household } from './address-limits.js';
import { barTo, credentialsIn, type Entrance, type Identify } from './entrance.js';
import { queryOf } from './query.js';
import { failure, json } from './replies.js';
import { DEVICE_FORM, deviceIn } from './route.js';
import type { Credentials } from './tokens.js';
import type { Admission, Handlers, Request } from './transport.js';

/** What an upgrade said. */
export type Visitor = {
  identity: Identity | undefined;
  readonly device: DeviceId;
  readonly ack: AckMode;
  readonly replace: boolean;
  /** Whose limits it counts against. */
  readonly household: Household;
};

type Connection = {
  readonly line: Line;
  readonly visitor: Visitor;
  session: Session | undefined;
  /** Ends a connection that does not say who it is. */
  helloTimer: NodeJS.Timeout | undefined;
  /** A `hello` is being looked at; what follows it waits. */
  waiting: (string | undefined)[] | undefined;
  waitingChars: number;
  /** Pings and pongs before it is let in. */
  beats: number;
};

export type GatewayParts = {
  readonly chat: Chat;
  readonly identify: Identify;
  readonly entrance: Entrance;
  readonly addresses: AddressLimits;
  readonly meter: Meter;
  readonly fault: (error: unknown) => void;
};

/** Frames, and characters of them, that wait until the `hello` before them was looked at. */
const WAITING_FRAMES = 64;
const WAITING_CHARS = 262_144;

export class Gateway implements Omit<Handlers<Visitor>, 'http'> {
  private readonly connections = new Map<Line, Connection>();
  private readonly now: Cell;
  private readonly opened: Cell;
  private draining = false;

  constructor(private readonly parts: GatewayParts) {
    this.now = parts.meter.cell('skein_connections', 'websocket');
    this.opened = parts.meter.cell('skein_connections_opened_total', 'websocket');
  }

  upgrade(request: Request): Admission<Visitor> | Promise<Admission<Visitor>> {
    if (request.path !== '/ws') return { refuse: failure('not_found') };
    if (this.draining) return { refuse: failure('unavailable', 'this node stops', 1000) };
    const bar = barTo(request, this.parts.entrance);
    if (bar !== undefined) return { refuse: failure('forbidden', bar) };
    const { addresses } = this.parts;
    const household = addresses.householdOf(request);
    const wait = addresses.waitToEnter(household);
    if (wait > 0) return { refuse: failure('rate_limited', 'too many connections of this address', wait) };
    const query = queryOf(request.query);
    const credentials = credentialsIn(request, query);
    if (credentials === undefined) return { refuse: failure('unauthorized') };
    const device = deviceIn(query);
    const ack = query.get('ack') ?? 'auto';
    if (device === undefined) return { refuse: failure('bad_request', DEVICE_FORM) };
    if (ack !== 'auto' && ack !== 'manual') return { refuse: failure('bad_request', 'ack: auto or manual') };
    const visitor: Visitor = { identity: undefined, device, ack, replace: query.get('replace') === '1', household };
    return credentials === 'none' ? { accept: visitor } : this.identify(visitor, credentials);
  }

  open(line: Line, visitor: Visitor): void {
    const connection: Connection = {
      line,
      visitor,
      session: undefined,
      helloTimer: undefined,
      waiting: undefined,
      waitingChars: 0,
      beats: 0,
    };
    this.connections.set(line, connection);
    this.now.value++;
    this.opened.value++;
    // Others of the address may have come since it was looked at.
    if (!this.parts.addresses.enter(visitor.household))
      return line.close(CLOSE.overloaded.code, CLOSE.overloaded.reason);
    if (visitor.identity) this.admit(connection, visitor.identity, visitor);
    else connection.helloTimer = setTimeout(() => turnAway(line), HELLO_MS);
  }

  message(line: Line, text: string | undefined): void {
    const connection = this.connections.get(line);
    if (connection === undefined) return;
    if (connection.session) return this.parts.chat.take(connection.session, text);
    if (connection.waiting) {
      connection.waitingChars += text?.length ?? 0;
      const frames = connection.waiting.push(text);
      if (frames > WAITING_FRAMES || connection.waitingChars > WAITING_CHARS) tooFast(line);
      return;
    }
    connection.waiting = [];
    void this.hello(connection, text);
  }

  ping(line: Line): void {
    const connection = this.connections.get(line);
    if (connection?.session) this.parts.chat.beat(connection.session);
    else if (connection && ++connection.beats > WAITING_FRAMES) tooFast(line);
  }

  pong(line: Line, payload: string): void {
    const session = this.connections.get(line)?.session;
    if (session) this.parts.chat.pong(session, payload);
    else this.ping(line);
  }

  drain(line: Line): void {
    const session = this.connections.get(line)?.session;
    if (session) this.parts.chat.drain(session);
  }

  close(line: Line, code: number, byClient: boolean): void {
    const connection = this.connections.get(line);
    if (connection === undefined) return;
    this.connections.delete(line);
    this.parts.addresses.leave(connection.visitor.household);
    clearTimeout(connection.helloTimer);
    this.now.value--;
    this.parts.meter.cell('skein_connections_closed_total', String(code)).value++;
    if (code === CLOSE.rateLimited.code) this.flooded(connection);
    if (connection.session) this.parts.chat.close(connection.session, byClient && code !== 1006);
  }

  /** Else whoever floods would come back with a rate as good as new. */
  private flooded({ visitor, session }: Connection): void {
    this.parts.addresses.flooded(visitor.household);
    if (session) this.parts.chat.flooded(session);
  }

  /** From now on nobody new is let in. */
  closeDoors(): void {
    this.draining = true;
    this.parts.chat.streams.closeDoors();
  }

  /**
   * Sends everybody elsewhere, streams included: `reconnect` with delays spread over `windowMs`, then 1012, in rounds.
   * Resolves when the last one was told; what is in hand of each is answered first.
   */
  async sendAway(windowMs: number): Promise<void> {
    const lines = this.lines();
    const rounds = Math.max(1, Math.min(10, Math.floor(windowMs / 200)));
    const spread = Math.max(500, windowMs / 2);
    const perRound = Math.ceil(lines.length / rounds);
    for (let at = 0; at < lines.length; at += perRound) {
      const round = lines.slice(at, at + perRound);
      for (const line of round) line.send(encode({ type: 'reconnect', after: Math.floor(Math.random() * spread) }));
      await this.parts.chat.commits.settled();
      for (const line of round) line.close(CLOSE.restart.code, CLOSE.restart.reason);
      if (at + perRound < lines.length) await new Promise((resolve) => setTimeout(resolve, windowMs / rounds / 2));
    }
  }

  /** Admits who an upgrade says it is from. */
  private identify(visitor: Visitor, credentials: Credentials): Admission<Visitor> | Promise<Admission<Visitor>> {
    const { addresses, identify } = this.parts;
    const wait = addresses.waitToLogIn(visitor.household);
    if (wait > 0) return { refuse: failure('rate_limited', 'too many log-ins from this address', wait) };
    const admission = (identity: Identity | undefined): Admission<Visitor> => {
      if (identity !== undefined) {
        visitor.identity = identity;
        return { accept: visitor };
      }
      addresses.failed(visitor.household);
      return { refuse: failure('unauthorized') };
    };
    const identity = identify(credentials);
    return identity instanceof Promise ? identity.then(admission, unproven) : admission(identity);
  }

  private lines(): readonly Line[] {
    return [...this.connections.keys(), ...this.parts.chat.streams.lines()];
  }

  private async hello(connection: Connection, text: string | undefined): Promise<void> {
    const frame = text === undefined ? undefined : decode(text);
    if (frame?.type !== 'hello') return turnAway(connection.line);
    const { addresses } = this.parts;
    const { household } = connection.visitor;
    if (addresses.waitToLogIn(household) > 0) return tooFast(connection.line);
    let identity: Identity | undefined;
    try {
      identity = await this.parts.identify(frame.token === undefined ? { uid: frame.uid } : { token: frame.token });
    } catch (error) {
      if (!(error instanceof Unavailable)) this.parts.fault(error);
      return connection.line.close(CLOSE.overloaded.code, CLOSE.overloaded.reason);
    }
    if (identity === undefined) {
      addresses.failed(household);
      return turnAway(connection.line);
    }
    clearTimeout(connection.helloTimer);
    if (!this.connections.has(connection.line)) return;
    const { device, ack, replace } = connection.visitor;
    const isDefault = frame.device === undefined || frame.device === DEFAULT_DEVICE;
    this.admit(connection, identity, {
      device: isDefault ? device : (frame.device ?? device),
      ack: frame.ack ?? ack,
      replace: frame.replace ?? replace,
    });
    const waiting = connection.waiting ?? [];
    connection.waiting = undefined;
    for (const each of waiting) this.message(connection.line, each);
  }

  private admit(
    connection: Connection,
    identity: Identity,
    options: Pick<Visitor, 'device' | 'ack' | 'replace'>,
  ): void {
    const { device, ack, replace } = options;
    connection.session = this.parts.chat.admit(connection.line, { identity, device, ack, replace });
  }
}

const turnAway = (line: Line): void => line.close(CLOSE.unauthorized.code, CLOSE.unauthorized.reason);
/** Nobody can say now whether the credentials are good. */
function unproven(error: unknown): Admission<never> {
  if (!(error instanceof Unavailable)) throw error;
  return { refuse: failure('unavailable', 'the issuer of the tokens cannot be reached', retryAfter()) };
}

const tooFast = (line: Line): void => line.close(CLOSE.rateLimited.code, CLOSE.rateLimited.reason);

export const upgradeRequired = () =>
  json('{"error":{"code":"bad_request","message":"this is a WebSocket; upgrade"}}', 426, { upgrade: 'websocket' });
