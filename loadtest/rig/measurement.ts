/** One measurement: what was done, what it cost, and whether all of it came. */
import type { Latency } from '../client/latency.js';
import type { Counts } from '../orders.js';
import { scaled } from './speed.js';
import type { Watched } from './watch.js';

export type Latencies = {
  readonly delivery: Latency;
  readonly ack: Latency;
  readonly lateness: Latency;
  readonly login: Latency;
};

export type Faults = {
  readonly lost: number;
  readonly doubled: number;
  readonly outOfOrder: number;
  readonly badAcks: number;
  /** Connections that broke, or never came about; with reasons. */
  readonly broken: number;
  readonly refused: number;
  readonly reasons: Readonly<Record<string, number>>;
};

/** CPU microseconds for one unit of work, at the reference speed. */
export type Cost = { readonly nodes: number; readonly redis: number; readonly total: number };

export type Measurement = {
  /** What a cost is of: a delivered message, a log-in, a connection kept for a second. */
  readonly unit: 'delivery' | 'log-in' | 'connection-second';
  readonly units: number;
  /** Of a system that the rig did not start, nothing is known. */
  readonly cost: Cost | undefined;
  /** CPU microseconds of the generator's own workers for one unit, at the reference speed. */
  readonly ownCost: number;
  readonly watched: Watched;
  readonly counts: Counts;
  readonly latencies: Latencies;
  readonly faults: Faults;
  readonly connections: number;
  /** Bytes of the nodes' memory for each connection that came while it was measured. */
  readonly bytesPerConnection: number | undefined;
};

export function costOf({ nodes, redis, speed }: Watched, units: number): Cost | undefined {
  if (nodes.length === 0 || units === 0) return undefined;
  const micros = (seconds: number): number => scaled((seconds * 1_000_000) / units, speed);
  const ofNodes = micros(nodes.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0));
  const ofRedis = micros(redis?.cpuSeconds ?? 0);
  return { nodes: ofNodes, redis: ofRedis, total: ofNodes + ofRedis };
}

export function memoryPerConnection({ nodes }: Watched, connections: number): number | undefined {
  if (nodes.length === 0 || connections === 0) return undefined;
  return nodes.reduce((sum, { memoryBefore, memoryAfter }) => sum + memoryAfter - memoryBefore, 0) / connections;
}

/** Whether everything came, once and in order. */
export const isClean = ({ lost, doubled, outOfOrder, badAcks, broken, refused }: Faults): boolean =>
  lost + doubled + outOfOrder + badAcks + broken + refused === 0;
