/** One client that sends as much as its connection takes, and comes back whenever it is thrown out. */
import { WebSocket } from 'ws';
import type { NodeAddress } from '../orders.js';

const BURST = 200;
const BUFFERED_MAX = 1_000_000;
/** Taken, refused, and out of form: whatever a node may have to do for a frame. */
const FRAMES = [
  '{"type":"send","receiver":"flooded","data":"and again"}',
  '{"type":"history","conv":"all","limit":200}',
  '{"type":"typing","receiver":"flooded"}',
  '{',
];

export class Flooder {
  private line: WebSocket | undefined;
  private isOver = false;
  private sent = 0;
  private thrownOut = 0;

  constructor(private readonly address: NodeAddress) {
    this.comes();
  }

  /** What it did, in words. */
  end(): string {
    this.isOver = true;
    this.line?.terminate();
    return `the flooder sent ${this.sent.toLocaleString('en-US')} frames and was thrown out ${this.thrownOut} times`;
  }

  private comes(): void {
    const line = new WebSocket(`ws://${this.address.host}:${this.address.port}/ws?uid=flooder`);
    this.line = line;
    line.on('open', () => this.floods(line));
    // What is wrong with the connection is its close, too.
    line.on('error', () => line.terminate());
    line.on('close', () => {
      this.thrownOut++;
      if (!this.isOver) setImmediate(() => this.comes());
    });
  }

  private floods(line: WebSocket): void {
    if (this.isOver || line.readyState !== WebSocket.OPEN) return;
    for (let i = 0; i < BURST && line.bufferedAmount < BUFFERED_MAX; i++)
      line.send(FRAMES[this.sent++ % FRAMES.length]!);
    setImmediate(() => this.floods(line));
  }
}
