/** What a client on an event stream and one that polls have in common: they send by requests of their own. */
import type { ClientRequest } from 'node:http';
import type { Reader } from '../ledger.js';
import { Client, type ClientParts } from './client.js';
import type { Outgoing } from './frame.js';
import { HttpOutbox } from './http-outbox.js';

export abstract class HttpClient extends Client {
  protected current: ClientRequest | undefined;
  private readonly outbox: HttpOutbox;

  constructor(reader: Reader, parts: ClientParts, tries: boolean) {
    super(reader, parts);
    this.outbox = new HttpOutbox(parts.place, reader.uid, tries);
  }

  get unanswered(): number {
    return this.outbox.unanswered;
  }

  loses(): void {
    this.current?.destroy();
  }

  override async stops(): Promise<void> {
    this.outbox.stop();
    await super.stops();
  }

  protected submit(conv: string, id: string, frame: Outgoing): void {
    const whole = { ...frame, id };
    this.outbox.add(conv, { frame: whole, settled: (answer) => this.settled(conv, whole, answer) });
  }
}
