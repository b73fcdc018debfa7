/** A client that polls: it acknowledges what it has by the cursor that it sends with its next poll. */
import { pause } from '../../client/gate.js';
import type { Reader } from '../ledger.js';
import type { ClientParts } from './client.js';
import type { Frame } from './frame.js';
import { ask } from './http.js';
import { HttpClient } from './http-client.js';
import { Unreachable } from './unreachable.js';

export type PollClientOptions = {
  readonly tries: boolean;
  /** The chance that an answer is lost after the server wrote it. */
  readonly loses: number;
};

const GIVE_UP_MS = 6_000;

type Polled = { readonly messages: readonly Frame[]; readonly cursor: string };

export class PollClient extends HttpClient {
  readonly kind = 'poll';
  private cursor = '';
  private hasPolled = false;

  constructor(
    reader: Reader,
    parts: ClientParts,
    private readonly options: PollClientOptions,
  ) {
    super(reader, parts, options.tries);
  }

  get isOnline(): boolean {
    return this.hasPolled;
  }

  /** It just doesn't ask any more. */
  pauses(): void {
    this.isPaused = true;
  }

  resumes(): void {
    this.isPaused = false;
    this.wake();
  }

  protected async visit(): Promise<void> {
    if (this.isPaused && !this.isOver) return this.woken();
    const wait = this.hasPolled ? Math.floor(this.parts.random.between(1, 12)) : 0;
    const query = { ...this.reader, wait: `${wait}`, ...(this.cursor === '' ? {} : { ack: this.cursor }) };
    const answer = await ask(this.parts.place, {
      path: `/v1/messages?${new URLSearchParams(query)}`,
      timeout: wait * 1_000 + GIVE_UP_MS,
      began: (request) => {
        this.current = request;
      },
    });
    if (answer.status === 200) return this.has(answer.body as Polled);
    if (answer.status === 400) this.parts.ledger.note('forgotten', `${this.inbox.name}: a cursor was refused`);
    await pause(answer.retryAfter);
    throw new Unreachable(`answered ${answer.status}`);
  }

  private has({ messages, cursor }: Polled): void {
    const isLost = messages.length > 0 && this.parts.random.chance(this.options.loses);
    if (isLost) return;
    this.cursor = cursor;
    this.hasPolled = true;
    for (const message of messages) this.inbox.takes(message);
  }
}
