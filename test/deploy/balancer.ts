/** HAProxy and nginx with the configurations of deploy/, in front of nodes of a test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BalancerKind, type BalancerPorts, HAPROXY, NGINX } from '../../loadtest/rig/balancers.js';
import { freePort } from '../../loadtest/rig/programs.js';
import { http } from '../support/http.js';
import type { NodeProcess } from '../support/process.js';
import { until } from '../support/until.js';
import { program } from './program.js';

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

type Kind = BalancerKind & {
  /** Whether it has seen by now that no node is ready. */
  seesNoneReady(ports: BalancerPorts): Promise<boolean>;
};

export const KINDS: readonly Kind[] = [
  {
    ...HAPROXY,
    async seesNoneReady({ metrics }) {
      const { text } = await http(`http://127.0.0.1:${metrics}/metrics`);
      return /^haproxy_backend_active_servers\{proxy="ready"\} 0$/m.test(text);
    },
  },
  { ...NGINX, seesNoneReady: () => Promise.resolve(true) },
];

/** Those that are installed here. */
export const BALANCERS = KINDS.filter(({ name }) => program(name) !== undefined);

export class Balancer {
  private readonly folder = mkdtempSync(join(tmpdir(), 'skein-balancer-'));
  private child: ChildProcess | undefined;
  private ended: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly kind: Kind,
    private readonly ports: BalancerPorts,
  ) {}

  /** Starts it, and waits until a node answers through it. */
  static async start(kind: Kind, nodes: readonly NodeProcess[]): Promise<Balancer> {
    const balancer = new Balancer(kind, { front: await freePort(), metrics: await freePort() });
    balancer.launch(nodes);
    const answers = () =>
      http(`${balancer.url}/readyz`).then(
        ({ status }) => status === 200,
        () => false,
      );
    await until(answers, () => `${kind.name} to answer; it printed ${balancer.printed}`, 10_000);
    return balancer;
  }

  get url(): string {
    return `http://127.0.0.1:${this.ports.front}`;
  }

  wsUrl(query: Readonly<Record<string, string>>): string {
    return `ws://127.0.0.1:${this.ports.front}/ws?${new URLSearchParams(query)}`;
  }

  /** Everything that it wrote. */
  get printed(): string {
    return readFileSync(this.log, 'utf8');
  }

  seesNoneReady(): Promise<boolean> {
    return this.kind.seesNoneReady(this.ports);
  }

  /** Dies, and every connection with it; `returns` brings it back. */
  async dies(): Promise<void> {
    this.child?.kill('SIGKILL');
    await this.ended;
  }

  /** Starts again, at the same address. */
  returns(nodes: readonly NodeProcess[]): void {
    this.launch(nodes);
  }

  async stop(): Promise<void> {
    this.child?.kill('SIGTERM');
    await this.ended;
    rmSync(this.folder, { recursive: true, force: true });
  }

  private get log(): string {
    return join(this.folder, 'log');
  }

  private launch(nodes: readonly NodeProcess[]): void {
    // nginx's workers run as another user, and keep bodies in here.
    chmodSync(this.folder, 0o755);
    const file = join(this.folder, 'conf');
    const ports = nodes.map(({ port }) => port);
    writeFileSync(file, this.kind.adapt(this.ports, ports, this.folder));
    // A file, not a pipe: nginx opens /dev/stdout by name, which a socket does not allow.
    const log = openSync(this.log, 'a');
    const path = program(this.kind.name) ?? this.kind.name;
    const child = spawn(path, this.kind.command(file, this.folder), { stdio: ['ignore', log, log] });
    this.child = child;
    running.add(child);
    this.ended = new Promise((resolve) => {
      child.once('close', (code) => {
        running.delete(child);
        resolve(code);
      });
    });
  }
}
