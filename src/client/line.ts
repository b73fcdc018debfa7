/** Who holds the connection for this client: itself (own-line.ts), or another tab (tab-line.ts). */
import type { ClientFrame, MessageId, ServerFrame, Uid } from '../protocol/index.js';
import type { Auth } from './credentials.js';
import type { Entry } from './inbox.js';
import type { Change } from './outbox.js';
import type { Status } from './status.js';
import type { OutboxEntry } from './storage.js';

export interface Line {
  connect(): void;
  /** Sends a frame if the line is up; else it is gone. */
  send(frame: ClientFrame): void;
  /** Puts an entry, which the storage has, into the outbox. Again: nothing. */
  submit(entry: OutboxEntry): void;
  /** A failed entry goes out again, at this place. */
  retry(id: MessageId, order: number): void;
  discard(id: MessageId): void;
  renew(auth: Auth): void;
  close(): Promise<void>;
}

export interface LineEvents {
  status(status: Status): void;
  /** Frames may be sent. What was not answered before will not be. */
  up(uid: Uid | undefined): void;
  down(): void;
  /** An entry of a log, to be judged by the cursor rule. `isRepeat`: it was stored by an earlier try. */
  entry(entry: Entry, isRepeat?: boolean): void;
  /** What is neither an entry nor about the outbox. `inPlace`: as in Facts. */
  frame(frame: ServerFrame, inPlace: boolean): void;
  /** What the outbox did. */
  change(change: Change): void;
  /** A request that the transport cannot carry. */
  unsupported(frame: ClientFrame): void;
  settled(): Promise<void>;
  /** Something went wrong that belongs to no request. */
  trouble(error: unknown): void;
}
