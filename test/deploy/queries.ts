/** What dashboards and alert rules ask of Prometheus. */
import { METRICS, type MetricName } from '../../src/chat/meter.js';
import { readText } from '../house/sources.js';

type Panel = { readonly title: string; readonly targets?: readonly { readonly expr: string }[] };

/** Every query of the dashboard, with its panel. */
export function dashboardQueries(): readonly { readonly panel: string; readonly expr: string }[] {
  const { panels } = JSON.parse(readText('deploy/grafana/dashboards/skein.json')) as { panels: Panel[] };
  return panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ panel: title, expr })));
}

/** `skein_…` names in an expression, and the labels that stand beside each; a histogram under the name of the table. */
export function metricsIn(expr: string): readonly { readonly name: string; readonly labels: readonly string[] }[] {
  return [...expr.matchAll(/\b(skein_[a-z_]+)(?:\{([^}]*)\})?/g)].map(([, name = '', matchers = '']) => ({
    name: tableName(name),
    labels: [...matchers.matchAll(/([a-z_]+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
  }));
}

/** Facts of a Node.js process, which src/ops/metrics.ts takes from prom-client. */
const OF_PROCESS = /^skein_(?:process|nodejs)_[a-z_]+$/;
/** Labels that Prometheus itself adds. */
const OF_PROMETHEUS = ['instance', 'job'];

/** What an expression names that no node has. */
export function unknownIn(expr: string): readonly string[] {
  return metricsIn(expr).flatMap(({ name, labels }) => {
    if (OF_PROCESS.test(name)) return [];
    if (!(name in METRICS)) return [name];
    const spec = METRICS[name as MetricName];
    const known: readonly string[] = 'labels' in spec ? spec.labels : [];
    return labels.filter((label) => ![...known, ...OF_PROMETHEUS].includes(label)).map((label) => `${name}{${label}}`);
  });
}

function tableName(name: string): string {
  const base = name.replace(/_(?:bucket|sum|count)$/, '');
  return base in METRICS && METRICS[base as MetricName].kind === 'histogram' ? base : name;
}
