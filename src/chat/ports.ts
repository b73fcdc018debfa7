/**
 * What the domain asks of a backend. The memory backend and the Redis backend keep the same laws; test/contract holds
 * both to them. Times are milliseconds, sizes bytes, positions `seq`s. Every method that returns a promise rejects
 * with Unavailable, after a bounded wait, when the store cannot be reached or refuses; whether a write took effect is
 * then unknown.
 */
import type { Conv, DeviceId, ErrorCode, MessageId, ReceiptFrame, Role, RoomId, Uid } from '../protocol/index.js';
import type { Item } from './item.js';
import type { SocialListener, SocialPorts } from './social-ports.js';

/** The store did not answer, or refused as a whole (out of memory, read-only, loading). */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

/** One incarnation of a node: unique for ever, so that what a dead one left behind belongs to nobody. */
export type NodeId = string;
/** One connection of a client to a node, unique for ever. */
export type ConnId = string;

/** A message that wants a place in a log. */
export type Letter = {
  readonly conv: Conv;
  readonly sender: Uid;
  /** Idempotency key, unique for sender and conversation. */
  readonly id?: MessageId | undefined;
  /** The frame behind its ts; see item.ts. */
  readonly tail: string;
  /** The service itself vouches for the sender, who needs to be no member of the room. */
  readonly isVouched?: boolean;
  /** Its tail holds an `op`. Only Amendments.amend stores such a letter. */
  readonly isOp?: boolean;
  /** Comes back in the hint of a room's or everybody's entry on the node that stored it. A positive integer. */
  readonly ref: number;
};

export type Outcome =
  | {
      readonly seq: number;
      readonly ts: number;
      readonly dup: boolean;
      readonly first: boolean;
      readonly readMoved: boolean;
    }
  | { readonly refused: ErrorCode };

/** A stretch of a log, oldest first. */
export type Slice = {
  readonly items: readonly Item[];
  /** The last seq of the log; 0 where there never was an entry. */
  readonly head: number;
  /** The first seq that the log ever had; 0 where there never was an entry. */
  readonly origin: number;
  /** Entries up to this seq are gone, 0 if none, and why. */
  readonly gone: number;
  readonly goneBy: 'retention' | 'expired';
  /** Where the reading began: the seq asked for, or the device's cursor. */
  readonly after: number;
};

export interface Log {
  /** Milliseconds between calls of `append` that are worth waiting for company; 0 where a call costs nothing by itself. */
  readonly gap: number;

  /**
   * Stores letters in the order given, each wholly or not at all, and each once: a letter whose id is known within the
   * dedup time is answered with its first place and `dup`. Side effects of a stored letter, in the same step: its
   * conversation is in the box of both sides (`dm`); the sender has read the conversation up to it; every other node
   * that holds a side of the `dm` gets the item through Listener.onDirect, a duplicate once more; every node that
   * follows the room or `all`, this one included, gets it through Listener.onFeed. `readMoved`: the sender had not
   * read all before it. Refusals: box_full, not_member, not_found (no such room), internal (a broken key; the same
   * conversation's later letters of the batch are refused with it).
   */
  append(letters: readonly Letter[]): Promise<readonly Outcome[]>;

  /**
   * Entries above a position, oldest first: at most `limit` of them and about `bytes`, at least one if there is one.
   * `after` may be a device, which stands for its cursor in this conversation.
   */
  read(conv: Conv, after: number | Reader, limit: number, bytes: number): Promise<Slice>;

  /**
   * A page of history, oldest first: the entries below `before`, above `after`, or the newest; never below `floor`.
   * `more`: there is more in the direction of reading.
   */
  page(conv: Conv, page: PageRequest): Promise<{ readonly items: readonly Item[]; readonly more: boolean }>;

  /** The last seq of each log, 0 where there is none. */
  heads(convs: readonly Conv[]): Promise<readonly number[]>;
}

export type Reader = { readonly uid: Uid; readonly device: DeviceId };

export type PageRequest = {
  readonly before?: number | undefined;
  readonly after?: number | undefined;
  readonly limit: number;
  readonly bytes: number;
  /** Entries up to this seq stay hidden; 0: none. */
  readonly floor: number;
};

/** A conversation and how far a device has acknowledged it. */
export type Standing = { readonly conv: Conv; readonly cursor: number; readonly head: number };

/** What a connection needs to know when it arrives. */
export type Arrival = {
  /** The store's time. */
  readonly ts: number;
  /** Direct conversations with entries above the device's cursor. */
  readonly pending: readonly Standing[];
  /** `all` and every room of the user, pending or not. */
  readonly feeds: readonly Standing[];
  /** Receipts that moved since the device was last seen: of dm peers, and the user's own. */
  readonly receipts: readonly Receipt[];
  /** Whom the user blocks. */
  readonly blocks: readonly Uid[];
  /** Conversations that had to be looked at for this: what it cost. */
  readonly looked: number;
};

export type Receipt = Omit<ReceiptFrame, 'type'>;

/** A cursor moves: what a device acknowledged, what a user read. */
export type Mark = {
  readonly uid: Uid;
  readonly conv: Conv;
  /** Given together: this device has everything up to `delivered`. */
  readonly device?: DeviceId | undefined;
  readonly delivered?: number | undefined;
  readonly read?: number | undefined;
  /** The other side of the dm is blocked and gets no receipt. */
  readonly silent?: boolean | undefined;
  /** Hint the receipt even if nothing moves: the store moved it already when the user's own message came. */
  readonly announce?: boolean | undefined;
};

/** `receipt` is there if the user's delivered or read moved (or was announced). Refused: bad_request (beyond the
 * head), not_member. */
export type MarkOutcome = { readonly receipt?: Receipt | undefined } | { readonly refused: ErrorCode };

export interface Devices {
  /**
   * A connection of a device arrives: its user is online at this node until `leave`, and the device is remembered. A
   * device seen for the first time starts at what the user's other devices acknowledged; a user seen for the first
   * time has every direct message pending, and of `all` what comes after.
   */
  enter(reader: Reader, conn: ConnId): Promise<Arrival>;
  /** The connection is gone. Removes this connection and no other. */
  leave(uid: Uid, conn: ConnId): Promise<void>;
  /** Puts connections of this node back that the store may have lost, as `enter` did, without reading anything. */
  assert(conns: readonly { readonly uid: Uid; readonly conn: ConnId }[]): Promise<void>;
  /**
   * Direct conversations and feeds as in an Arrival, but only direct ones with an entry stored since `since`
   * (milliseconds; 0: all that may be pending). For polls, and for a node that may have missed hints.
   */
  pending(reader: Reader, since: number): Promise<Pick<Arrival, 'pending' | 'feeds' | 'ts' | 'looked'>>;
  /**
   * Moves cursors and read positions, never backwards, and hints the receipts that moved to every other node that
   * holds the other side of the dm or another socket of the user. One outcome for each mark, in order.
   */
  mark(marks: readonly Mark[]): Promise<readonly MarkOutcome[]>;
  /** Remembers what the answer of a poll held, the newest 32 a device; returns its number, which grows. */
  savePoll(reader: Reader, held: readonly (readonly [Conv, number])[]): Promise<number>;
  /** What a poll's answer held; undefined if that is forgotten. */
  openPoll(reader: Reader, poll: number): Promise<readonly (readonly [Conv, number])[] | undefined>;
}

export type Online = { readonly uid: Uid; readonly online: boolean /** 0: never. */; readonly lastSeen: number };

export interface Presence {
  online(uids: readonly Uid[]): Promise<readonly Online[]>;
}

export type RoomFacts = {
  readonly exists: boolean;
  readonly name: string;
  readonly private: boolean;
  readonly members: number;
  /**
   * For each uid asked about, in order: their role, or undefined; the seq before the entry that admitted them; and in
   * how many rooms they are.
   */
  readonly asked: readonly { readonly role: Role | undefined; readonly since: number; readonly rooms: number }[];
};

/** A change of a room, decided by the policy on facts that the backend compares again when it carries it out. */
export type RoomChange = {
  readonly room: RoomId;
  /** The facts that the decision rests on. */
  readonly expect: {
    readonly exists: boolean;
    readonly private: boolean;
    readonly roles: readonly (readonly [Uid, Role | undefined])[];
  };
  /** Created or changed properties. */
  readonly meta?: { readonly name: string; readonly private: boolean } | undefined;
  /** New roles; undefined: no longer a member. A room without members is deleted, with its log. */
  readonly roles: readonly (readonly [Uid, Role | undefined])[];
  /** Who did it, and the system entries' tails, in order. */
  readonly sender: Uid;
  readonly tails: readonly string[];
  readonly delete?: boolean | undefined;
};

export interface Rooms {
  facts(room: RoomId, uids: readonly Uid[]): Promise<RoomFacts>;
  /**
   * Carries a change out, wholly or not at all. Its entries are hinted as in Log.append; who gained or lost a room is
   * hinted through Listener.onMembership to the nodes that hold them, this one included, before the entries. `changed`: the
   * expected facts no longer hold. `seq` is the last entry's.
   */
  change(change: RoomChange): Promise<{ readonly seq: number; readonly ts: number } | 'changed'>;
  /** Members by uid in code-point order, above `after`. */
  members(
    room: RoomId,
    after: Uid | undefined,
    limit: number,
  ): Promise<readonly { readonly uid: Uid; readonly role: Role }[]>;
  /** Who becomes owner when `leaver` goes: the longest-serving admin, else member. */
  heir(room: RoomId, leaver: Uid): Promise<Uid | undefined>;
}

/** Frames that are never stored. */
export interface Whispers {
  /** To every socket of these users, on other nodes only. */
  toUsers(uids: readonly Uid[], frame: string): Promise<void>;
  /** To every socket in a room, on all nodes, this one included, through Listener.onRoomFrame. */
  toRoom(conv: Conv, sender: Uid, frame: string): Promise<void>;
}

/**
 * Hints from the backend. All of them may be lost; those of one conversation come in the order in which it was stored.
 * None may throw.
 */
export interface Listener extends SocialListener {
  /** An entry of a dm that another node stored and of which this node holds a side. Returns whether it did. */
  onDirect(item: Item): boolean;
  /** An entry of a room or of `all`. `ref` is the letter's, if this node stored it, else 0. */
  onFeed(conv: Conv, item: Item, ref: number): void;
  /** A frame for every socket of a user. Returns whether this node holds the user. */
  onFrame(uid: Uid, frame: string): boolean;
  /** A frame for every socket in a room but its sender's. */
  onRoomFrame(conv: Conv, sender: Uid, frame: string): void;
  /** A user gained (`since` is the seq before the first entry that is theirs) or lost (undefined) a room. */
  onMembership(uid: Uid, conv: Conv, since: number | undefined): void;
  /** Hints may have been lost since a time in milliseconds of the store's clock: look what the local users missed. */
  onLost(since: number): void;
  /** The store was away and is back, or this node's lease ran out: put the local users' presence back. */
  onReturn(): void;
}

/** Why a node is not, or not fully, fit for traffic. */
export type Health = {
  /** The store takes writes and the pub/sub canary is alive. */
  readonly ready: boolean;
  /** Seconds since the node last heard its own canary; 0 where there is none. */
  readonly canaryAge: number;
  /** In words for an operator: why it is not ready, and what is weak though it is. */
  readonly reasons: readonly string[];
};

export interface Backend extends SocialPorts {
  readonly kind: 'memory' | 'redis';
  readonly log: Log;
  readonly devices: Devices;
  readonly presence: Presence;
  readonly rooms: Rooms;
  readonly whispers: Whispers;
  /** Connects, and begins to hint. Rejects with a message for the operator where the store is unfit. */
  start(node: NodeId, listener: Listener): Promise<void>;
  /**
   * From now on this node is hinted the entries of a room or of `all`, until `unfollow`. Resolves when that is so; an
   * entry stored after that is hinted. Calls nest: as many unfollows as follows end it.
   */
  follow(conv: Conv): Promise<void>;
  unfollow(conv: Conv): void;
  /** The key that all nodes of one store share, made once: signs tokens and cursors. */
  secret(): Promise<string>;
  health(): Health;
  /** Leaves presence and lease behind clean, and disconnects. */
  close(): Promise<void>;
}
