import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { METRICS } from '../../src/chat/meter.js';
import { createMetrics } from '../../src/ops/metrics.js';
import { readText } from '../house/sources.js';
import { program } from './program.js';
import { dashboardQueries, metricsIn, unknownIn } from './queries.js';

const folder = fileURLToPath(new URL('../../deploy/prometheus/', import.meta.url));

type Rule = {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook: string };
};
const alerts = (parse(readText('deploy/prometheus/alerts.yml')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  ({ rules }) => rules,
);
const trials = parse(readText('deploy/prometheus/alerts.test.yml')) as { tests: { name: string }[] };

describe('the alerts', () => {
  test('name nothing that a node does not measure', () => {
    expect(alerts.length).toBeGreaterThan(10);
    expect(alerts.flatMap(({ alert, expr }) => unknownIn(expr).map((what) => `${alert}: ${what}`))).toEqual([]);
  });

  test('each have an entry in the runbook, and it has no other', () => {
    const headings = [...readText('docs/runbook.md').matchAll(/^## (Skein\w+)$/gm)].map(([, name]) => name);
    expect(headings).toEqual(alerts.map(({ alert }) => alert));
    expect(alerts.map(({ annotations }) => annotations.runbook)).toEqual(
      alerts.map(({ alert }) => `docs/runbook.md#${alert.toLowerCase()}`),
    );
  });

  test('are each tried when they fire and when they are quiet', () => {
    expect(trials.tests.map(({ name }) => name)).toEqual(
      alerts.flatMap(({ alert }) => [`${alert} fires`, `${alert} is quiet`]),
    );
  });

  const promtool = program('promtool');
  const run = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(promtool ?? '', args, { cwd: folder, encoding: 'utf8' });
    return { status, printed: stdout + stderr };
  };
  if (promtool !== undefined) {
    test('are understood by Prometheus, and fire when they should and not otherwise', () => {
      expect(run('check', 'config', 'prometheus.yml')).toMatchObject({ status: 0 });
      const { status, printed } = run('test', 'rules', 'alerts.test.yml');
      expect(printed).not.toContain('FAILED');
      expect(status).toBe(0);
      // Days of every alert's life: seconds of a processor that others may want, too.
    }, 180_000);

    test('and the queries of the dashboard are PromQL', () => {
      const directory = mkdtempSync(join(tmpdir(), 'skein-queries-'));
      const rules = dashboardQueries().map(({ expr }, index) => ({ record: `query_${index}`, expr: filledIn(expr) }));
      writeFileSync(join(directory, 'queries.json'), JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
      expect(run('check', 'rules', join(directory, 'queries.json'))).toMatchObject({ status: 0 });
      rmSync(directory, { recursive: true });
    });
  }
});

describe('the dashboard', () => {
  const queries = dashboardQueries();

  test('asks for nothing that a node does not measure', () => {
    expect(queries.flatMap(({ panel, expr }) => unknownIn(expr).map((what) => `${panel}: ${what}`))).toEqual([]);
  });

  test('shows every metric of the table', () => {
    const shown = new Set(queries.flatMap(({ expr }) => metricsIn(expr).map(({ name }) => name)));
    expect(Object.keys(METRICS).filter((name) => !shown.has(name))).toEqual([]);
  });

  test('asks for facts of the process that a node does tell', async () => {
    const metrics = createMetrics();
    const text = await metrics.text();
    metrics.close();
    const asked = [...queries, ...alerts].flatMap(({ expr }) => metricsIn(expr).map(({ name }) => name));
    const ofProcess = asked.filter((name) => !(name in METRICS)).map((name) => name.replace(/_(?:sum|count)$/, ''));
    expect(ofProcess.filter((name) => !text.includes(`# TYPE ${name} `))).toEqual([]);
  });

  test('finds its data source, as it is provisioned', () => {
    const { datasources } = parse(readText('deploy/grafana/provisioning/datasources/prometheus.yml')) as {
      datasources: { uid: string }[];
    };
    const uids = [...readText('deploy/grafana/dashboards/skein.json').matchAll(/"uid": "([^"]+)"/g)].map(([, u]) => u);
    expect([...new Set(uids)].sort()).toEqual([...datasources.map(({ uid }) => uid), 'skein'].sort());
  });
});

/** Grafana's own variables, as it would fill them in. */
function filledIn(expr: string): string {
  return expr.replaceAll('$__rate_interval', '1m').replaceAll('$node', '.*');
}
