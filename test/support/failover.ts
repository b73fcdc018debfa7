/** A primary and a replica: the link between them can be cut, and the replica takes over. */

import { TcpProxy } from '../../loadtest/chaos/tcp-proxy.js';
import { RedisServer } from './redis.js';
import { until } from './until.js';

const SYNC_MS = 20_000;

export class Failover {
  private readonly others: (() => Promise<unknown>)[] = [];

  private constructor(
    public primary: RedisServer,
    public replica: RedisServer,
    /** Between the two. */
    private link: TcpProxy,
    /** Leads whoever uses it to the primary. */
    readonly store: TcpProxy,
    private readonly settings: Readonly<Record<string, string>>,
  ) {}

  static async ready(settings: Readonly<Record<string, string>> = {}): Promise<Failover> {
    const primary = await RedisServer.start({ more: { 'repl-diskless-sync-delay': '0', ...settings } });
    const { replica, link } = await replicaOf(primary, settings);
    return new Failover(primary, replica, link, await TcpProxy.to(primary.port), settings);
  }

  /** What the primary stores from now on does not reach the replica. */
  cuts(): void {
    this.link.refuses();
    this.link.cuts();
  }

  /** It reaches it again. */
  heals(): void {
    this.link.heals();
  }

  /** The primary dies, and the replica takes over with what it has. */
  async fails(): Promise<void> {
    await this.primary.kill();
    await this.replica.ask((client) => client.call('REPLICAOF', 'NO', 'ONE'));
    this.store.turnsTo(this.replica.port);
  }

  /** A new replica, for the next time. */
  async recovers(): Promise<void> {
    await Promise.all([this.primary.stop(), this.link.closes()]);
    this.primary = this.replica;
    const { replica, link } = await replicaOf(this.primary, this.settings);
    this.replica = replica;
    this.link = link;
  }

  /** One more replica, of another server. */
  async enlists(primary: RedisServer): Promise<void> {
    const { replica, link } = await replicaOf(primary, this.settings);
    this.others.push(() => Promise.all([replica.stop(), link.closes()]));
  }

  /** The replica has everything that the primary has. */
  isLevel(): Promise<boolean> {
    return until(
      async () => (await offsetOf(this.replica)) >= (await offsetOf(this.primary)),
      'the replica to be level',
      SYNC_MS,
    );
  }

  async closes(): Promise<void> {
    await Promise.all(this.others.splice(0).map((close) => close()));
    await Promise.all([this.store.closes(), this.link.closes(), this.primary.stop(), this.replica.stop()]);
  }
}

async function replicaOf(primary: RedisServer, settings: Readonly<Record<string, string>>) {
  const link = await TcpProxy.to(primary.port);
  const more = { 'repl-diskless-sync-delay': '0', ...settings, replicaof: `127.0.0.1 ${link.port}` };
  const replica = await RedisServer.start({ more });
  const isUp = async () =>
    (await replica.ask((client) => client.info('replication'))).includes('master_link_status:up');
  await until(() => isUp().catch(() => false), 'the replica to be in step', SYNC_MS);
  return { replica, link };
}

async function offsetOf(server: RedisServer): Promise<number> {
  const info = await server.ask((client) => client.info('replication'));
  const label = info.includes('role:master') ? 'master_repl_offset' : 'slave_repl_offset';
  return Number(new RegExp(`^${label}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
}
