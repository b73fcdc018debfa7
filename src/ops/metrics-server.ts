import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Log } from './log.js';
import type { Metrics } from './metrics.js';

/** Whether this node is fit for traffic; shown whole at `/readyz`, so nothing secret may stand in it. */
export type Readiness = { readonly ready: boolean; readonly [fact: string]: unknown };

export type MetricsServerOptions = {
  readonly host: string;
  /** 0 takes any free one. */
  readonly port: number;
  readonly metrics: Pick<Metrics, 'text' | 'contentType'>;
  readonly readiness: () => Readiness;
  readonly log: Pick<Log, 'error'>;
};

const REQUEST_MS = 10_000;

/** Serves `/metrics`, `/healthz` and `/readyz`, nothing else. Rejects if the port is taken. */
export async function startMetricsServer(
  options: MetricsServerOptions,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server = createServer({ requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS }, (request, response) => {
    const path = (request.url ?? '').split('?', 1)[0];
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    answer(isRead ? path : undefined, response, options).catch((error: unknown) => {
      options.log.error({ err: error }, 'a scrape failed');
      if (!response.headersSent) reply(response, 500, 'text/plain', 'the metrics could not be read\n');
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.off('error', reject);
      server.on('error', (error) => options.log.error({ err: error }, 'the metrics port failed'));
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(path: string | undefined, response: ServerResponse, options: MetricsServerOptions) {
  switch (path) {
    case '/metrics':
      return reply(response, 200, options.metrics.contentType, await options.metrics.text());
    case '/healthz':
      return reply(response, 200, 'application/json', '{}\n');
    case '/readyz': {
      const readiness = options.readiness();
      return reply(response, readiness.ready ? 200 : 503, 'application/json', `${JSON.stringify(readiness)}\n`);
    }
    default:
      return reply(response, 404, 'text/plain', 'here are /metrics, /healthz and /readyz\n');
  }
}

/** On a HEAD request node:http leaves the body out by itself. */
function reply(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
