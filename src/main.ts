/** Reads the configuration, picks a backend, starts a node, hands it to the shutdown. */
import { readFileSync } from 'node:fs';
import type { Backend } from './chat/ports.js';
import { createMemoryBackend } from './memory/backend.js';
import { createNode } from './node.js';
import { banner } from './ops/banner.js';
import { helpText, loadConfig } from './ops/config.js';
import { createLog, type Log } from './ops/log.js';
import { createMetrics, type Metrics } from './ops/metrics.js';
import { startMetricsServer } from './ops/metrics-server.js';
import type { Config } from './ops/settings.js';
import { createShutdown } from './ops/shutdown.js';
import { createRedisBackend } from './redis/backend.js';

/** Milliseconds in which a load balancer should have seen that the node is not ready any more. */
const NOTICE_MS = 1_000;

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

if (process.argv.includes('--help')) {
  process.stdout.write(helpText());
} else {
  const loaded = loadConfig();
  for (const warning of loaded.warnings) process.stderr.write(`warning: ${warning}\n`);
  if ('errors' in loaded) {
    for (const error of loaded.errors) process.stderr.write(`error: ${error}\n`);
    process.exitCode = 1;
  } else {
    await start(loaded.config);
  }
}

async function start(config: Config): Promise<void> {
  const log = createLog(config);
  const metrics = createMetrics();
  try {
    await run(config, pickBackend(config, metrics, log), metrics, log);
  } catch (error) {
    log.fatal({ err: error }, 'cannot start');
    process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  }
}

async function run(config: Config, backend: Backend, metrics: Metrics, log: Log): Promise<void> {
  const { meter } = metrics;
  const node = await createNode({ config, backend, meter, log, version });
  metrics.describe({ version, sockets: node.sockets, backend: backend.kind });
  const canaryAge = meter.cell('skein_pubsub_canary_age_seconds');
  const ready = meter.cell('skein_ready');
  const draining = meter.cell('skein_draining_seconds');
  let drainBegan: number | undefined;
  metrics.onScrape(() => {
    const now = node.readiness();
    canaryAge.value = now.canaryAge;
    ready.value = now.ready ? 1 : 0;
    draining.value = drainBegan === undefined ? 0 : (performance.now() - drainBegan) / 1_000;
  });
  if (node.fallback) log.warn({ sockets: node.sockets }, node.fallback);
  if (config.auth === 'open') log.warn({ host: config.host }, 'open mode: everybody may be anybody');
  const metricsServer = await startMetricsServer({
    host: config.metricsHost,
    port: config.metricsPort,
    metrics,
    readiness: () => node.readiness(),
    log,
  });
  const port = await node.listen();
  log.info(
    { port, metricsPort: metricsServer.port, backend: backend.kind, sockets: node.sockets, version },
    'listening',
  );
  process.stderr.write(banner(config, port));
  createShutdown({
    deadlineMs: config.drainMs,
    log,
    steps: [
      {
        name: 'not ready',
        run() {
          drainBegan = performance.now();
          node.drain();
        },
      },
      { name: 'load balancers notice', run: (left) => pause(Math.min(NOTICE_MS, left / 10)) },
      { name: 'clients go elsewhere', run: (left) => node.sendAway(left / 2) },
      { name: 'what is in hand', run: () => node.close() },
      { name: 'metrics', run: () => metricsServer.close() },
    ],
  });
}

function pickBackend(config: Config, { meter }: Metrics, log: Log): Backend {
  const limits = {
    pendingMessages: config.pendingMessages,
    pendingBytes: config.pendingBytes,
    strangerMessages: config.strangerMessages,
    strangers: config.strangers,
    conversations: config.conversations,
    retentionMessages: config.retentionMessages,
    retentionMs: Math.max(config.retentionMs, config.pendingMs),
    dedupMs: config.dedupMs,
    devices: config.devices,
    deviceMs: config.deviceMs,
  };
  if (config.redisUrl === undefined) return createMemoryBackend({ limits });
  return createRedisBackend({
    url: config.redisUrl,
    caFile: config.redisCa,
    prefix: config.redisPrefix,
    limits,
    meter,
    log,
    durability: config.durability,
    ringBytes: config.ringMb * 1_048_576,
    allowWeak: config.allowWeakRedis,
  });
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
