/** Proxies between nodes and Redis, as the faults see them: they live in a process of their own. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export type Damage =
  | { readonly do: 'cuts'; readonly part: number }
  | { readonly do: 'turns'; readonly port: number }
  | { readonly do: 'delays'; readonly ms: number }
  | { readonly do: 'drops'; readonly part: number }
  | { readonly do: 'refuses' | 'swallows' | 'deafens' | 'blackholes' | 'heals' };

export type ProxyOrder = { readonly proxy: number } & ({ readonly do: 'open'; readonly port: number } | Damage);
export type ProxyAnswer = { readonly number: number; readonly port?: number; readonly error?: string };

type Waiting = { readonly resolve: (port: number) => void; readonly reject: (error: Error) => void };

const WORKER = fileURLToPath(new URL('../proxies.js', import.meta.url));

export class ProxyHost {
  private readonly child: ChildProcess = fork(WORKER, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  private readonly waiting = new Map<number, Waiting>();
  private orders = 0;
  private proxies = 0;

  constructor() {
    this.child.on('message', (answer: ProxyAnswer) => this.settle(answer));
    this.child.on('exit', (code) => {
      for (const { reject } of this.waiting.values()) reject(new Error(`the proxies ended with ${code}`));
    });
  }

  async open(port: number): Promise<RemoteProxy> {
    const proxy = ++this.proxies;
    const own = await this.ask({ proxy, do: 'open', port });
    return new RemoteProxy(own, async (order) => void (await this.ask({ proxy, ...order })));
  }

  get isAlive(): boolean {
    return this.child.connected;
  }

  /** Ends all proxies, and every connection through them. */
  end(): void {
    if (this.child.connected) this.child.disconnect();
  }

  private ask(order: ProxyOrder): Promise<number> {
    const number = ++this.orders;
    return new Promise((resolve, reject) => {
      this.waiting.set(number, { resolve, reject });
      this.child.send({ number, order });
    });
  }

  private settle({ number, port = 0, error }: ProxyAnswer): void {
    const waiting = this.waiting.get(number);
    this.waiting.delete(number);
    if (error === undefined) waiting?.resolve(port);
    else waiting?.reject(new Error(error));
  }
}

/** See TcpProxy for what its methods do. Each resolves when it is done. */
export class RemoteProxy {
  constructor(
    readonly port: number,
    private readonly tell: (damage: Damage) => Promise<void>,
  ) {}

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Ends this part of the connections, whichever. */
  cuts(part = 1): Promise<void> {
    return this.tell({ do: 'cuts', part });
  }

  turnsTo(port: number): Promise<void> {
    return this.tell({ do: 'turns', port });
  }

  refuses(): Promise<void> {
    return this.tell({ do: 'refuses' });
  }

  delays(ms: number): Promise<void> {
    return this.tell({ do: 'delays', ms });
  }

  /** Answers to commands are lost. */
  swallows(): Promise<void> {
    return this.tell({ do: 'swallows' });
  }

  /** The subscribers of now hear nothing any more. */
  deafens(): Promise<void> {
    return this.tell({ do: 'deafens' });
  }

  blackholes(): Promise<void> {
    return this.tell({ do: 'blackholes' });
  }

  /** This part of the published messages is lost, whichever. */
  drops(part: number): Promise<void> {
    return this.tell({ do: 'drops', part });
  }

  heals(): Promise<void> {
    return this.tell({ do: 'heals' });
  }
}
