// What Prometheus of the stack has: every query of the dashboard and every selector of an alert must find something.
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

const read = (path) => readFileSync(new URL(`../../deploy/${path}`, import.meta.url), 'utf8');

/** Of what must not happen: no run that is well has a series of it. */
const NEVER = [/code="internal"/, /sockets="ws"/];

export class Series {
  constructor(prometheus) {
    this.prometheus = prometheus;
    this.began = Date.now() / 1_000;
  }

  async ask(path, query = {}) {
    const answer = await fetch(`${this.prometheus}/api/v1/${path}?${new URLSearchParams(query)}`);
    const body = await answer.json();
    if (body.status !== 'success') throw new Error(`${path} ${JSON.stringify(query)}: ${body.error}`);
    return body.data;
  }

  async targets(job) {
    const { activeTargets } = await this.ask('targets', { state: 'active' });
    return activeTargets.filter(({ labels }) => labels.job === job);
  }

  /** Whether the expression had a value at any time since this was made. */
  async hasHad(expr) {
    const end = Date.now() / 1_000;
    const { result } = await this.ask('query_range', { query: expr, start: this.began, end, step: 5 });
    return result.length > 0;
  }

  /** Names of those that have been pending or firing. */
  async alarms() {
    const { result } = await this.ask('query_range', {
      query: 'ALERTS',
      start: this.began,
      end: Date.now() / 1_000,
      step: 5,
    });
    return [...new Set(result.map(({ metric }) => `${metric.alertname} (${metric.alertstate})`))].sort();
  }

  /** What finds nothing, of the dashboard and of the alerts; and how many were asked. */
  async gaps() {
    const asked = [...dashboard(), ...alerts()].filter(({ expr }) => !NEVER.some((never) => never.test(expr)));
    const found = await Promise.all(asked.map(({ expr }) => this.hasHad(expr)));
    return {
      asked: asked.length,
      missing: asked.filter((_, index) => !found[index]).map(({ of, expr }) => `${of}: ${expr}`),
    };
  }
}

function dashboard() {
  const { panels } = JSON.parse(read('grafana/dashboards/skein.json'));
  return panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({
      of: `panel "${title}"`,
      expr: expr.replaceAll('$__rate_interval', '1m').replaceAll('$node', '.*'),
    })),
  );
}

/** An alert that does not fire has no series by itself, so each of its selectors is asked for. */
function alerts() {
  const rules = parse(read('prometheus/alerts.yml')).groups.flatMap((group) => group.rules);
  return rules.flatMap(({ alert, expr }) =>
    [...expr.matchAll(/\b(?:up|skein_[a-z_]+)(?:\{[^}]*\})?/g)].map(([selector]) => ({ of: alert, expr: selector })),
  );
}
