/** A WebSocket on a plain TCP socket. What is written within one turn leaves in one write. */
import { connect, type Socket } from 'node:net';
import { FrameReader, frameOf, OPCODE } from './frame.js';

export type Target = { readonly host: string; readonly port: number; readonly path: string };

export interface SocketOwner {
  opened(): void;
  text(bytes: Buffer, from: number, end: number): void;
  /** Once; `why` is told where the connection was not closed by this side. */
  ended(why: string | undefined): void;
}

/** Shared by all sockets of the process: what is in it is used up before the next read. */
const incoming = Buffer.allocUnsafe(256 * 1024);
const HEAD_END = '\r\n\r\n';
const NORMAL = '\x03\xe8';

export class ClientSocket {
  private readonly socket: Socket;
  private readonly reader: FrameReader;
  private head: string | undefined = '';
  private pending = '';
  private isOver = false;

  constructor(
    { host, port, path }: Target,
    private readonly outbox: Outbox,
    private readonly owner: SocketOwner,
  ) {
    this.reader = new FrameReader({
      text: (bytes, from, end) => owner.text(bytes, from, end),
      ping: (payload) => this.write(frameOf(payload, OPCODE.pong)),
      closed: (code) => this.over(`closed with ${code}`),
    });
    this.socket = connect({
      host,
      port,
      noDelay: true,
      onread: { buffer: incoming, callback: (length) => this.receive(incoming.subarray(0, length)) },
    });
    this.socket.once('connect', () => this.socket.write(upgradeRequest(host, port, path), 'latin1'));
    this.socket.once('error', (error) => this.over(error.message));
    this.socket.once('close', () => this.over('connection lost'));
  }

  /** Queues whole frames; they leave with the outbox. */
  write(frames: string): void {
    if (this.pending === '') this.outbox.add(this);
    this.pending += frames;
  }

  flush(): void {
    const frames = this.pending;
    this.pending = '';
    if (!this.isOver) this.socket.write(frames, 'latin1');
  }

  /** Closes in order: the server knows that everything was received. */
  close(): void {
    if (this.isOver) return;
    this.socket.write(this.pending + frameOf(NORMAL, OPCODE.close), 'latin1');
    this.pending = '';
    this.over(undefined);
  }

  /** Ends the connection without a word. */
  lose(): void {
    this.over('lost on purpose');
  }

  private receive(chunk: Buffer): boolean {
    if (this.isOver) return true;
    if (this.head !== undefined) this.answered(chunk);
    else this.reader.push(chunk);
    this.outbox.flush();
    return true;
  }

  private answered(chunk: Buffer): void {
    this.head += chunk.toString('latin1');
    const end = this.head?.indexOf(HEAD_END) ?? -1;
    if (end < 0) return;
    const answer = this.head ?? '';
    this.head = undefined;
    if (!answer.startsWith('HTTP/1.1 101')) return this.over(`refused: ${answer.slice(0, answer.indexOf('\r'))}`);
    this.owner.opened();
    this.reader.push(Buffer.from(answer.slice(end + HEAD_END.length), 'latin1'));
  }

  private over(why: string | undefined): void {
    if (this.isOver) return;
    this.isOver = true;
    this.socket.end();
    // A server that does not answer the FIN must not keep the generator alive.
    if (why !== undefined) this.socket.destroy();
    this.owner.ended(why);
  }
}

/** The sockets that have something to write, so that a turn's frames leave together. */
export class Outbox {
  private waiting: { flush(): void }[] = [];

  add(socket: { flush(): void }): void {
    this.waiting.push(socket);
  }

  flush(): void {
    if (this.waiting.length === 0) return;
    const waiting = this.waiting;
    this.waiting = [];
    for (const socket of waiting) socket.flush();
  }
}

const upgradeRequest = (host: string, port: number, path: string): string =>
  `GET ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
  `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13${HEAD_END}`;
