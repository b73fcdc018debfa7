/** The client of Skein, for browsers and Node. */
export type {
  Conv,
  ConversationSummary,
  DeviceId,
  ErrorCode,
  Json,
  Member,
  MessageFrame,
  MessageId,
  ReceiptFrame,
  Role,
  RoomId,
  TruncatedFrame,
  Uid,
} from '../protocol/index.js';
export type { Backoff } from './backoff.js';
export { Client, type ClientOptions, type ConvName, type Draft, type PageOf, type Timing, type To } from './client.js';
export type { Identity } from './credentials.js';
export type { Events } from './exchange.js';
export { type FailureCode, SkeinError } from './failure.js';
export { indexedDbStorage } from './indexeddb.js';
export type { Outgoing, OutgoingState, Stored } from './outgoing.js';
export type { Peer } from './outgoings.js';
export { STATE, type State, type Status } from './status.js';
export { memoryStorage, type OutboxEntry, type OutboxStorage, type Target } from './storage.js';
export { shareTabs, type TabSharing } from './tabs.js';
export type { TransportName } from './transports/link.js';
