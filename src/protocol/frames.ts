/**
 * The frames (protocol sections 3 and 4). One table of what a client may send, from which the types, the decoder
 * and the documentation's test come; and the types of what a server sends.
 */
import type { ErrorCode } from './codes.js';
import type { Conv, DeviceId, MessageId, RoomId, Uid } from './names.js';

/** Any JSON value. It is opaque to the server. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Every client frame type and its fields; `?` marks what may be left out. See decode.ts for what each kind admits. */
export const CLIENT_FRAMES = {
  hello: { uid: 'uid?', token: 'token?', device: 'device?', ack: 'ackMode?', replace: 'flag?' },
  send: { receiver: 'uid?', room: 'room?', broadcast: 'true?', data: 'data', try: 'count?' },
  ack: { conv: 'conv', seq: 'seq' },
  read: { conv: 'conv', seq: 'seq' },
  typing: { receiver: 'uid?', room: 'room?' },
  history: { conv: 'conv', before: 'seq?', after: 'position?', limit: 'limit?' },
  conversations: { limit: 'limit?', before: 'position?' },
  join: { room: 'room' },
  leave: { room: 'room' },
  members: { room: 'room', limit: 'limit?', after: 'uid?' },
  watch: { uids: 'uids' },
  unwatch: { uids: 'uids' },
  recall: { conv: 'conv', seq: 'seq' },
  edit: { conv: 'conv', seq: 'seq', data: 'data' },
  react: { conv: 'conv', seq: 'seq', emoji: 'emoji', on: 'boolean' },
  ping: {},
} as const;

export type ClientFrameType = keyof typeof CLIENT_FRAMES;

/** The TypeScript type of each kind of field. */
type FieldTypes = {
  uid: Uid;
  room: RoomId;
  device: DeviceId;
  conv: Conv;
  token: string;
  ackMode: AckMode;
  flag: boolean;
  true: true;
  data: Json;
  count: number;
  seq: number;
  position: number;
  limit: number;
  uids: readonly Uid[];
  emoji: string;
  boolean: boolean;
};
export type FieldKind = keyof FieldTypes;

export type AckMode = 'auto' | 'manual';

type Fields<T> = {
  readonly [K in keyof T as T[K] extends `${string}?` ? never : K]: T[K] extends FieldKind ? FieldTypes[T[K]] : never;
} & {
  readonly [K in keyof T as T[K] extends `${string}?` ? K : never]?: T[K] extends `${infer F extends FieldKind}?`
    ? FieldTypes[F]
    : never;
};

/** What a client sends, decoded: `{"type":…,"id"?:…}` and the fields of the table. */
export type ClientFrame = {
  readonly [T in ClientFrameType]: { readonly type: T; readonly id?: MessageId } & Fields<(typeof CLIENT_FRAMES)[T]>;
}[ClientFrameType];

export type FrameOf<T extends ClientFrameType> = Extract<ClientFrame, { readonly type: T }>;

export type Role = 'owner' | 'admin' | 'member';
export type SystemEvent = 'created' | 'joined' | 'left' | 'removed' | 'role' | 'renamed';
export type TruncatedReason = 'retention' | 'expired' | 'restart';

export type SentFrame = {
  readonly type: 'sent';
  readonly id?: MessageId;
  readonly conv: Conv;
  readonly seq: number;
  readonly ts: number;
  readonly dup?: true;
};

export type MessageFrame = {
  readonly type: 'message';
  readonly conv: Conv;
  readonly seq: number;
  readonly ts: number;
  readonly id?: MessageId;
  readonly sender: Uid;
  readonly receiver?: Uid;
  readonly room?: RoomId;
  readonly broadcast?: true;
  readonly data?: Json;
  readonly op?: 'recall' | 'edit' | 'react' | 'system';
  readonly ref?: number;
  readonly emoji?: string;
  readonly on?: boolean;
  readonly edited?: true;
  readonly recalled?: true;
  readonly blocked?: true;
  /** emoji → the users who reacted with it. */
  readonly reactions?: { readonly [emoji: string]: readonly Uid[] };
};

export type ReceiptFrame = {
  readonly type: 'receipt';
  readonly conv: Conv;
  readonly uid: Uid;
  /** Highest seq that any of the user's devices acknowledged; 0: none. */
  readonly delivered: number;
  readonly read: number;
};

export type TruncatedFrame = {
  readonly type: 'truncated';
  readonly conv: Conv;
  readonly from: number;
  readonly to: number;
  readonly reason: TruncatedReason;
};

export type ErrorFrame = {
  readonly type: 'error';
  readonly id?: MessageId;
  readonly code: ErrorCode;
  readonly message: string;
  /** Milliseconds after which a repeat makes sense. */
  readonly retry?: number;
};

export type ConversationSummary = {
  readonly conv: Conv;
  readonly head: number;
  readonly read: number;
  readonly unread: number;
  /** Milliseconds; orders the list, and is what `before` takes to go on. */
  readonly at?: number;
  readonly last: MessageFrame | null;
  readonly peer?: { readonly delivered: number; readonly read: number };
};

export type Member = { readonly uid: Uid; readonly role: Role; readonly online: boolean };

/** What a server sends. `type` is the first member of each frame on the wire. */
export type ServerFrame =
  | {
      readonly type: 'welcome';
      readonly id?: MessageId;
      readonly uid: Uid;
      readonly device: DeviceId;
      readonly node: string;
      readonly conn: string;
      readonly ts: number;
      readonly heartbeat: number;
      readonly limits: { readonly frame: number; readonly rate: number; readonly dedup: number };
      readonly protocol: 1;
    }
  | { readonly type: 'synced' }
  | MessageFrame
  | SentFrame
  | ReceiptFrame
  | TruncatedFrame
  | ErrorFrame
  | { readonly type: 'typing'; readonly sender: Uid; readonly receiver?: Uid; readonly room?: RoomId }
  | {
      readonly type: 'presence';
      readonly id?: MessageId;
      readonly uid: Uid;
      readonly online: boolean;
      readonly lastSeen: number;
    }
  | {
      readonly type: 'history';
      readonly id?: MessageId;
      readonly conv: Conv;
      readonly messages: readonly MessageFrame[];
      readonly more: boolean;
    }
  | {
      readonly type: 'conversations';
      readonly id?: MessageId;
      readonly conversations: readonly ConversationSummary[];
      readonly more: boolean;
    }
  | {
      readonly type: 'joined' | 'left';
      readonly id?: MessageId;
      readonly room: RoomId;
      readonly conv: Conv;
      readonly seq: number;
    }
  | {
      readonly type: 'members';
      readonly id?: MessageId;
      readonly room: RoomId;
      readonly members: readonly Member[];
      readonly more: boolean;
    }
  | { readonly type: 'reconnect'; readonly after: number }
  | { readonly type: 'pong'; readonly id?: MessageId; readonly ts: number };

export type ServerFrameType = ServerFrame['type'];
