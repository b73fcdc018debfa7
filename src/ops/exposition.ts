/** The text format in which Prometheus reads metrics. */
import type { Histogram } from './histogram.js';

type Labels = Readonly<Record<string, string>>;

const escapeHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
const escapeLabel = (text: string): string => escapeHelp(text).replaceAll('"', '\\"');

const numeral = (value: number): string => {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
};

export function header(name: string, kind: string, help: string): string {
  return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${kind}\n`;
}

export function sample(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
  return `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${numeral(value)}\n`;
}

/** Buckets are cumulative on the wire. */
export function histogramSamples(name: string, labels: Labels, { bounds, counts, sum }: Histogram): string {
  let below = 0;
  let lines = '';
  counts.forEach((count, bucket) => {
    below += count;
    const le = numeral(bounds[bucket] ?? Number.POSITIVE_INFINITY);
    lines += sample(`${name}_bucket`, { ...labels, le }, below);
  });
  return lines + sample(`${name}_sum`, labels, sum) + sample(`${name}_count`, labels, below);
}
