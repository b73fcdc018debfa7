/** Clients that all come at once: each has a letter waiting, and leaves when it is synchronised and has it. */
import { eachOf, pause, until } from '../client/gate.js';
import { ClientSocket, Outbox } from '../client/socket.js';
import type { Client, Place } from './client/client.js';
import { convOf, type Frame } from './client/frame.js';
import { Inbox } from './client/inbox.js';
import type { Ledger, Reader } from './ledger.js';

const ARRIVE_MS = 30_000;
const AT_ONCE = 100;
/** A send of one postman; below what a connection may. */
const LETTERS_A_SECOND = 100;
/** Clients come back at random within this time, as the protocol's clients do. */
const JITTER_MS = 2_000;
const FOR_ME = /^\{"type":"(?:message|truncated)","conv":"dm:/;

class Passenger {
  isSynced = false;
  /** Letters to it that were not in its hands when it was last looked at. */
  due = 0;
  private readonly inbox: Inbox;
  private socket: ClientSocket | undefined;
  private isWanted = false;

  constructor(
    readonly reader: Reader,
    private readonly place: Place,
    private readonly outbox: Outbox,
    ledger: Ledger,
  ) {
    this.inbox = new Inbox(reader, ledger);
  }

  /** Connects, again and again until it succeeds. */
  comes(): void {
    this.isWanted = true;
    const path = `/ws?${new URLSearchParams(this.reader)}`;
    this.socket = new ClientSocket({ ...this.place, path }, this.outbox, {
      opened: () => undefined,
      text: (bytes, from, end) => this.hears(bytes.toString('utf8', from, end)),
      ended: () => {
        this.isSynced = false;
        if (this.isWanted) setTimeout(() => this.isWanted && this.comes(), 200 + Math.random() * JITTER_MS);
      },
    });
  }

  loses(): void {
    this.isWanted = false;
    this.socket?.lose();
  }

  leaves(): void {
    this.isWanted = false;
    this.socket?.close();
  }

  private hears(text: string): void {
    if (text.startsWith('{"type":"synced"')) this.isSynced = true;
    // What is said to everybody is not for those who only pass through.
    else if (FOR_ME.test(text) && this.inbox.takes(JSON.parse(text) as Frame)) this.due--;
  }
}

export class Storm {
  private passengers: readonly Passenger[] = [];
  private readonly outbox = new Outbox();

  constructor(
    private readonly place: Place,
    private readonly ledger: Ledger,
    /** Who writes to them, on connections that repeat until they are answered. */
    private readonly postmen: readonly Client[],
    /** Further devices of theirs, which get copies. */
    private readonly others: readonly Reader[],
    readonly size: number,
  ) {}

  /** Everybody comes, loses the connection at the same moment, is written to, and comes back. */
  async rages(): Promise<void> {
    if (this.passengers.length === 0) this.passengers = this.enroll();
    await eachOf(this.passengers, AT_ONCE, async (passenger) => {
      passenger.comes();
      await until(() => passenger.isSynced, ARRIVE_MS);
    });
    for (const passenger of this.passengers) passenger.loses();
    await this.writesToAll();
    for (const passenger of this.passengers) setTimeout(() => passenger.comes(), Math.random() * JITTER_MS);
    await until(() => this.passengers.every(({ isSynced, due }) => isSynced && due <= 0), ARRIVE_MS);
  }

  /** Who has been served goes, in order; the others stay for what they wait for. */
  leaves(): void {
    for (const passenger of this.passengers) if (passenger.due <= 0) passenger.leaves();
  }

  /** How many are connected. */
  get present(): number {
    return this.passengers.reduce((sum, { isSynced }) => sum + (isSynced ? 1 : 0), 0);
  }

  /** Nobody comes any more. */
  ends(): void {
    for (const passenger of this.passengers) passenger.loses();
  }

  private enroll(): Passenger[] {
    return Array.from({ length: this.size }, (_, index) => {
      const reader = { uid: `s${index}`, device: 'a' };
      const { uid } = this.postmanOf(index).reader;
      const copies = this.others.filter((other) => other.uid === uid);
      this.ledger.opens(convOf(uid, { receiver: reader.uid }), uid, true, [reader, ...copies]);
      return new Passenger(reader, this.place, this.outbox, this.ledger);
    });
  }

  private async writesToAll(): Promise<void> {
    const batch = this.postmen.length;
    for (let at = 0; at < this.passengers.length; at += batch) {
      for (let i = at; i < at + batch; i++) {
        const passenger = this.passengers[i];
        if (passenger !== undefined && this.postmanOf(i).says({ receiver: passenger.reader.uid })) passenger.due++;
      }
      await pause(1_000 / LETTERS_A_SECOND);
    }
  }

  private postmanOf(index: number): Client {
    const postman = this.postmen[index % this.postmen.length];
    if (postman === undefined) throw new Error('a storm needs somebody who writes');
    return postman;
  }
}
