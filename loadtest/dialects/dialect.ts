/** How one kind of server is spoken to: as few bytes looked at as can be. */

/** What a frame of a server is to the generator. */
export const HEARD = {
  nothing: 0,
  /** Logged in: everything that was pending has come. */
  ready: 1,
  /** A message, which a stamp tells more of. */
  message: 2,
  /** A send is stored; see `Dialect.ackAt`. */
  ack: 3,
  /** A send was refused. */
  refusal: 4,
  /** `Dialect.reply` must be sent. */
  question: 5,
  joined: 6,
} as const;
export type Heard = (typeof HEARD)[keyof typeof HEARD];

/** Where messages go. */
export type Address = { readonly receiver: string } | { readonly room: string } | 'all';

/** A frame in parts: before the message's number, between that and the stamp, after the stamp. */
export type Template = readonly [before: string, between: string, after: string];

export interface Dialect {
  /** Whether the server tells a sender that a message is stored. */
  readonly isAcknowledging: boolean;
  /** Path and query of the WebSocket of a user; `room` is one to be in from the start. */
  path(uid: string, room: string | undefined): string;
  /** Sent as soon as the socket is open. */
  readonly greeting: string | undefined;
  /** The answer to a `question`. */
  reply(bytes: Buffer, from: number): string;
  template(address: Address, padding: string): Template;
  /** A request to join a room, where membership is not told by the path. */
  join(room: string): string | undefined;
  hear(bytes: Buffer, from: number, end: number): Heard;
  /** Where the number stands in an `ack` or a `refusal`, or -1. */
  ackAt(bytes: Buffer, from: number, end: number): number;
  /** The kind of address that an `ack` tells of. */
  ackOf(bytes: Buffer, numberAt: number): 'direct' | 'room' | 'all';
}

/** The member of a frame that says where a message goes: the same words for all servers. */
export function targetOf(address: Address): string {
  if (address === 'all') return '"broadcast":true';
  return 'receiver' in address ? `"receiver":"${address.receiver}"` : `"room":"${address.room}"`;
}
