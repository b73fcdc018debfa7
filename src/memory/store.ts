import type { ConnId } from '../chat/ports.js';
import type { Ban } from '../chat/social-ports.js';
import type { StoreLimits } from '../chat/store-limits.js';
import { type Conv, type DeviceId, isDm, type Role, type RoomId, sidesOf, type Uid } from '../protocol/index.js';
import { Journal } from './journal.js';

const ROOM = 'room:';

export type Device = {
  /** Conversation → the seq up to which this device has everything. */
  readonly cursors: Map<Conv, number>;
  /** Number of a poll → what its answer held. */
  readonly polls: Map<number, readonly (readonly [Conv, number])[]>;
  seenMs: number;
  /** Up to which move of positions (Store.moves) the device was given the receipts. */
  toldMoves: number;
};

/** How far a user is in a conversation, on whichever device. */
export type Position = { delivered: number; read: number; moved: number; told: Told };
/** What the other side of a dm may know of a position: it stands still where the user blocks that side. */
export type Told = { readonly delivered: number; readonly read: number; readonly moved: number };

export type User = {
  readonly uid: Uid;
  /** Least recently seen first. */
  readonly devices: Map<DeviceId, Device>;
  readonly conns: Map<ConnId, DeviceId | undefined>;
  readonly positions: Map<Conv, Position>;
  /** Direct conversations that have an entry, or had one that expired unread. */
  readonly box: Set<Conv>;
  /** Rooms → the seq before the entry that admitted the user. */
  readonly rooms: Map<RoomId, number>;
  /** Direct conversations with somebody who was never there, to whom this user wrote. */
  readonly strangers: Set<Conv>;
  readonly blocks: Set<Uid>;
  /** The head of `all` when the first device came: nothing before it counts as unread. */
  beganInAll: number;
  wasSeen: boolean;
  lastSeen: number;
  activeMs: number;
};

/** `since`: the seq before the entry that admitted the member, at `sinceMs`. */
export type Membership = { readonly role: Role; readonly since: number; readonly sinceMs: number };

export type Room = {
  name: string;
  private: boolean;
  /** In the order of joining. */
  readonly members: Map<Uid, Membership>;
  /** The members in code-point order, made when asked for. */
  sorted: readonly Uid[] | undefined;
};

/** All that the embedded backend knows. */
export class Store {
  readonly journals = new Map<Conv, Journal>();
  readonly users = new Map<Uid, User>();
  readonly rooms = new Map<RoomId, Room>();
  /** By what they are for. */
  readonly bans = new Map<string, Ban>();
  /** Counts the moves of positions: tells apart what one millisecond does not. */
  moves = 0;
  polls = 0;
  /** The highest seq of any log that is forgotten. */
  private highest = 0;

  constructor(
    readonly limits: StoreLimits,
    readonly now: () => number,
  ) {}

  /** The log of a conversation; without its entries where it was idle for too long, whether it was swept or not. */
  journal(conv: Conv): Journal | undefined {
    const journal = this.journals.get(conv);
    if (journal !== undefined && this.now() - journal.lastTs >= this.limits.retentionMs) journal.expire();
    return journal;
  }

  /** As `journal`; where there is none an empty one, which is not kept before it has an entry. */
  openJournal(conv: Conv): Journal {
    return this.journal(conv) ?? new Journal(conv, this.highest);
  }

  head(conv: Conv): number {
    return this.journals.get(conv)?.head ?? 0;
  }

  user(uid: Uid): User {
    let user = this.users.get(uid);
    if (user === undefined) {
      user = newUser(uid);
      this.users.set(uid, user);
    }
    user.activeMs = this.now();
    return user;
  }

  /** Forgets a log and what was known about its readers. */
  forgetJournal(conv: Conv, readers: Iterable<Uid>): void {
    this.highest = Math.max(this.highest, this.head(conv));
    this.journals.delete(conv);
    for (const uid of readers) this.forgetReader(uid, conv);
  }

  /** Forgets where a user was in a conversation. */
  forgetReader(uid: Uid, conv: Conv): void {
    const user = this.users.get(uid);
    if (user === undefined) return;
    user.positions.delete(conv);
    user.box.delete(conv);
    user.strangers.delete(conv);
    for (const device of user.devices.values()) device.cursors.delete(conv);
  }

  /** A side of a dm is no stranger to the other one any more. */
  acquaint(uid: Uid, conv: Conv): void {
    if (isDm(conv)) this.users.get(peerOf(conv, uid))?.strangers.delete(conv);
  }
}

/** The room whose conversation it is; undefined of another kind. */
export const roomOf = (conv: Conv): RoomId | undefined =>
  conv.startsWith(ROOM) ? (conv.slice(ROOM.length) as RoomId) : undefined;

/** The other side of a dm; of notes to self, oneself. */
export function peerOf(dm: Conv, uid: Uid): Uid {
  const [a, b] = sidesOf(dm);
  return a === uid ? b : a;
}

function newUser(uid: Uid): User {
  return {
    uid,
    devices: new Map(),
    conns: new Map(),
    positions: new Map(),
    box: new Set(),
    rooms: new Map(),
    strangers: new Set(),
    blocks: new Set(),
    beganInAll: 0,
    wasSeen: false,
    lastSeen: 0,
    activeMs: 0,
  };
}
