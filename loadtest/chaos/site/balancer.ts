/** The load balancer of a run: HAProxy, or nginx where only that is installed. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BalancerKind, HAPROXY, NGINX } from '../../rig/balancers.js';
import { installed } from '../../rig/installed.js';
import { freePort, Program } from '../../rig/programs.js';

/** A line a request would be read by nobody. */
const quiet = (configuration: string): string =>
  configuration.replace('log stdout format raw local0 info', '').replace(/access_log .*;/, 'access_log off;');

export class LoadBalancer {
  private constructor(
    readonly kind: BalancerKind,
    readonly port: number,
    private readonly program: Program,
    private readonly folder: string,
  ) {}

  static kind(): BalancerKind {
    const kind = [HAPROXY, NGINX].find(({ name }) => installed(name) !== undefined);
    if (kind === undefined) throw new Error('Chaos needs a load balancer: install haproxy (or nginx).');
    return kind;
  }

  static async start(nodes: readonly number[], kind = LoadBalancer.kind()): Promise<LoadBalancer> {
    const ports = { front: await freePort(), metrics: await freePort() };
    const folder = mkdtempSync(join(tmpdir(), 'skein-chaos-'));
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    // nginx's workers run as another user, and keep bodies in here.
    chmodSync(folder, 0o755);
    const file = join(folder, 'conf');
    writeFileSync(file, quiet(kind.adapt(ports, nodes, folder)));
    // A master's workers would outlive it when it is killed.
    const args = kind.command(file, folder).map((arg) => arg.replace('daemon off;', 'daemon off; master_process off;'));
    const program = Program.start(kind.name, installed(kind.name) ?? kind.name, args);
    await program.until(async () => ((await accepts(ports.front)) ? true : undefined));
    return new LoadBalancer(kind, ports.front, program, folder);
  }

  get isAlive(): boolean {
    return this.program.isAlive;
  }

  get obituary(): string {
    return this.program.obituary;
  }

  async stops(): Promise<void> {
    await this.program.stop('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    // It does not listen yet.
    socket.once('error', () => resolve(false));
  });
