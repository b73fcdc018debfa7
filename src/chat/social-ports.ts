/**
 * What the domain asks of a backend beyond the way of a message: changing what was said, the list of conversations,
 * blocks, bans, erasing, and words between nodes. The rules of ports.ts hold here, too.
 */
import type { Conv, DeviceId, Uid } from '../protocol/index.js';
import type { Item } from './item.js';
import type { Letter, Outcome } from './ports.js';

/** An entry with an `op`, and what it makes of earlier entries. */
export type Amendment = {
  readonly letter: Letter;
  readonly op: 'recall' | 'edit' | 'react';
  /** The seq of the message that it changes. */
  readonly ref: number;
  /** Items to be replaced, each only if it is still as it was read. */
  readonly replace: readonly { readonly seq: number; readonly was: Item; readonly becomes: Item }[];
};

/** A message and the entries that edited it, as far as they are still there. */
export type Original = {
  readonly item: Item | undefined;
  readonly edits: readonly { readonly seq: number; readonly item: Item }[];
};

export interface Amendments {
  /** Reads a message and its edits. */
  original(conv: Conv, seq: number): Promise<Original>;
  /**
   * Stores the letter as Log.append does, with the op mark, deduplicated by its id before anything else and hinted
   * alike, and replaces the items in the same step. Never box_full, never counted as pending or unread. `changed`: one
   * of the items is no longer as it was read, and nothing was stored. Refused: not_member, not_found.
   */
  amend(amendment: Amendment): Promise<Outcome | 'changed'>;
}

/** A conversation in a user's list. */
export type Conversed = {
  readonly conv: Conv;
  readonly head: number;
  readonly read: number;
  /** Messages of others without `op` after `read`, as far as the log goes back. */
  readonly unread: number;
  /** The last entry without `op` that the user may read, if one is still there. */
  readonly last: Item | undefined;
  /** When that was stored, in milliseconds; without one, when the conversation began for the user. Orders the list. */
  readonly at: number;
  /** Of a dm: what the other side has. */
  readonly peer?: { readonly delivered: number; readonly read: number } | undefined;
};

export type Listed = {
  readonly conversations: readonly Conversed[];
  readonly more: boolean;
  /** Conversations that had to be looked at for this: what it cost. */
  readonly looked: number;
};

export interface Conversations {
  /** Conversations of a user by `at`, newest first, all below `before`: dms that have an entry, rooms, and `all`. */
  list(uid: Uid, before: number | undefined, limit: number): Promise<Listed>;
}

export interface Blocks {
  blocked(uid: Uid): Promise<readonly Uid[]>;
  /** Begins or ends to block somebody. At most 10,000 are kept; one more is refused (false). */
  block(uid: Uid, other: Uid, on: boolean): Promise<boolean>;
  /** Of these users, those that block `viewer`. */
  blockers(viewer: Uid, uids: readonly Uid[]): Promise<readonly Uid[]>;
}

/** Whom a ban is for: a user, one of their devices, or one token. */
export type Ban = { readonly uid: Uid; readonly device?: DeviceId | undefined; readonly tokenId?: string | undefined };

export interface Bans {
  /** All bans, the same array as long as nothing changed. Every node keeps them; Listener.onWord tells of changes. */
  all(): Promise<readonly Ban[]>;
  /** At most 100,000 are kept (false: no room). */
  set(ban: Ban, on: boolean): Promise<boolean>;
}

export interface Erasure {
  /**
   * Erases a user: every key of theirs is gone; they leave every room (the caller has done that before); their direct
   * conversations with others continue to exist for the other side under a new conversation with `alias` in the
   * user's place, all frames rewritten; notes to self are gone. Entries they wrote in rooms and `all` are rewritten
   * with `alias` as their sender as well. Safe to repeat after a failure.
   */
  erase(uid: Uid, alias: Uid): Promise<void>;
}

export interface Words {
  /** Says a word to every node, this one included, through Listener.onWord. At most a few thousand characters. */
  toNodes(word: string): Promise<void>;
}

export interface SocialPorts {
  readonly amendments: Amendments;
  readonly conversations: Conversations;
  readonly blocks: Blocks;
  readonly bans: Bans;
  readonly erasure: Erasure;
  readonly words: Words;
}

/** Hints that go with these ports; like all hints they may be lost. */
export interface SocialListener {
  /** A word from a node to all. */
  onWord(word: string): void;
  /** A dead node's users that are online nowhere now. */
  onGone(uids: readonly Uid[]): void;
}
