/** Where the outbox keeps what is not stored by the server yet. */
import type { Json, MessageId, RoomId, Uid } from '../protocol/index.js';
import type { FailureCode } from './failure.js';

/** Exactly one addressee: a user, a room, or everybody. */
export type Target =
  | { readonly receiver: Uid; readonly room?: never; readonly broadcast?: never }
  | { readonly room: RoomId; readonly receiver?: never; readonly broadcast?: never }
  | { readonly broadcast: true; readonly receiver?: never; readonly room?: never };

/** One message on its way, as plain data: it may be cloned, or written as JSON. */
export type OutboxEntry = {
  readonly id: MessageId;
  readonly target: Target;
  readonly data: Json;
  /** Messages go out in this order; it grows, over reloads too. */
  readonly order: number;
  /** Milliseconds since 1970 by this machine's clock. */
  readonly createdAt: number;
  /** The server refused it for good; it waits for retry() or discard(). */
  readonly failed?: { readonly code: FailureCode; readonly message: string };
};

/**
 * Storage of one user and device. Several tabs may use the same one at a time. A method that rejects is reported as
 * `error`, and the outbox goes on from memory.
 */
export interface OutboxStorage {
  /** All entries, in any order. */
  load(): Promise<readonly OutboxEntry[]>;
  /** Writes an entry under its id, over what was there. Resolved: it survives a reload. */
  put(entry: OutboxEntry): Promise<void>;
  /** Removes an entry; one that is not there is no error. */
  delete(id: MessageId): Promise<void>;
}

/** Keeps nothing beyond this process: what `Client` uses where it is given no other storage. */
export function memoryStorage(): OutboxStorage {
  const entries = new Map<MessageId, OutboxEntry>();
  return {
    load: async () => [...entries.values()],
    put: async (entry) => void entries.set(entry.id, entry),
    delete: async (id) => void entries.delete(id),
  };
}
