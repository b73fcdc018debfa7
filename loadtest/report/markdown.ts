/** A measurement as a page to read. */
import type { Latency } from '../client/latency.js';
import { type Cost, isClean, type Measurement } from '../rig/measurement.js';
import { REFERENCE_SPEED } from '../rig/speed.js';
import { kilobytes, milliseconds, rounded, table } from './figures.js';
import type { Hot } from './profile.js';
import { describe, type Setting } from './setting.js';

export type Report = {
  readonly setting: Setting;
  readonly title: string;
  readonly measurement: Measurement;
  readonly hot: readonly Hot[];
};

const UNITS = {
  delivery: 'delivered message',
  'log-in': 'log-in',
  'connection-second': 'connection and second',
} as const;

export function markdownOf({ setting, title, measurement, hot }: Report): string {
  const parts = [
    `# ${title}`,
    describe(setting),
    summary(measurement),
    latencies(measurement),
    costs(measurement),
    redisWork(measurement),
    hot.length === 0 ? '' : `Own time of the first node's functions:\n\n${hotTable(hot)}`,
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function summary({
  counts,
  watched,
  faults,
  connections,
  cost,
  unit,
  ownCost,
  bytesPerConnection,
}: Measurement): string {
  const rate = (n: number): string => Math.round(n / watched.seconds).toLocaleString('en-US');
  const { lost, doubled, outOfOrder, badAcks, broken, refused, reasons } = faults;
  const why = Object.entries(reasons).map(([reason, n]) => `${n} × ${reason}`);
  const lines = [
    `**${isClean(faults) ? 'All came, once and in order' : 'NOT ALL CAME AS IT SHOULD'}**: ` +
      `lost ${lost}, doubled ${doubled}, out of order ${outOfOrder}, bad acknowledgements ${badAcks}, ` +
      `refused ${refused}, broken connections ${broken}${why.length > 0 ? ` (${why.join(', ')})` : ''}.`,
    `${connections.toLocaleString('en-US')} connections, ${watched.seconds.toFixed(1)} s: ` +
      `sent ${rate(counts.sent)}/s, stored ${rate(counts.acked)}/s, delivered ${rate(counts.delivered)}/s.`,
    cost ? `**${costText(cost)} CPU µs a ${UNITS[unit]}**; the load generator's own: ${rounded(ownCost)}.` : '',
    bytesPerConnection === undefined ? '' : `${kilobytes(bytesPerConnection)} KB of node memory a connection.`,
    `Scaled from ${watched.speed.toFixed(0)} to ${REFERENCE_SPEED} MB of SHA-1 a CPU second.`,
  ];
  return lines.filter((line) => line !== '').join('\n');
}

const costText = ({ nodes, redis, total }: Cost): string =>
  redis === 0 ? rounded(total) : `${rounded(total)} (nodes ${rounded(nodes)}, Redis ${rounded(redis)})`;

function latencies({ latencies: { delivery, ack, lateness, login } }: Measurement): string {
  const row = (name: string, { count, mean, p50, p90, p99, p999, max }: Latency): string[] =>
    count === 0 ? [] : [name, ...[mean, p50, p90, p99, p999, max].map(milliseconds)];
  const rows = [
    row('until delivered', delivery),
    row('until acknowledged', ack),
    row('lateness of the generator itself', lateness),
    row('log-in', login),
  ].filter(({ length }) => length > 0);
  return rows.length === 0 ? '' : table(['latency', 'mean', 'p50', 'p90', 'p99', 'p99.9', 'max'], rows);
}

function costs({ watched: { nodes, redis, seconds } }: Measurement): string {
  const all = redis ? [...nodes, redis] : nodes;
  if (all.length === 0) return '';
  const rows = all.map(({ name, cpuSeconds, memoryBefore, memoryAfter }) => [
    name,
    `${((100 * cpuSeconds) / seconds).toFixed(0)} %`,
    `${(memoryBefore / 2 ** 20).toFixed(0)} MB`,
    `${(memoryAfter / 2 ** 20).toFixed(0)} MB`,
  ]);
  return table(['process', 'CPU of one core', 'memory before', 'after'], rows);
}

function redisWork({ watched: { work }, units, unit }: Measurement): string {
  if (work === undefined || units === 0) return '';
  const rows = [...work.commands]
    .sort(([, a], [, b]) => b.micros - a.micros)
    .filter(([name]) => name !== 'info')
    .slice(0, 16)
    .map(([name, { calls, micros }]) => [
      `\`${name.replace('|', ' ')}\``,
      rounded(calls / units),
      rounded(micros / calls),
      rounded(micros / units),
    ]);
  const head = ['Redis command', `calls a ${UNITS[unit]}`, 'µs a call', `µs a ${UNITS[unit]}`];
  const bytes = `Redis read ${rounded(work.bytesIn / units)} and wrote ${rounded(work.bytesOut / units)} bytes a ${UNITS[unit]}.`;
  return `${table(head, rows)}\n\nWhat scripts call is counted in the script's time and in its own row (unscaled). ${bytes}`;
}

const hotTable = (hot: readonly Hot[]): string =>
  table(
    ['function', 'own time'],
    hot.map(({ what, share }) => [`\`${what}\``, `${(100 * share).toFixed(1)} %`]),
  );
