/** Everything that a run starts: Redis, nodes with a proxy each, and a load balancer in front of them. */
import { existsSync } from 'node:fs';
import { pause } from '../../client/gate.js';
import { type Environment, freePort } from '../../rig/programs.js';
import type { Place } from '../client/client.js';
import { ProxyHost, type RemoteProxy } from '../remote-proxy.js';
import type { Patch } from '../unsafe/patch.js';
import { LoadBalancer } from './balancer.js';
import { ChaosNode, MAIN } from './chaos-node.js';
import { Store, type StoreSettings } from './store.js';

const DISTANCE_MS = 100;
const READY_MS = 60_000;
/** How long replication lags before a failover. */
const LAGGING_MS = 1_500;

export type SiteSettings = {
  readonly nodes: number;
  readonly store: StoreSettings;
  /** A second Redis that replicates the first, so that there can be failovers. */
  readonly hasReplica: boolean;
  readonly env?: Environment;
  readonly patches?: readonly Patch[];
};

/** A second Redis, and the proxy through which it copies from the first. */
type Pair = { readonly replica: Store; readonly link: RemoteProxy };

async function paired(store: Store, settings: StoreSettings, proxies: ProxyHost): Promise<Pair> {
  const [replica, link] = [await Store.start(settings), await proxies.open(store.port)];
  await replica.follows(link.port);
  return { replica, link };
}

export class Site {
  /** What ended by itself, or with another code than 0 when it was asked to leave. */
  readonly crashes: string[] = [];
  private constructor(
    readonly settings: SiteSettings,
    private primary: Store,
    readonly nodes: readonly ChaosNode[],
    readonly balancer: LoadBalancer,
    private readonly distance: RemoteProxy,
    private readonly proxies: ProxyHost,
    private pair: Pair | undefined,
  ) {}

  static async start(settings: SiteSettings): Promise<Site> {
    if (!existsSync(MAIN)) throw new Error(`${MAIN} is missing: run npm run build first`);
    const store = await Store.start(settings.store);
    const proxies = new ProxyHost();
    const pair = settings.hasReplica ? await paired(store, settings.store, proxies) : undefined;
    const nodes: ChaosNode[] = [];
    for (let number = 1; number <= settings.nodes; number++) {
      const link = await proxies.open(store.port);
      nodes.push(new ChaosNode(number, await freePort(), link, settings.env ?? {}, settings.patches ?? []));
    }
    await Promise.all(nodes.map((node) => node.start()));
    const balancer = await LoadBalancer.start(nodes.map(({ port }) => port));
    const distance = await proxies.open(balancer.port);
    await distance.delays(DISTANCE_MS);
    return new Site(settings, store, nodes, balancer, distance, proxies, pair);
  }

  /** The Redis that the nodes write to. */
  get store(): Store {
    return this.primary;
  }

  /**
   * The replica, which is so much behind (ms), takes the place of the primary, which is killed or cut off from the nodes
   * and loses what it alone has; then it becomes the replica.
   */
  async failsOver(lag: number, isKilled: boolean, ms: number): Promise<void> {
    if (this.pair === undefined) throw new Error('there is no replica');
    const { replica, link } = this.pair;
    const old = this.primary;
    await link.delays(lag);
    await pause(LAGGING_MS);
    // What is on its way to the replica at this moment never arrives.
    await link.refuses();
    await link.cuts();
    if (isKilled) await old.kills();
    await pause(ms);
    await replica.leads();
    this.primary = replica;
    for (const node of this.nodes) await node.link.turnsTo(replica.port);
    if (isKilled) await old.starts();
    await link.heals();
    await link.turnsTo(replica.port);
    await old.follows(link.port);
    this.pair = { replica: old, link };
  }

  get place(): Place {
    return { host: '127.0.0.1', port: this.balancer.port };
  }

  /** The same for clients a tenth of a second away, who go on sending for a while before they hear of a failure. */
  get farAway(): Place {
    return { host: '127.0.0.1', port: this.distance.port };
  }

  /** Programs that ended though nobody had killed them. */
  get casualties(): readonly string[] {
    const dead = this.nodes.flatMap(({ crashes }) => crashes);
    if (!this.balancer.isAlive) dead.push(this.balancer.obituary);
    if (!this.proxies.isAlive) dead.push('the process of the proxies');
    return [...this.crashes, ...dead];
  }

  /** Everything runs and nothing is in its way when this resolves; rejects where a node is not ready in time. */
  async heals(): Promise<void> {
    if (this.store.isAlive) this.store.thaws();
    else await this.store.starts();
    await this.store.asks((client) => client.config('SET', 'maxmemory', '0'));
    for (const node of this.nodes) {
      node.thaws();
      await node.link.heals();
    }
    await Promise.all(this.nodes.filter(({ isAlive }) => !isAlive).map((node) => node.start()));
    const end = performance.now() + READY_MS;
    for (const node of this.nodes)
      while (!(await node.isReady()))
        if (performance.now() > end)
          throw new Error(`${node.name} is not ready ${READY_MS / 1_000} s after the last fault`);
  }

  async stops(): Promise<void> {
    this.proxies.end();
    await this.balancer.stops();
    await Promise.all(this.nodes.map((node) => node.kill()));
    await this.pair?.replica.stops();
    await this.store.stops();
  }
}
