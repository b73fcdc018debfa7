/** A node in this process on the embedded backend, and what the tests of its HTTP side ask of it. */
import { afterAll, beforeAll } from 'vitest';
import type { Backend } from '../../src/chat/ports.js';
import { createMemoryBackend } from '../../src/memory/backend.js';
import { createNode, type Node } from '../../src/node.js';
import { type Environment, loadConfig } from '../../src/ops/config.js';
import { createLog } from '../../src/ops/log.js';
import { createMetrics, type Metrics } from '../../src/ops/metrics.js';
import { Connection } from '../support/client.js';
import { type Answer, type ErrorBody, http, type Request } from '../support/http.js';

export const SERVER_KEY = 'a-server-key-that-nobody-would-guess';

export class House {
  readonly metrics: Metrics = createMetrics();
  /** What the node logged. */
  readonly logged: string[] = [];
  private node: Node | undefined;
  private port = 0;
  private readonly connections: Connection[] = [];

  constructor(private readonly env: () => Environment) {}

  async opens(): Promise<this> {
    const loaded = loadConfig({ SKEIN_PORT: '0', SKEIN_SERVER_KEY: SERVER_KEY, SKEIN_RATE: '100000', ...this.env() });
    if ('errors' in loaded) throw new Error(loaded.errors.join('\n'));
    const { config } = loaded;
    const log = createLog(config, { write: (line) => void this.logged.push(line) });
    const limits = { ...config, retentionMs: config.retentionMs };
    const backend: Backend = createMemoryBackend({ limits });
    this.node = await createNode({ config, backend, meter: this.metrics.meter, log, version: '1.2.3' });
    this.port = await this.node.listen();
    return this;
  }

  async closes(): Promise<void> {
    for (const connection of this.connections) connection.socket.terminate();
    await this.node?.close();
    this.metrics.close();
  }

  /** One request; `as` is a user of open mode. */
  asks<Body = ErrorBody>(path: string, request: Request & { readonly as?: string } = {}): Promise<Answer<Body>> {
    const { as, ...rest } = request;
    const who = as === undefined ? '' : `${path.includes('?') ? '&' : '?'}uid=${encodeURIComponent(as)}`;
    return http<Body>(`http://127.0.0.1:${this.port}${path}${who}`, rest);
  }

  /** The status, and the code of the error if it is one. */
  async outcome(path: string, request: Request & { readonly as?: string } = {}): Promise<readonly [number, string?]> {
    const { status, body } = await this.asks(path, request);
    return body?.error === undefined ? [status] : [status, body.error.code];
  }

  /** Whether a token opens the door: the status of a request with it. */
  async status(token: string): Promise<number> {
    return (await this.asks('/v1/messages?wait=0', { token })).status;
  }

  /** A WebSocket, whoever it is from; rejects where the upgrade is refused. */
  async opensLine(query: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = {}) {
    const line = await Connection.open(`ws://127.0.0.1:${this.port}/ws?${new URLSearchParams(query)}`, { headers });
    this.connections.push(line);
    return line;
  }

  async connects(query: Readonly<Record<string, string>>): Promise<Connection> {
    const line = await this.opensLine(query);
    await line.firstOf('synced');
    return line;
  }
}

/** A node that the tests of a file or of a `describe` share. */
export function house(env: () => Environment = () => ({})): House {
  const shared = new House(env);
  beforeAll(() => shared.opens());
  afterAll(() => shared.closes());
  return shared;
}
