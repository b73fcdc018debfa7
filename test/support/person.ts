import { isDeepStrictEqual } from 'node:util';
import { type Closing, Connection, type ConnectOptions } from './client.js';
import { dmOf, type Frame } from './frame.js';
import { type Answer, type ErrorBody, http } from './http.js';
import type { NodeProcess } from './process.js';
import { DEADLINE_MS, until } from './until.js';

/** What a person needs to know of the town. */
export interface Place {
  /** Node 1, 2, 3 …; a town with fewer nodes gives one of those it has. */
  node(number: number): NodeProcess;
  /** Every connection is reported, so that the town can check what holds for all of them. */
  opened(connection: Connection): void;
}

export class Room {
  readonly conv: string;

  constructor(readonly name: string) {
    this.conv = `room:${name}`;
  }
}

/** Whom somebody speaks to. */
export type Audience = Person | Room | 'everybody';

export interface Arrival extends ConnectOptions {
  readonly ack?: 'auto' | 'manual';
  readonly query?: Readonly<Record<string, string>>;
}

/** One device of one user: what she does and what she hears. Someone who is away comes to node 1 to speak. */
export class Person {
  private current: Connection | undefined;
  private arrival: Arrival = {};

  constructor(
    private readonly place: Place,
    readonly uid: string,
    readonly deviceName = 'default',
  ) {}

  /** Another installation of the same user. */
  device(name: string): Person {
    return new Person(this.place, this.uid, name);
  }

  get line(): Connection {
    if (!this.current) throw new Error(`${this.uid} is not connected`);
    return this.current;
  }

  /** Logs in and waits for `synced`, when everything that was pending has come. */
  async comesTo(node: number, arrival: Arrival = {}): Promise<this> {
    const { ack, query, ...options } = arrival;
    const named: Record<string, string> = { uid: this.uid };
    if (this.deviceName !== 'default') named.device = this.deviceName;
    if (ack) named.ack = ack;
    const url = this.place.node(node).wsUrl({ ...named, ...query });
    this.arrival = arrival;
    this.current = await Connection.open(url, options);
    this.place.opened(this.current);
    await this.current.firstOf('synced', 10_000);
    return this;
  }

  /** Comes back in the same way as before. */
  returnsTo(node: number): Promise<this> {
    return this.comesTo(node, this.arrival);
  }

  leaves(): Promise<Closing> {
    return this.line.close();
  }

  vanishes(): Promise<void> {
    return this.line.vanish();
  }

  convWith(other: Audience): string {
    if (other === 'everybody') return 'all';
    return other instanceof Room ? other.conv : dmOf(this.uid, other.uid);
  }

  /** Sends and returns whatever is answered: `sent` or `error`. */
  async tries(to: Audience, data: unknown, more: Readonly<Record<string, unknown>> = {}): Promise<Frame> {
    if (!this.current?.isOpen) await this.comesTo(1);
    return this.line.request({ type: 'send', ...address(to), data, ...more }, 10_000);
  }

  /** Sends and returns `sent`; anything else is a failure of the test. */
  async says(to: Audience, data: unknown, more: Readonly<Record<string, unknown>> = {}): Promise<Frame> {
    const answer = await this.tries(to, data, more);
    if (answer.type !== 'sent') throw new Error(`${this.uid} was answered ${JSON.stringify(answer)}`);
    return answer;
  }

  /** Sends all without waiting for the answers in between. */
  async saysAll(to: Audience, all: readonly unknown[]): Promise<Frame[]> {
    if (!this.current?.isOpen) await this.comesTo(1);
    return Promise.all(all.map((data) => this.says(to, data)));
  }

  /** Waits until a message with this data is there on the present connection, and returns it. */
  hears(data: unknown, deadline = DEADLINE_MS): Promise<Frame> {
    const matches = (frame: Frame): boolean => frame.type === 'message' && isDeepStrictEqual(frame.data, data);
    return this.line.first(matches, `${this.uid} to hear ${JSON.stringify(data)}`, deadline);
  }

  /** Waits until so many messages of a conversation came to the present connection, and returns all of them. */
  async hearsMany(count: number, conv: string, deadline = 10_000): Promise<Frame[]> {
    const line = this.line;
    const heard = (): string => `${this.uid} to hear ${count} in ${conv}; heard ${line.messages(conv).length}`;
    await until(() => line.messages(conv).length >= count, heard, deadline);
    return line.messages(conv);
  }

  /** What people said on the present connection, without the entries that mark a room's changes. */
  heard(conv?: string): unknown[] {
    return this.line
      .messages(conv)
      .filter((frame) => frame.op === undefined)
      .map((frame) => frame.data);
  }

  acks(message: Frame): void {
    this.line.send({ type: 'ack', conv: message.conv, seq: message.seq });
  }

  asks(frame: Readonly<Record<string, unknown>>): Promise<Frame> {
    return this.line.request(frame);
  }

  async joins(room: Room): Promise<Frame> {
    return this.asks({ type: 'join', room: room.name });
  }

  async quits(room: Room): Promise<Frame> {
    return this.asks({ type: 'leave', room: room.name });
  }

  /** A request over HTTP in her own name; `path` is what follows `/v1`. */
  calls<Body = Frame & ErrorBody>(node: number, method: string, path: string, body?: object): Promise<Answer<Body>> {
    const query = `${path.includes('?') ? '&' : '?'}${new URLSearchParams({ uid: this.uid })}`;
    return http<Body>(`${this.place.node(node).url}/v1${path}${query}`, { method, ...(body && { body }) });
  }

  /** POST /v1/messages on a node. */
  posts(node: number, to: Audience, data: unknown, more: object = {}): Promise<Answer<Frame & ErrorBody>> {
    const query = new URLSearchParams({ uid: this.uid });
    const url = `${this.place.node(node).url}/v1/messages?${query}`;
    return http(url, { body: { type: 'send', ...address(to), data, ...more } });
  }
}

function address(to: Audience): Readonly<Record<string, unknown>> {
  if (to === 'everybody') return { broadcast: true };
  return to instanceof Room ? { room: to.name } : { receiver: to.uid };
}
