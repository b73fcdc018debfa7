/** The connection of this client itself, with the outbox behind it. */
import type { ClientFrame, MessageFrame, MessageId, ServerFrame, Uid } from '../protocol/index.js';
import { Connection, type ConnectionOptions } from './connection.js';
import type { Auth } from './credentials.js';
import { SkeinError } from './failure.js';
import type { Line, LineEvents } from './line.js';
import { Outbox } from './outbox.js';
import type { Stored } from './outgoing.js';
import type { OutboxEntry, OutboxStorage } from './storage.js';
import type { Facts } from './transports/link.js';

export type OwnLineOptions = ConnectionOptions & {
  readonly storage: OutboxStorage;
  /** Looks in history for messages of one's own that may be stored. `clock`: as in Facts. */
  readonly find: (entries: readonly OutboxEntry[], clock: number) => Promise<ReadonlyMap<MessageId, Stored>>;
  readonly uid: () => Uid | undefined;
};

export class OwnLine implements Line {
  readonly #options: OwnLineOptions;
  readonly #events: LineEvents;
  readonly #connection: Connection;
  readonly #outbox: Outbox;
  #facts: Facts | undefined;
  #isLoaded = false;
  #isClosed = false;

  constructor(options: OwnLineOptions, events: LineEvents) {
    this.#options = options;
    this.#events = events;
    const { status, unsupported, settled, trouble } = events;
    this.#outbox = new Outbox(options.storage, options.endpoint.patience, {
      send: (frame) => this.send(frame),
      find: (entries) => options.find(entries, this.#facts?.clock ?? 0),
      change: events.change,
      stuck: () => this.#connection.drop('a send was not answered'),
      trouble,
    });
    this.#connection = new Connection(options, {
      status,
      unsupported,
      settled,
      trouble,
      up: (facts) => this.#up(facts),
      down: () => this.#down(),
      frame: (frame) => this.#receive(frame),
      garbled: (text) => trouble(new SkeinError('bad_request', `not a frame: ${text.slice(0, 80)}`)),
    });
  }

  /**
   * Connects. The outbox is read first, so that what an earlier run left goes before what is sent now; then comes what
   * this tab had given to another one that led.
   */
  connect(unsettled: readonly OutboxEntry[] = []): void {
    if (this.#isLoaded) return this.#connection.connect();
    this.#isLoaded = true;
    this.#outbox
      .load()
      .catch(this.#events.trouble)
      .finally(() => {
        for (const entry of unsettled) this.#outbox.add(entry);
        if (!this.#isClosed) this.#connection.connect();
      });
  }

  send(frame: ClientFrame): void {
    const limit = this.#facts?.limits.frame;
    if (limit === undefined) return;
    if (isOver(frame, limit)) {
      const message = `over ${limit} bytes`;
      this.#receive({ type: 'error', ...(frame.id && { id: frame.id }), code: 'too_large', message });
    } else this.#connection.send(frame);
  }

  submit(entry: OutboxEntry): void {
    this.#outbox.add(entry);
  }

  retry(id: MessageId, order: number): void {
    this.#outbox.retry(id, order);
  }

  discard(id: MessageId): void {
    this.#outbox.discard(id);
  }

  renew(auth: Auth): void {
    this.#connection.renew(auth);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#outbox.down();
    await this.#connection.close();
  }

  #up(facts: Facts): void {
    this.#facts = facts;
    this.#events.up(facts.uid);
    this.#outbox.up(facts);
  }

  #down(): void {
    this.#facts = undefined;
    this.#outbox.down();
    this.#events.down();
  }

  #receive(frame: ServerFrame): void {
    const inPlace = this.#facts?.inPlace ?? false;
    if (frame.type === 'sent') {
      const entry = this.#outbox.stored(frame.id, frame);
      if (entry === undefined) this.#events.frame(frame, inPlace);
      else if (inPlace) this.#events.entry(messageOf(entry, frame, this.#options.uid()), frame.dup);
    } else if (frame.type === 'message') {
      if (frame.sender === this.#options.uid()) this.#outbox.stored(frame.id, frame);
      this.#events.entry(frame);
    } else if (frame.type === 'truncated') this.#events.entry(frame);
    else if (frame.type !== 'error' || !this.#outbox.refused(frame)) this.#events.frame(frame, inPlace);
  }
}

/** One's own message as others see it: `sent` stands in its place, without its content. */
function messageOf({ id, target, data }: OutboxEntry, { conv, seq, ts }: Stored, me: Uid | undefined): MessageFrame {
  return { type: 'message', conv, seq, ts, id, sender: me as Uid, ...target, data };
}

/** Whether a frame has more bytes than a server takes; it would answer with the end of the connection. */
function isOver(frame: ClientFrame, limit: number): boolean {
  const text = JSON.stringify(frame);
  return text.length * 3 > limit && new TextEncoder().encode(text).length > limit;
}
