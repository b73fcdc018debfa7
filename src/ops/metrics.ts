import { monitorEventLoopDelay } from 'node:perf_hooks';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { type Cell, METRICS, type Meter, type MetricName } from '../chat/meter.js';
import { header, histogramSamples, sample } from './exposition.js';
import { createHistogram, type Histogram, take } from './histogram.js';

type HistogramName = Parameters<Meter['observe']>[0];

const SUBSECOND = [0.0001, 0.0003, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];
const BOUNDS: Readonly<Record<HistogramName, readonly number[]>> = {
  skein_delivery_seconds: [...SUBSECOND, 10, 30],
  skein_commit_seconds: SUBSECOND,
  skein_commit_letters: [1, 2, 4, 8, 16, 32, 64, 128],
  skein_redis_command_seconds: SUBSECOND,
  skein_restore_seconds: SUBSECOND,
};

/** Clients choose some labels (close codes 4000 to 4999); what comes after this many is counted as `other`. */
const LABELS_MAX = 64;
const OTHER = 'other';
const LAG_RESOLUTION_MS = 10;
/** What prom-client knows of the process and is cheap to read; the rest walks every open handle. */
const PROCESS_METRICS = /^skein_(process|nodejs_(gc|heap|external))_/;

export type BuildInfo = { readonly version: string; readonly sockets: string; readonly backend: string };

export type Metrics = {
  readonly meter: Meter;
  readonly contentType: string;
  /** Fills `skein_build_info`. */
  describe(build: BuildInfo): void;
  /** Called before each scrape, to bring gauges up to date. */
  onScrape(refresh: () => void): void;
  /** All metrics as Prometheus reads them. Rejects if a refresh throws. */
  text(): Promise<string>;
  /** Stops measuring the event loop. */
  close(): void;
};

/** One metric of the table: its label values, each with what was counted. */
type Series<T> = Map<string, T>;

export function createMetrics(): Metrics {
  const cells = new Map<MetricName, Series<Cell>>();
  const histograms = new Map<MetricName, Series<Histogram>>();
  const refreshers: (() => void)[] = [];
  let build: BuildInfo | undefined;

  const histogram = (name: HistogramName, label?: string) =>
    histograms.get(name)?.get(label ?? '') ?? seriesOf(histograms, name, label, () => createHistogram(BOUNDS[name]));
  const meter: Meter = {
    cell: (name, label) => cells.get(name)?.get(label ?? '') ?? seriesOf(cells, name, label, () => ({ value: 0 })),
    observe: (name, value, label) => take(histogram(name, label), value),
  };
  for (const name of names) {
    // A metric without a label is there from the start, so that a rate over it has a zero to begin with.
    if ('labels' in METRICS[name]) continue;
    if (METRICS[name].kind === 'histogram') histogram(name as HistogramName);
    else meter.cell(name as Parameters<Meter['cell']>[0]);
  }

  const lag = watchLag(meter.cell('skein_event_loop_lag_seconds'));
  const registry = processMetrics();

  const samplesOf = (name: MetricName): string => {
    if (name === 'skein_build_info') {
      return build ? sample(name, { ...build, node_version: process.version }, 1) : '';
    }
    const counted = [...(cells.get(name) ?? [])].map(([label, { value }]) =>
      sample(name, labelled(name, label), value),
    );
    const observed = [...(histograms.get(name) ?? [])].map(([label, histogram]) =>
      histogramSamples(name, labelled(name, label), histogram),
    );
    return counted.concat(observed).join('');
  };

  return {
    meter,
    contentType: registry.contentType,
    describe: (facts) => {
      build = facts;
    },
    onScrape: (refresh) => void refreshers.push(refresh),
    async text() {
      lag.refresh();
      for (const refresh of refreshers) refresh();
      const own = names.map((name) => header(name, METRICS[name].kind, METRICS[name].help) + samplesOf(name));
      return own.join('') + (await registry.metrics());
    },
    close: lag.stop,
  };
}

const names = Object.keys(METRICS) as MetricName[];

function labelOf(name: MetricName): string | undefined {
  const spec = METRICS[name];
  return 'labels' in spec ? spec.labels[0] : undefined;
}

function labelled(name: MetricName, value: string): Readonly<Record<string, string>> {
  const label = labelOf(name);
  return label === undefined ? {} : { [label]: value };
}

function seriesOf<T>(table: Map<MetricName, Series<T>>, name: MetricName, label: string | undefined, make: () => T): T {
  if ((labelOf(name) === undefined) !== (label === undefined || label === '')) {
    throw new TypeError(`${name} is counted ${labelOf(name) ? `by ${labelOf(name)}` : 'without a label'}`);
  }
  const series = table.get(name) ?? new Map<string, T>();
  table.set(name, series);
  const wanted = label ?? '';
  const key = series.has(wanted) || series.size < LABELS_MAX ? wanted : OTHER;
  const found = series.get(key) ?? make();
  series.set(key, found);
  return found;
}

function watchLag(cell: Cell): { refresh(): void; stop(): void } {
  const delay = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  delay.enable();
  return {
    refresh() {
      // The histogram holds the time between two ticks of a timer, not how late the second was.
      cell.value = Math.max(0, delay.percentile(99) / 1e9 - LAG_RESOLUTION_MS / 1e3);
      delay.reset();
    },
    stop: () => void delay.disable(),
  };
}

let ofProcess: Registry | undefined;

/** One for the process: it watches the garbage collector, and can't be told to stop. */
function processMetrics(): Registry {
  if (ofProcess) return ofProcess;
  ofProcess = new Registry();
  collectDefaultMetrics({ register: ofProcess, prefix: 'skein_' });
  for (const { name } of ofProcess.getMetricsAsArray()) {
    if (!PROCESS_METRICS.test(name)) ofProcess.removeSingleMetric(name);
  }
  return ofProcess;
}
