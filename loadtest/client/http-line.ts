/** One kept-alive HTTP connection with one request at a time, by hand. */
import { connect, type Socket } from 'node:net';
import type { NodeAddress } from '../orders.js';

const HEAD_END = Buffer.from('\r\n\r\n');
const STATUS_AT = 'HTTP/1.1 '.length;

/** Takes an answer; `body` is gone when the call returns. Status 0: there was none, the connection is lost. */
export type OnAnswer = (status: number, body: Buffer) => void;

export class HttpLine {
  private readonly socket: Socket;
  private rest: Buffer = Buffer.alloc(0);
  private onAnswer: OnAnswer | undefined;

  constructor({ host, port }: NodeAddress) {
    this.socket = connect({ host, port, noDelay: true });
    this.socket.on('data', (chunk) => this.receive(chunk));
    this.socket.on('error', () => this.lost());
    this.socket.on('close', () => this.lost());
  }

  get(path: string, onAnswer: OnAnswer): void {
    this.onAnswer = onAnswer;
    this.socket.write(`GET ${path} HTTP/1.1\r\nHost: load\r\n\r\n`, 'latin1');
  }

  post(path: string, body: string, onAnswer: OnAnswer): void {
    this.onAnswer = onAnswer;
    const head = `POST ${path} HTTP/1.1\r\nHost: load\r\nContent-Type: application/json\r\n`;
    this.socket.write(`${head}Content-Length: ${body.length}\r\n\r\n${body}`, 'latin1');
  }

  close(): void {
    this.onAnswer = undefined;
    this.socket.destroy();
  }

  private receive(chunk: Buffer): void {
    this.rest = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    const headEnd = this.rest.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const head = this.rest.toString('latin1', 0, headEnd);
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
    const from = headEnd + HEAD_END.length;
    if (this.rest.length < from + length) return;
    const body = this.rest.subarray(from, from + length);
    this.rest = this.rest.subarray(from + length);
    this.answer(Number(head.slice(STATUS_AT, STATUS_AT + 3)), body);
  }

  private lost(): void {
    this.answer(0, Buffer.alloc(0));
  }

  private answer(status: number, body: Buffer): void {
    const onAnswer = this.onAnswer;
    this.onAnswer = undefined;
    onAnswer?.(status, body);
  }
}
