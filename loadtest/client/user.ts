/** A user on a WebSocket: hears messages, sends them, and keeps a ledger of what came. */
import { type Address, type Dialect, HEARD } from '../dialects/dialect.js';
import { frameOf } from './frame.js';
import { Ledger } from './ledger.js';
import { Sender } from './sender.js';
import { ClientSocket, type Outbox, type Target } from './socket.js';
import { channelOf, idAt, nOf, stampAt, timeOf } from './stamp.js';

/** What a user tells of; all times in microseconds since the epoch. */
export interface Listener {
  ready(user: User): void;
  joined(user: User): void;
  /** A message that was not there before. */
  delivered(user: User, channel: number, due: number): void;
  acked(user: User, sender: Sender, due: number | undefined): void;
  refused(user: User, sender: Sender | undefined): void;
  ended(user: User, why: string | undefined): void;
}

export type Kind = 'direct' | 'room' | 'all';

export class User {
  readonly ledger: Ledger;
  readonly senders: { [kind in Kind]?: Sender } = {};
  isReady = false;
  partner: User | undefined;
  private socket: ClientSocket | undefined;

  constructor(
    readonly index: number,
    readonly uid: string,
    private readonly dialect: Dialect,
    private readonly listener: Listener,
    channels: number,
  ) {
    this.ledger = new Ledger(channels);
  }

  connect(target: Target, outbox: Outbox): void {
    this.socket = new ClientSocket(target, outbox, {
      opened: () => {
        if (this.dialect.greeting !== undefined) this.socket?.write(frameOf(this.dialect.greeting));
      },
      text: (bytes, from, end) => this.hear(bytes, from, end),
      ended: (why) => {
        this.isReady = false;
        this.listener.ended(this, why);
      },
    });
  }

  close(): void {
    this.socket?.close();
  }

  join(frame: string): void {
    this.socket?.write(frameOf(frame));
  }

  maySend(kind: Kind, channel: number, address: Address, padding: string): void {
    this.senders[kind] = new Sender(channel, this.dialect.template(address, padding));
  }

  send(kind: Kind, due: number): void {
    const sender = this.senders[kind];
    if (sender !== undefined) this.socket?.write(sender.next(due));
  }

  private hear(bytes: Buffer, from: number, end: number): void {
    switch (this.dialect.hear(bytes, from, end)) {
      case HEARD.message:
        return this.receive(bytes, from, end);
      case HEARD.ack:
        return this.acked(bytes, this.dialect.ackAt(bytes, from, end));
      case HEARD.refusal:
        return this.listener.refused(this, this.senders.direct ?? this.senders.room ?? this.senders.all);
      case HEARD.question:
        return this.socket?.write(frameOf(this.dialect.reply(bytes, from)));
      case HEARD.ready:
        this.isReady = true;
        return this.listener.ready(this);
      case HEARD.joined:
        return this.listener.joined(this);
      case HEARD.nothing:
        return;
    }
  }

  private receive(bytes: Buffer, from: number, end: number): void {
    const at = stampAt(bytes, from, end);
    if (at < 0) return;
    const channel = channelOf(bytes, at);
    if (this.ledger.take(channel, nOf(bytes, at))) this.listener.delivered(this, channel, timeOf(bytes, at));
  }

  private acked(bytes: Buffer, numberAt: number): void {
    const sender = this.senders[this.dialect.ackOf(bytes, numberAt)];
    if (sender !== undefined) this.listener.acked(this, sender, sender.acknowledged(idAt(bytes, numberAt)));
  }
}
