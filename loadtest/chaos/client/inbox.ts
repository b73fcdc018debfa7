/** What one device has: keeps the one cursor a conversation that the protocol asks of a client, and tells the ledger. */
import { isEntry, type Ledger, type Reader } from '../ledger.js';
import type { Frame } from './frame.js';
import { CursorRule } from './push-order.js';

/** The device that a user sends from; its own messages need not come to it. */
export const SENDING_DEVICE = 'a';

export class Inbox {
  private readonly cursors = new CursorRule();

  constructor(
    readonly reader: Reader,
    private readonly ledger: Ledger,
  ) {}

  /** A frame that was pushed here, or handed out by a poll. Returns whether it is a message that was not here before. */
  takes(frame: Frame): boolean {
    const isNew = frame.type === 'message' && this.hears(frame);
    if (frame.type === 'truncated') this.skips(frame);
    // On the connection that sent it, `sent` stands in the place of the message.
    if (frame.type === 'sent') this.cursors.accepts(frame.conv!, frame.seq!);
    for (const gap of this.cursors.gaps.splice(0)) this.ledger.note('gaps', `${this.name} ${gap}`);
    return isNew;
  }

  /** Each conversation, and how far this device has it. */
  get positions(): Iterable<[string, number]> {
    return this.cursors.entries;
  }

  get name(): string {
    return `${this.reader.uid}/${this.reader.device}`;
  }

  private hears({ conv, seq, data, op }: Frame): boolean {
    if (!this.cursors.accepts(conv!, seq!)) {
      this.ledger.repeated++;
      return false;
    }
    const { uid, device } = this.reader;
    const isOwn = isEntry(data) && data.from === uid && device === SENDING_DEVICE;
    if (op === undefined && isEntry(data) && !isOwn) this.ledger.delivered(conv!, this.reader, data, seq!);
    return true;
  }

  private skips({ conv, from, to, reason }: Frame): void {
    if (reason !== 'restart') this.ledger.note('forgotten', `${this.name} ${conv} ${from} to ${to}: ${reason}`);
    this.cursors.skips(conv!, to!);
  }
}
