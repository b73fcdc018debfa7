import type { AckMode, CloseReason, Conv, DeviceId, Uid } from '../protocol/index.js';
import { CLOSE, HEARTBEAT_SECONDS } from '../protocol/index.js';
import type { Bucket } from './bucket.js';
import type { Feed } from './feed.js';
import type { Line } from './line.js';
import type { ConnId } from './ports.js';

/** Who somebody proved to be. */
export type Identity = {
  readonly uid: Uid;
  /** Milliseconds since 1970 at which the credentials end; undefined: never. */
  readonly expires?: number | undefined;
  readonly mayBroadcast: boolean;
  /** The `jti` of the token that proved it. */
  readonly tokenId?: string | undefined;
};

/** A frame that waits for its turn: it goes out when all lower seqs of its conversation have. */
export type Held = { readonly frame: string; readonly isSent: boolean };

/** How far one conversation has come on one connection. */
export type Track = {
  readonly conv: Conv;
  /** Where it began. */
  readonly from: number;
  /** A member of the room again, from after this seq on, once they have been told of leaving it. */
  regained: number | undefined;
  /** The last seq written to the line; -1: not known yet, the device's cursor is to be read. */
  pos: number;
  /** The highest seq known to exist. */
  target: number;
  /** The next entry can be written as it comes. For a feed: the line is subscribed, and feed.pos is its position. */
  level: boolean;
  readonly feed: Feed | undefined;
  held: Map<number, Held> | undefined;
  /** What the client was confirmed to have (`ack=auto`). */
  confirmed: number;
  dirty: boolean;
  /** Part of the backlog: `synced` waits for it. */
  backlog: boolean;
};

export type SessionOptions = {
  readonly conn: ConnId;
  readonly line: Line;
  readonly identity: Identity;
  readonly device: DeviceId;
  readonly ack: AckMode;
  readonly replace: boolean;
  /** Makes its allowance, when it first says something. */
  readonly allow: () => Allowance;
};

/** What a connection may say. */
export type Allowance = { readonly sends: Bucket; readonly marks: Bucket; readonly bytes: Bucket };

/**
 * One logged-in connection. Only its own modules change it; nothing of it outlives the line. What most connections never
 * need is not made with them: the memory that each keeps is a good part of what its log-in costs.
 */
export class Session {
  readonly conn: ConnId;
  readonly line: Line;
  readonly device: DeviceId;
  readonly ack: AckMode;
  readonly replace: boolean;
  private readonly allow: () => Allowance;
  /** The allowance of a connection that has said something. */
  allowed: Allowance | undefined;
  identity: Identity;
  readonly tracks = new Map<Conv, Track>();
  /** Tracks that are behind and have to be read from the log. */
  behind: Set<Track> | undefined;
  reading = false;
  lagging = false;
  closed = false;
  /** The welcome is out; before that, frames wait in `inbox`. */
  arrived = false;
  /** Hints that came before the welcome: the highest seq of a dm, the seq before the first entry of a gained room. */
  hinted: Map<Conv, number> | undefined;
  gained: Map<Conv, number> | undefined;
  inbox: (string | undefined)[] | undefined;
  inboxBytes = 0;
  synced = false;
  backlog = 0;
  /** Sends of this connection without an answer yet. */
  inFlight = 0;
  /** Requests for pages and the like without an answer yet. */
  queries = 0;
  badInARow = 0;
  /** Conversations with a failed send: a later one with `try` up to this is refused. */
  failed: Map<Conv, number> | undefined;
  /** The same for every conversation, once too many have failed to be remembered one by one. */
  failedAnywhere = -1;
  /** Tracks with entries that no pong has confirmed. */
  dirty: Track[] | undefined;
  /** What the ping under way will confirm. */
  asked: { readonly payload: string; readonly upTo: readonly (readonly [Track, number])[] } | undefined;
  /** These in whole milliseconds: other numbers are objects of their own. */
  lastAsked = 0;
  lastPong: number;
  /** When it is pinged if it says nothing until then. */
  pingAt: number;
  /** Pings that it has not answered. */
  pings = 0;
  /** The beat at which it is looked at next. */
  lookAt = 0;
  lastTyping: Map<Conv, number> | undefined;

  constructor(options: SessionOptions, now: number) {
    this.conn = options.conn;
    this.line = options.line;
    this.identity = options.identity;
    this.device = options.device;
    this.ack = options.ack;
    this.replace = options.replace;
    this.allow = options.allow;
    this.lastPong = Math.floor(now);
    // Who came at one moment is not to be asked at one moment for ever.
    this.pingAt = this.lastPong + Math.floor(HEARTBEAT_SECONDS * (500 + Math.random() * 500));
  }

  get uid(): Uid {
    return this.identity.uid;
  }

  get allowance(): Allowance {
    this.allowed ??= this.allow();
    return this.allowed;
  }

  /** A conversation is to be read from the log. */
  fallBehind(track: Track): void {
    this.behind ??= new Set();
    this.behind.add(track);
  }

  close(reason: CloseReason): void {
    this.line.close(CLOSE[reason].code, CLOSE[reason].reason);
  }
}

/** The last seq of a conversation that was written to the connection. */
export const positionOf = (track: Track): number => (track.level && track.feed ? track.feed.pos : track.pos);
