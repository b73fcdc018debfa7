/** Everything that a run starts: Redis, nodes with a proxy each, and a load balancer in front of them. */
import { existsSync } from 'node:fs';
import { type Environment, freePort } from '../../rig/programs.js';
import type { Place } from '../client/client.js';
import { TcpProxy } from '../tcp-proxy.js';
import { LoadBalancer } from './balancer.js';
import { ChaosNode, MAIN } from './chaos-node.js';
import { Store, type StoreSettings } from './store.js';

const READY_MS = 20_000;

export type SiteSettings = {
  readonly nodes: number;
  readonly store: StoreSettings;
  /** A second Redis that replicates the first, so that there can be failovers. */
  readonly hasReplica: boolean;
  readonly env?: Environment;
};

export class Site {
  /** What ended by itself, or with another code than 0 when it was asked to leave. */
  readonly crashes: string[] = [];
  private constructor(
    readonly settings: SiteSettings,
    public store: Store,
    readonly nodes: readonly ChaosNode[],
    readonly balancer: LoadBalancer,
    public replica: Store | undefined,
  ) {}

  static async start(settings: SiteSettings): Promise<Site> {
    if (!existsSync(MAIN)) throw new Error(`${MAIN} is missing: run npm run build first`);
    const store = await Store.start(settings.store);
    const replica = settings.hasReplica ? await Store.start(settings.store, store.port) : undefined;
    const nodes: ChaosNode[] = [];
    for (let number = 1; number <= settings.nodes; number++) {
      const link = await TcpProxy.to(store.port);
      nodes.push(new ChaosNode(number, await freePort(), link, settings.env ?? {}));
    }
    await Promise.all(nodes.map((node) => node.start()));
    const balancer = await LoadBalancer.start(nodes.map(({ port }) => port));
    return new Site(settings, store, nodes, balancer, replica);
  }

  get place(): Place {
    return { host: '127.0.0.1', port: this.balancer.port };
  }

  /** Programs that ended though nobody had killed them. */
  get casualties(): readonly string[] {
    const dead = this.nodes.map(({ crash }) => crash).filter((crash) => crash !== undefined);
    if (!this.balancer.isAlive) dead.push(this.balancer.obituary);
    return [...this.crashes, ...dead];
  }

  /** Everything runs and nothing is in its way when this resolves; rejects where a node is not ready in time. */
  async heals(): Promise<void> {
    if (this.store.isAlive) this.store.thaws();
    else await this.store.starts();
    await this.store.asks((client) => client.config('SET', 'maxmemory', '0'));
    for (const node of this.nodes) {
      node.thaws();
      node.link.heals();
    }
    await Promise.all(this.nodes.filter(({ isAlive }) => !isAlive).map((node) => node.start()));
    const end = performance.now() + READY_MS;
    for (const node of this.nodes)
      while (!(await node.isReady()))
        if (performance.now() > end)
          throw new Error(`${node.name} is not ready ${READY_MS / 1_000} s after the last fault`);
  }

  async stops(): Promise<void> {
    await this.balancer.stops();
    await Promise.all(this.nodes.map((node) => node.kill()));
    await Promise.all(this.nodes.map(({ link }) => link.closes()));
    await this.replica?.stops();
    await this.store.stops();
  }
}
