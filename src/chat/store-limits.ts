/** Bounds that a backend enforces where it stores. */
export type StoreLimits = {
  /** Pending direct messages of one conversation for one receiver. */
  readonly pendingMessages: number;
  readonly pendingBytes: number;
  /** Of one sender, to a uid that no device ever used: messages a conversation, and such conversations. */
  readonly strangerMessages: number;
  readonly strangers: number;
  /** Direct conversations of one user, as long as anything is known of them. */
  readonly conversations: number;
  /** Entries that a log keeps beyond what is pending. */
  readonly retentionMessages: number;
  /** Idle time after which a log expires, what is pending in it included. */
  readonly retentionMs: number;
  readonly dedupMs: number;
  /** Devices of a user that are remembered, and for how long after they were last seen. */
  readonly devices: number;
  readonly deviceMs: number;
};
