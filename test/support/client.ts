import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { PushOrder } from '../../loadtest/chaos/client/push-order.js';
import type { Frame, Outgoing } from './frame.js';
import { DEADLINE_MS, until } from './until.js';

export interface ConnectOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Whom to trust with TLS, as PEM. */
  readonly ca?: string;
  /** `false`: the client never answers a ping of the server. */
  readonly autoPong?: boolean;
  /** Called with every frame; given at the start, for the first ones may come together with the upgrade. */
  readonly onFrame?: (frame: Frame) => void;
}

export interface Closing {
  readonly code: number;
  readonly reason: string;
}

/** The upgrade was answered with an ordinary HTTP response. */
export class UpgradeRefused extends Error {
  constructor(
    readonly status: number,
    readonly body: string,
  ) {
    super(`the upgrade was answered ${status}: ${body}`);
  }
}

/** Two devices of a user must not use an id twice in a conversation, so all connections count together. */
let lastRequest = 0;

/** One WebSocket, seen raw: every frame that came, in the order of its arrival. */
export class Connection {
  readonly frames: Frame[] = [];
  readonly texts: string[] = [];
  readonly order = new PushOrder();
  readonly closed: Promise<Closing>;
  /** Pings of the server that came so far. */
  pings = 0;
  closing: Closing | undefined;
  private readonly waiting = new Map<string, (answer: Frame) => void>();

  private constructor(
    readonly socket: WebSocket,
    private readonly onFrame: (frame: Frame) => void,
  ) {
    socket.on('message', (bytes) => this.receive(bytes.toString()));
    socket.on('ping', () => {
      this.pings++;
    });
    // `close` always follows `error` and is what the stories look at.
    socket.on('error', (error) => this.texts.push(`(socket error: ${error.message})`));
    this.closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => {
        this.closing = { code, reason: reason.toString() };
        resolve(this.closing);
      });
    });
  }

  static async open(url: string, options: ConnectOptions = {}): Promise<Connection> {
    const { onFrame = () => undefined, ...socketOptions } = options;
    const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: 0, ...socketOptions });
    const connection = new Connection(socket, onFrame);
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
      socket.once('unexpected-response', (_request, response) => {
        refused(response).then(reject, reject);
      });
    });
    return connection;
  }

  get isOpen(): boolean {
    return this.socket.readyState === WebSocket.OPEN;
  }

  /** Messages that were pushed here, in the order in which they came; `conv` chooses one conversation. */
  messages(conv?: string): Frame[] {
    return this.frames.filter((frame) => frame.type === 'message' && (conv === undefined || frame.conv === conv));
  }

  send(frame: Outgoing | string | Buffer): void {
    if (Buffer.isBuffer(frame)) this.socket.send(frame, { binary: true });
    else this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  /** Sends a frame with an `id`, its own or a new one, and waits for the answer that carries it. */
  async request(frame: Outgoing, deadline = DEADLINE_MS): Promise<Frame> {
    const id = typeof frame.id === 'string' ? frame.id : `q${++lastRequest}`;
    let answer: Frame | undefined;
    this.waiting.set(id, (found) => {
      answer = found;
    });
    this.send({ ...frame, id });
    const told = (): string => `an answer to ${JSON.stringify(frame).slice(0, 200)} (closed: ${!this.isOpen})`;
    return until(() => answer, told, deadline).finally(() => this.waiting.delete(id));
  }

  /** The first frame that matches, of those that came already and those that will. */
  first(matches: (frame: Frame) => boolean, what: string, deadline = DEADLINE_MS): Promise<Frame> {
    let seen = 0;
    return until(
      () => {
        for (; seen < this.frames.length; seen++) {
          const frame = this.frames[seen]!;
          if (matches(frame)) return frame;
        }
        return undefined;
      },
      () => `${what}; the last frames were ${this.texts.slice(-3).join(' ').slice(0, 600)}`,
      deadline,
    );
  }

  firstOf(type: string, deadline = DEADLINE_MS): Promise<Frame> {
    return this.first((frame) => frame.type === type, `a "${type}" frame`, deadline);
  }

  /** Resolves when the server has handled everything that was sent here before. */
  async settles(): Promise<void> {
    const before = this.frames.filter((frame) => frame.type === 'pong').length;
    this.send({ type: 'ping' });
    await until(() => this.frames.filter((frame) => frame.type === 'pong').length > before, 'a pong frame');
  }

  async close(code = 1000): Promise<Closing> {
    this.socket.close(code);
    return this.closed;
  }

  /** Ends the TCP connection without a close frame, as a phone does that loses its network. */
  async vanish(): Promise<void> {
    this.socket.terminate();
    await this.closed;
  }

  /** Stops reading: the kernel's buffers fill up, then the server's. */
  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  private receive(text: string): void {
    this.texts.push(text);
    if (!text.startsWith('{"type":"')) this.order.violations.push(`type is not the first member: ${text.slice(0, 80)}`);
    const frame = JSON.parse(text) as Frame;
    this.frames.push(frame);
    this.order.see(frame);
    if (frame.id !== undefined && frame.type !== 'message') this.waiting.get(frame.id)?.(frame);
    this.onFrame(frame);
  }
}

async function refused(response: IncomingMessage): Promise<UpgradeRefused> {
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return new UpgradeRefused(response.statusCode ?? 0, body);
}
