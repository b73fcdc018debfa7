/** Stands between clients and a node, and does what networks do. */

import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';

export class CutProxy {
  /** Connections that ask for an upgrade are ended, as some proxies do. */
  blocksUpgrades = false;
  /** Nothing that the node says arrives any more, and nobody is told. */
  isDeaf = false;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  readonly #server: Server;

  private constructor(port: number) {
    this.#server = createServer((down) => this.#accept(down, port));
  }

  static async before(url: string): Promise<CutProxy> {
    const proxy = new CutProxy(Number(new URL(url).port));
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Breaks every connection. */
  cut(): void {
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(down: Socket, port: number): void {
    const up = connect(port, '127.0.0.1');
    const pair = [down, up] as const;
    this.#pairs.add(pair);
    const end = (): void => {
      this.#pairs.delete(pair);
      for (const socket of pair) socket.destroy();
    };
    for (const socket of pair) socket.on('close', end).on('error', end);
    down.on('data', (bytes) => {
      if (this.blocksUpgrades && /\r\nupgrade: websocket/i.test(bytes.toString('latin1'))) end();
      else up.write(bytes);
    });
    up.on('data', (bytes) => this.isDeaf || down.write(bytes));
  }
}
