/** Any frame of a server, as an independent reader of the protocol sees it: the members it may have. */
export interface Frame {
  readonly type: string;
  readonly id?: string;
  readonly conv?: string;
  readonly seq?: number;
  readonly sender?: string;
  readonly receiver?: string;
  readonly room?: string;
  readonly broadcast?: boolean;
  readonly data?: unknown;
  readonly ts?: number;
  readonly dup?: boolean;
  readonly op?: string;
  readonly code?: string;
  readonly message?: string;
  readonly retry?: number;
  readonly uid?: string;
  readonly device?: string;
  readonly node?: string;
  readonly conn?: string;
  readonly heartbeat?: number;
  readonly limits?: { readonly frame: number; readonly rate: number; readonly dedup: number };
  readonly protocol?: number;
  readonly from?: number;
  readonly to?: number;
  readonly reason?: string;
  readonly after?: number;
  readonly messages?: readonly Frame[];
  readonly more?: boolean;
  readonly members?: readonly Member[];
  readonly online?: boolean;
  readonly lastSeen?: number;
  readonly ref?: number;
  readonly emoji?: string;
  readonly on?: boolean;
  readonly edited?: boolean;
  readonly recalled?: boolean;
  readonly blocked?: boolean;
  readonly reactions?: unknown;
  readonly delivered?: number;
  readonly read?: number;
  readonly conversations?: readonly Conversation[];
}

/** One line of the list of somebody's conversations. */
export interface Conversation {
  readonly conv: string;
  readonly head: number;
  readonly read: number;
  readonly unread: number;
  readonly last?: Frame;
  readonly peer?: { readonly delivered: number; readonly read: number };
}

export interface Member {
  readonly uid: string;
  readonly role: string;
  readonly online: boolean;
}

/** A frame of a client: any JSON object, right or wrong. */
export type Outgoing = Readonly<Record<string, unknown>>;

/** The conversation of two users: smaller uid first by code point, which is the order of UTF-8 bytes. */
export function dmOf(a: string, b: string): string {
  const [first, second] = Buffer.compare(Buffer.from(a), Buffer.from(b)) <= 0 ? [a, b] : [b, a];
  return `dm:${first}:${second}`;
}
