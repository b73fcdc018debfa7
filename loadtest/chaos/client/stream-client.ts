/** A client on server-sent events: what it has it acknowledges by coming back with the last cursor. */
import type { IncomingMessage } from 'node:http';
import type { Frame } from './frame.js';
import { open } from './http.js';
import { HttpClient } from './http-client.js';
import { PushOrder } from './push-order.js';
import { Unreachable } from './unreachable.js';

const OPEN_MS = 8_000;
/** The server says something every 15 s. */
const SILENCE_MS = 20_000;

export class StreamClient extends HttpClient {
  readonly kind = 'sse';
  private cursor = '';
  private isSynced = false;
  private answer: IncomingMessage | undefined;

  get isOnline(): boolean {
    return this.isSynced;
  }

  pauses(): void {
    this.isPaused = true;
    this.answer?.pause();
  }

  resumes(): void {
    this.isPaused = false;
    this.answer?.resume();
  }

  protected async visit(): Promise<void> {
    const path = `/v1/stream?${new URLSearchParams(this.reader)}`;
    const headers: Record<string, string> = this.cursor === '' ? {} : { 'last-event-id': this.cursor };
    const answer = await open(this.parts.place, {
      ...{ path, headers, timeout: OPEN_MS },
      began: (request) => {
        this.current = request;
      },
    });
    if (answer.statusCode === 400) this.parts.ledger.note('forgotten', `${this.inbox.name}: a cursor was refused`);
    if (answer.statusCode !== 200) {
      answer.destroy();
      throw new Unreachable(`answered ${answer.statusCode}`);
    }
    await this.reads(answer);
    this.isSynced = false;
    if (!this.isOver) await this.jitter();
  }

  private async reads(answer: IncomingMessage): Promise<void> {
    this.answer = answer;
    const order = new PushOrder();
    let rest = '';
    let silence = setTimeout(() => this.loses(), SILENCE_MS);
    answer.setEncoding('utf8');
    answer.on('data', (chunk: string) => {
      clearTimeout(silence);
      silence = setTimeout(() => this.loses(), SILENCE_MS);
      const events = (rest + chunk).split('\n\n');
      rest = events.pop() ?? '';
      for (const event of events) this.hears(event, order);
    });
    if (this.isPaused) answer.pause();
    if (this.isOver || this.isAway) this.loses();
    await new Promise((resolve) => answer.once('close', resolve));
    clearTimeout(silence);
  }

  private hears(event: string, order: PushOrder): void {
    let frame: Frame | undefined;
    for (const line of event.split('\n')) {
      if (line.startsWith('data:')) frame = JSON.parse(line.slice(5)) as Frame;
      // The cursor stands for this very frame, which is processed in the same turn.
      if (line.startsWith('id:')) this.cursor = line.slice(3).trim();
    }
    if (frame === undefined) return;
    order.see(frame);
    for (const what of order.violations.splice(0)) this.parts.ledger.note('gaps', `${this.inbox.name} ${what}`);
    if (frame.type === 'synced') this.isSynced = true;
    this.inbox.takes(frame);
  }
}
