import { afterEach, describe, expect, test } from 'vitest';
import { METRICS } from '../../src/chat/meter.js';
import { createMetrics, type Metrics } from '../../src/ops/metrics.js';
import { startMetricsServer } from '../../src/ops/metrics-server.js';

const closing: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

function fresh(): Metrics {
  const metrics = createMetrics();
  closing.push(() => metrics.close());
  return metrics;
}

const OF_PROCESS = /^skein_(process|nodejs)_/;
const sampleOf = (text: string, sample: string) =>
  text
    .split('\n')
    .find((line) => line.startsWith(`${sample} `))
    ?.slice(sample.length + 1);

describe('the metrics', () => {
  test('are exactly those of the table, beside those of the process', async () => {
    const text = await fresh().text();
    const shown = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].filter(([, name]) => !OF_PROCESS.test(name ?? ''));
    expect(Object.fromEntries(shown.map(([, name, kind]) => [name, kind]))).toEqual(
      Object.fromEntries(Object.entries(METRICS).map(([name, { kind }]) => [name, kind])),
    );
    expect(text).toContain('skein_process_resident_memory_bytes ');
  });

  test('give the same cell each time, read when they are scraped', async () => {
    const { meter, text } = fresh();
    const cell = meter.cell('skein_connections', 'websocket');
    expect(meter.cell('skein_connections', 'websocket')).toBe(cell);
    cell.value += 3;
    expect(sampleOf(await text(), 'skein_connections{transport="websocket"}')).toBe('3');
    cell.value -= 1;
    expect(sampleOf(await text(), 'skein_connections{transport="websocket"}')).toBe('2');
  });

  test('begin at zero where they have no label', async () => {
    const shown = await fresh().text();
    expect(sampleOf(shown, 'skein_dedup_hits_total')).toBe('0');
    expect(sampleOf(shown, 'skein_restore_seconds_sum')).toBe('0');
  });

  test('count observations in cumulative buckets', async () => {
    const { meter, text } = fresh();
    for (const letters of [1, 2, 3, 128, 1_000]) meter.observe('skein_commit_letters', letters);
    const shown = await text();
    expect(sampleOf(shown, 'skein_commit_letters_bucket{le="1"}')).toBe('1');
    expect(sampleOf(shown, 'skein_commit_letters_bucket{le="4"}')).toBe('3');
    expect(sampleOf(shown, 'skein_commit_letters_bucket{le="128"}')).toBe('4');
    expect(sampleOf(shown, 'skein_commit_letters_bucket{le="+Inf"}')).toBe('5');
    expect(sampleOf(shown, 'skein_commit_letters_sum')).toBe('1134');
    expect(sampleOf(shown, 'skein_commit_letters_count')).toBe('5');
  });

  test('keep the labels of a histogram apart', async () => {
    const { meter, text } = fresh();
    meter.observe('skein_redis_command_seconds', 0.01, 'append');
    meter.observe('skein_redis_command_seconds', 0.02, 'read');
    expect(sampleOf(await text(), 'skein_redis_command_seconds_count{op="append"}')).toBe('1');
  });

  test('do not grow without bound where clients choose the label', async () => {
    const { meter, text } = fresh();
    for (let code = 4_000; code < 5_000; code++) meter.cell('skein_connections_closed_total', String(code)).value++;
    const lines = (await text()).match(/^skein_connections_closed_total\{.*$/gm) ?? [];
    expect(lines.length).toBeLessThanOrEqual(65);
    const counted = lines.map((line) => Number(line.split(' ')[1])).reduce((sum, value) => sum + value, 0);
    expect(counted).toBe(1_000);
  });

  test('refuse a label where there is none, and none where there is one', () => {
    const { meter } = fresh();
    expect(() => meter.cell('skein_users', 'A')).toThrow('without a label');
    expect(() => meter.cell('skein_errors_total')).toThrow('by code');
  });

  test('tell the build, and ask for what is only known when scraped', async () => {
    const metrics = fresh();
    metrics.describe({ version: '0.1.0 "x"', sockets: 'uws', backend: 'memory' });
    metrics.onScrape(() => {
      metrics.meter.cell('skein_pubsub_canary_age_seconds').value = 0.5;
    });
    const text = await metrics.text();
    expect(text).toContain(
      `skein_build_info{version="0.1.0 \\"x\\"",sockets="uws",backend="memory",node_version="${process.version}"} 1`,
    );
    expect(sampleOf(text, 'skein_pubsub_canary_age_seconds')).toBe('0.5');
  });

  test('show a blocked event loop until the next scrape', async () => {
    const { text } = fresh();
    const lag = async () => Number(sampleOf(await text(), 'skein_event_loop_lag_seconds'));
    const ticks = (count: number): Promise<void> =>
      count === 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(() => resolve(ticks(count - 1)), 15));
    await ticks(2);
    const until = performance.now() + 150;
    while (performance.now() < until);
    await ticks(2);
    expect(await lag()).toBeGreaterThan(0.05);
  });
});

describe('the metrics port', () => {
  async function served(readiness = { ready: true, reasons: [] as string[] }) {
    const metrics = fresh();
    const failures: unknown[] = [];
    const log = { error: (fields: unknown) => void failures.push(fields) };
    const server = await startMetricsServer({
      host: '127.0.0.1',
      port: 0,
      metrics,
      readiness: () => readiness,
      log,
    });
    closing.push(() => server.close());
    return {
      metrics,
      failures,
      port: server.port,
      get: (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${server.port}${path}`, init),
    };
  }

  test('serves the metrics as Prometheus reads them', async () => {
    const { get } = await served();
    const response = await get('/metrics?x=1');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(await response.text()).toContain('# TYPE skein_users gauge');
  });

  test('tells that the node is alive, and whether it is fit for traffic, and why not', async () => {
    const readiness = { ready: true, reasons: [] as string[] };
    const { get } = await served(readiness);
    expect((await get('/healthz')).status).toBe(200);
    expect((await get('/readyz')).status).toBe(200);
    Object.assign(readiness, { ready: false, reasons: ['draining'] });
    const response = await get('/readyz');
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ ready: false, reasons: ['draining'] });
    expect((await get('/healthz')).status).toBe(200);
  });

  test.each(['/', '/metrics/', '/debug', '//metrics'])('has nothing at %s', async (path) => {
    expect((await (await served()).get(path)).status).toBe(404);
  });

  test('takes nothing', async () => {
    expect((await (await served()).get('/metrics', { method: 'POST', body: 'x' })).status).toBe(404);
  });

  test('answers 500 and goes on where a metric cannot be read', async () => {
    const { get, metrics, failures } = await served();
    metrics.onScrape(() => {
      throw new Error('broken gauge');
    });
    expect((await get('/metrics')).status).toBe(500);
    expect(failures).toHaveLength(1);
    expect((await get('/healthz')).status).toBe(200);
  });

  test('that is taken is an error', async () => {
    const { port, metrics } = await served();
    const second = startMetricsServer({
      host: '127.0.0.1',
      port,
      metrics,
      readiness: () => ({ ready: true }),
      log: { error: () => undefined },
    });
    await expect(second).rejects.toThrow('EADDRINUSE');
  });
});
