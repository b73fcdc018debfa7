/** Stands between a node and its Redis, and does to the bytes what networks do. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { isMessage, itemEnd } from './resp.js';

/** Which connections a fault is for. */
export type Which = 'all' | 'subscribers' | 'commands';

type Flow = 'requests' | 'replies';

type Pair = {
  readonly down: Socket;
  readonly up: Socket;
  readonly pipes: Readonly<Record<Flow, Pipe>>;
  /** A Redis connection that subscribed to something. */
  isSubscriber: boolean;
  /** Nothing that Redis says arrives on this connection any more. */
  isDeaf: boolean;
  /** The beginning of an item of Redis that is not all there. */
  rest: Buffer;
};

export class TcpProxy {
  /** Messages that were dropped. */
  drops = 0;
  private readonly pairs = new Set<Pair>();
  private refusing = false;
  private delayMs = 0;
  private readonly swallowed: Record<Flow, Which | undefined> = { requests: undefined, replies: undefined };
  private isUnwanted: ((message: Buffer) => boolean) | undefined;

  private constructor(
    private readonly server: Server,
    private target: number,
  ) {
    server.on('connection', (down) => this.accept(down));
  }

  static async to(port: number): Promise<TcpProxy> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new TcpProxy(server, port);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** New connections go to another server, and the present ones end. */
  turnsTo(port: number): void {
    this.target = port;
    this.cuts();
  }

  /** Ends every connection at once, or a part of them, whichever. */
  cuts(which: Which = 'all', part = 1): void {
    for (const pair of this.pairs) if (concerns(pair, which) && Math.random() < part) end(pair);
  }

  /** New connections are ended as soon as they come. */
  refuses(): void {
    this.refusing = true;
  }

  /** Every byte comes so much later, in both directions. */
  delays(ms: number): void {
    this.delayMs = ms;
  }

  /** What Redis answers never arrives; what it is asked it still does. */
  swallowsReplies(which: Which = 'all'): void {
    this.swallowed.replies = which;
  }

  /** As `swallowsReplies`, but only for the connections of now; new ones are well. */
  deafens(which: Which): void {
    for (const pair of this.pairs) if (concerns(pair, which)) pair.isDeaf = true;
  }

  /** Connections stay open and nothing passes. */
  blackholes(which: Which = 'all'): void {
    this.swallowed.replies = which;
    this.swallowed.requests = which;
  }

  /** Published messages that hold this text, or of which this is true, are lost; all else passes. */
  dropsPushesOf(unwanted: string | ((message: Buffer) => boolean)): void {
    this.isUnwanted = typeof unwanted === 'string' ? (message) => message.includes(unwanted) : unwanted;
  }

  /** All well again for new bytes; connections that lost bytes are ended, as they could only confuse. */
  heals(): void {
    const hadHole = this.swallowed.replies ?? this.swallowed.requests;
    this.refusing = false;
    this.delayMs = 0;
    this.isUnwanted = undefined;
    this.swallowed.replies = undefined;
    this.swallowed.requests = undefined;
    if (hadHole) this.cuts(hadHole);
  }

  async closes(): Promise<void> {
    this.server.close();
    this.cuts();
    await once(this.server, 'close');
  }

  private accept(down: Socket): void {
    if (this.refusing) {
      down.destroy();
      return;
    }
    const up = connect(this.target, '127.0.0.1');
    const pipes = { requests: new Pipe(up), replies: new Pipe(down) };
    const pair: Pair = { down, up, pipes, isSubscriber: false, isDeaf: false, rest: Buffer.alloc(0) };
    this.pairs.add(pair);
    for (const [socket, out] of [
      [pair.down, pipes.requests],
      [pair.up, pipes.replies],
    ] as const) {
      socket.setNoDelay(true);
      // `close` follows every error, and ends the pair.
      socket.on('error', () => end(pair));
      socket.on('close', () => {
        this.pairs.delete(pair);
        out.finish(() => end(pair));
      });
    }
    down.on('data', (bytes) => {
      if (/\r\n[sp]?subscribe\r\n/i.test(bytes.toString('latin1'))) pair.isSubscriber = true;
      this.pass(pair, 'requests', bytes);
    });
    up.on('data', (bytes) => this.pass(pair, 'replies', pair.isSubscriber ? this.wantedIn(pair, bytes) : bytes));
  }

  private pass(pair: Pair, flow: Flow, bytes: Buffer): void {
    const swallow = this.swallowed[flow];
    if (swallow && concerns(pair, swallow)) return;
    if (flow === 'replies' && pair.isDeaf) return;
    if (bytes.length > 0) pair.pipes[flow].write(bytes, this.delayMs);
  }

  /** Whole items of Redis only, without the messages that are to be dropped. */
  private wantedIn(pair: Pair, bytes: Buffer): Buffer {
    const all = pair.rest.length === 0 ? bytes : Buffer.concat([pair.rest, bytes]);
    const wanted: Buffer[] = [];
    let at = 0;
    for (let to = 0; at < all.length; at = to) {
      to = itemEnd(all, at);
      if (to < 0) break;
      const item = all.subarray(at, to);
      if (this.isUnwanted && isMessage(item, 0) && this.isUnwanted(item)) this.drops++;
      else wanted.push(item);
    }
    pair.rest = Buffer.from(all.subarray(at));
    return Buffer.concat(wanted);
  }
}

/** Brings bytes to a socket, some time later, and in their order whatever becomes of the time meanwhile. */
class Pipe {
  private readonly late: { readonly bytes: Buffer; readonly due: number }[] = [];
  private isWaiting = false;
  private finished: (() => void) | undefined;

  constructor(private readonly to: Socket) {}

  write(bytes: Buffer, delay: number): void {
    if (delay === 0 && this.late.length === 0) return void this.to.write(bytes);
    this.late.push({ bytes, due: performance.now() + delay });
    this.wait();
  }

  /** Nothing more comes: tells when all is there, or can't get there any more. */
  finish(finished: () => void): void {
    if (this.late.length === 0 || this.to.destroyed) finished();
    else this.finished = finished;
  }

  private wait(): void {
    const [first] = this.late;
    if (first === undefined || this.isWaiting) return;
    this.isWaiting = true;
    setTimeout(() => this.flush(), Math.max(0, first.due - performance.now()));
  }

  private flush(): void {
    this.isWaiting = false;
    const now = performance.now();
    while (this.late[0] && this.late[0].due <= now + 1) this.to.write(this.late.shift()!.bytes);
    this.wait();
    if (this.late.length === 0) this.finished?.();
  }
}

function concerns(pair: Pair, which: Which): boolean {
  return which === 'all' || (which === 'subscribers') === pair.isSubscriber;
}

function end({ down, up }: Pair): void {
  down.destroy();
  up.destroy();
}
