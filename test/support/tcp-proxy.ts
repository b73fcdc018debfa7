import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

interface Pair {
  readonly down: Socket;
  readonly up: Socket;
  /** A Redis connection that subscribed to something. */
  isSubscriber: boolean;
  /** Nothing that Redis says arrives on this connection any more. */
  isDeaf: boolean;
}

/** Which connections a fault is for. */
export type Which = 'all' | 'subscribers' | 'commands';

type Flow = 'requests' | 'replies';

/** Stands between a node and its Redis, and does to the bytes what networks do. */
export class TcpProxy {
  private readonly pairs = new Set<Pair>();
  private refusing = false;
  private delayMs = 0;
  private readonly swallowed: Record<Flow, Which | undefined> = { requests: undefined, replies: undefined };
  private unwanted: string | undefined;
  /** Chunks that `dropsPushesOf` dropped. */
  drops = 0;

  private constructor(
    private readonly server: Server,
    private readonly target: number,
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

  /** Ends every connection at once. */
  cuts(which: Which = 'all'): void {
    for (const pair of this.pairs) if (concerns(pair, which)) end(pair);
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

  /** Pub/sub messages that hold this text are lost; all else passes. */
  dropsPushesOf(text: string): void {
    this.unwanted = text;
  }

  /** All well again for new bytes; connections that lost bytes are ended, as they could only confuse. */
  heals(): void {
    const hadHole = this.swallowed.replies ?? this.swallowed.requests;
    this.refusing = false;
    this.delayMs = 0;
    this.unwanted = undefined;
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
    const pair: Pair = { down, up: connect(this.target, '127.0.0.1'), isSubscriber: false, isDeaf: false };
    this.pairs.add(pair);
    for (const socket of [pair.down, pair.up]) {
      socket.setNoDelay(true);
      // `close` follows every error, and ends the pair.
      socket.on('error', () => end(pair));
      socket.on('close', () => {
        end(pair);
        this.pairs.delete(pair);
      });
    }
    down.on('data', (bytes) => {
      if (/\r\n[sp]?subscribe\r\n/i.test(bytes.toString('latin1'))) pair.isSubscriber = true;
      this.pass(pair, 'requests', bytes, pair.up);
    });
    pair.up.on('data', (bytes) => this.pass(pair, 'replies', bytes, pair.down));
  }

  private pass(pair: Pair, flow: Flow, bytes: Buffer, to: Socket): void {
    const swallow = this.swallowed[flow];
    if (swallow && concerns(pair, swallow)) return;
    if (flow === 'replies' && pair.isDeaf) return;
    if (flow === 'replies' && this.unwanted && pair.isSubscriber && bytes.includes(this.unwanted)) {
      this.drops++;
      return;
    }
    if (this.delayMs > 0) setTimeout(() => to.write(bytes), this.delayMs);
    else to.write(bytes);
  }
}

function concerns(pair: Pair, which: Which): boolean {
  return which === 'all' || (which === 'subscribers') === pair.isSubscriber;
}

function end({ down, up }: Pair): void {
  down.destroy();
  up.destroy();
}
