/** A reader of server-sent events that is strict about their form, and what a client remembers of them. */
import { request as ask, type ClientRequest, type IncomingMessage } from 'node:http';
import { expect } from 'vitest';
import type { Frame } from '../support/frame.js';
import { until } from '../support/until.js';

export type StreamOptions = {
  readonly device?: string;
  readonly lastEventId?: string | undefined;
  readonly query?: Readonly<Record<string, string>>;
  /** Reads nothing until `resume`. */
  readonly paused?: boolean;
};

export type StreamEvent = { readonly id: string; readonly frame: Frame };

/** A stream that was answered with something else than a stream. */
export class StreamRefused extends Error {
  constructor(
    readonly status: number,
    readonly body: string,
  ) {
    super(`the stream was answered ${status}: ${body}`);
  }
}

export class EventReader {
  readonly events: StreamEvent[] = [];
  readonly comments: string[] = [];
  readonly retries: number[] = [];
  isOver = false;
  private rest = '';

  private constructor(
    private readonly request: ClientRequest,
    private readonly response: IncomingMessage,
  ) {
    response.setEncoding('utf8');
    // That the connection broke is an end like any other; what came before it counts.
    response.on('error', () => response.destroy());
    response.on('close', () => {
      this.isOver = true;
    });
  }

  static async open(base: string, uid: string, options: StreamOptions = {}): Promise<EventReader> {
    const { device, lastEventId, query, paused } = options;
    const params = new URLSearchParams({ uid, ...(device && { device }), ...query });
    const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
    const request = ask(`${base}/v1/stream?${params}`, { headers, agent: false });
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request.on('response', resolve).on('error', reject).end();
    });
    if (response.statusCode !== 200) throw new StreamRefused(response.statusCode ?? 0, await textOf(response));
    const reader = new EventReader(request, response);
    if (!paused) reader.resume();
    return reader;
  }

  get headers(): IncomingMessage['headers'] {
    return this.response.headers;
  }

  get lastId(): string | undefined {
    return this.events.at(-1)?.id;
  }

  get messages(): readonly StreamEvent[] {
    return this.events.filter(({ frame }) => frame.type === 'message' && frame.op === undefined);
  }

  get data(): unknown[] {
    return this.messages.map(({ frame }) => frame.data);
  }

  resume(): void {
    if (this.response.listenerCount('data') === 0) this.response.on('data', (text: string) => this.read(text));
    this.response.resume();
  }

  pause(): void {
    this.response.pause();
  }

  /** Breaks the connection, as a phone does that loses its network. */
  leave(): void {
    this.request.destroy();
    this.isOver = true;
  }

  first(type: string): Promise<StreamEvent> {
    const found = (): StreamEvent | undefined => this.events.find(({ frame }) => frame.type === type);
    return until(found, () => `a "${type}" event; ${this.events.length} came, over: ${this.isOver}`);
  }

  async hears(...data: readonly unknown[]): Promise<void> {
    await until(
      () => data.every((each) => this.data.includes(each)),
      () => `${JSON.stringify(data)}; heard ${JSON.stringify(this.data).slice(-300)}, over: ${this.isOver}`,
    );
  }

  async hearsMany(count: number): Promise<void> {
    await until(
      () => this.messages.length >= count,
      () => `${count} messages; ${this.messages.length} came, over: ${this.isOver}`,
      20_000,
    );
  }

  async ends(deadline?: number): Promise<void> {
    await until(() => this.isOver, 'the end of the stream', deadline);
  }

  private read(text: string): void {
    this.rest += text;
    const blocks = this.rest.split('\n\n');
    this.rest = blocks.pop() ?? '';
    for (const block of blocks) this.take(block);
  }

  private take(block: string): void {
    const fields = new Map<string, string>();
    for (const line of block.split('\n')) {
      if (line.startsWith(':')) {
        this.comments.push(line.slice(1).trim());
        continue;
      }
      const [, name = '', value = ''] = /^(id|data|retry): ([^\r\n\0]+)$/.exec(line) ?? [];
      if (name === '' || fields.has(name)) throw new Error(`out of form: ${block}`);
      fields.set(name, value);
    }
    const retry = fields.get('retry');
    if (retry !== undefined) this.retries.push(Number(retry));
    const [id, data] = [fields.get('id'), fields.get('data')];
    if (data === undefined) return;
    if (id === undefined) throw new Error(`an event without a cursor: ${block}`);
    if (id.length > 1_024) throw new Error(`a cursor of ${id.length} characters`);
    if (!/^[\x21-\x7e]+$/.test(id)) throw new Error(`a cursor that no header can hold: ${id}`);
    this.events.push({ id, frame: JSON.parse(data) as Frame });
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return text;
}

/** What a client does that keeps one number a conversation: drops what is not above it, and must never miss one. */
export class Ledger {
  private readonly at = new Map<string, number>();
  readonly heard: unknown[] = [];
  repeated = 0;

  take(events: readonly StreamEvent[]): void {
    for (const { frame } of events) {
      if (frame.type !== 'message') continue;
      const conv = String(frame.conv);
      const seq = Number(frame.seq);
      const last = this.at.get(conv);
      if (last !== undefined && seq <= last) {
        this.repeated++;
        continue;
      }
      if (last !== undefined) expect(seq, `${conv} goes on without a gap`).toBe(last + 1);
      this.at.set(conv, seq);
      if (frame.op === undefined) this.heard.push(frame.data);
    }
  }
}
