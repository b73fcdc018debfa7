/** Frames as an independent reader of the protocol sees them: the members that matter here. */
export interface Frame {
  readonly type: string;
  readonly id?: string;
  readonly conv?: string;
  readonly seq?: number;
  readonly sender?: string;
  readonly data?: unknown;
  readonly dup?: boolean;
  readonly op?: string;
  readonly code?: string;
  readonly message?: string;
  readonly retry?: number;
  readonly uid?: string;
  readonly room?: string;
  readonly from?: number;
  readonly to?: number;
  readonly reason?: string;
}

/** A frame of a client: any JSON object. */
export type Outgoing = Readonly<Record<string, unknown>>;

/** Whom a message is for. */
export type Target = { readonly receiver: string } | { readonly room: string } | { readonly broadcast: true };

/** The conversation that a sender's message goes to. The uids of a run are ASCII: code units compare like code points. */
export function convOf(sender: string, target: Target): string {
  if ('room' in target) return `room:${target.room}`;
  if ('broadcast' in target) return 'all';
  const { receiver } = target;
  return sender <= receiver ? `dm:${sender}:${receiver}` : `dm:${receiver}:${sender}`;
}
