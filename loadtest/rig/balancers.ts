/** HAProxy and nginx with the configurations of deploy/, for nodes on this machine. */
import { readFileSync } from 'node:fs';
import { ROOT } from './root.js';

export type BalancerPorts = { readonly front: number; readonly metrics: number };

/** What differs between the configuration as it is shipped and a run: where it listens, and where the nodes are. */
export type BalancerKind = {
  readonly name: 'haproxy' | 'nginx';
  /** The configuration as it is shipped. */
  readonly shipped: string;
  /** The same for these addresses, with files of its own in `folder`. */
  adapt(ports: BalancerPorts, nodes: readonly number[], folder: string): string;
  command(file: string, folder: string): readonly string[];
};

export const HAPROXY: BalancerKind = {
  name: 'haproxy',
  shipped: readFileSync(`${ROOT}deploy/haproxy/haproxy.cfg`, 'utf8'),
  adapt: (ports, nodes) =>
    replaced(HAPROXY.shipped, [
      [/bind :9527/g, () => `bind 127.0.0.1:${ports.front}`],
      [/bind :8404/g, () => `bind 127.0.0.1:${ports.metrics}`],
      [
        / {2}server-template node 64 skein:9527(.*) resolvers platform init-addr none/g,
        (options) => nodes.map((port) => `  server node${port} 127.0.0.1:${port}${options}`).join('\n'),
      ],
    ]),
  command: (file) => ['-db', '-f', file],
};

export const NGINX: BalancerKind = {
  name: 'nginx',
  shipped: readFileSync(`${ROOT}deploy/nginx/nginx.conf`, 'utf8'),
  adapt: (ports, nodes, folder) =>
    replaced(NGINX.shipped, [
      [/listen 9527;/g, () => `listen 127.0.0.1:${ports.front};`],
      [/ \/tmp\//g, () => ` ${folder}/`],
      [/worker_rlimit_nofile 200000;/g, () => ''],
      [
        / {4}server skein:9527 resolve(.*)/g,
        (options) => nodes.map((port) => `    server 127.0.0.1:${port}${options}`).join('\n'),
      ],
    ]),
  command: (file, folder) => ['-p', folder, '-c', file, '-g', 'daemon off;'],
};

type Replacement = readonly [pattern: RegExp, by: (group: string) => string];

function replaced(text: string, replacements: readonly Replacement[]): string {
  return replacements.reduce((before, [pattern, by]) => {
    const after = before.replace(pattern, (_, group: unknown) => by(typeof group === 'string' ? group : ''));
    if (after === before) throw new Error(`the configuration has no ${pattern} any more`);
    return after;
  }, text);
}
