/** The metrics, in one table; the domain counts in plain cells, src/ops/metrics.ts shows them to Prometheus. */

type Spec = {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels?: readonly string[];
};

export const METRICS = {
  skein_connections: { kind: 'gauge', help: 'Connections now, by transport.', labels: ['transport'] },
  skein_connections_opened_total: { kind: 'counter', help: 'Connections opened, by transport.', labels: ['transport'] },
  skein_connections_closed_total: { kind: 'counter', help: 'Connections closed, by close code.', labels: ['code'] },
  skein_users: { kind: 'gauge', help: 'Users with a connection to this node.' },
  skein_frames_received_total: {
    kind: 'counter',
    help: 'Frames and requests from clients, by type.',
    labels: ['kind'],
  },
  skein_errors_total: { kind: 'counter', help: 'Requests answered with an error, by code.', labels: ['code'] },
  skein_address_refusals_total: {
    kind: 'counter',
    help: 'Connections and log-ins refused because of their address, by limit.',
    labels: ['limit'],
  },
  skein_messages_stored_total: {
    kind: 'counter',
    help: 'Messages stored by this node, by kind of conversation.',
    labels: ['kind'],
  },
  skein_messages_delivered_total: {
    kind: 'counter',
    help: 'Messages pushed to a socket, by route.',
    labels: ['route'],
  },
  skein_delivery_seconds: {
    kind: 'histogram',
    help: 'From a message stored to its hint handled on a node that holds a reader.',
  },
  skein_commit_seconds: { kind: 'histogram', help: 'From a batch leaving for the store to its reply.' },
  skein_commit_letters: { kind: 'histogram', help: 'Messages in a batch.' },
  skein_dedup_hits_total: { kind: 'counter', help: 'Sends whose id was stored before.' },
  skein_lagging_connections: { kind: 'gauge', help: 'Connections that read too slowly to be pushed to.' },
  skein_dropped_sends_total: {
    kind: 'counter',
    help: 'Writes that the socket library dropped; each is repeated from the log.',
  },
  skein_repairs_total: {
    kind: 'counter',
    help: 'Reads of a log because a hint was late or lost, by reason.',
    labels: ['reason'],
  },
  skein_reconciliations_total: { kind: 'counter', help: 'Checks of all local users because hints may have been lost.' },
  skein_forwards_total: { kind: 'counter', help: 'Payloads published to another node.' },
  skein_forwards_wasted_total: { kind: 'counter', help: 'Forwarded entries that found nobody.' },
  skein_redis_command_seconds: { kind: 'histogram', help: 'Time of a call to Redis, by operation.', labels: ['op'] },
  skein_redis_errors_total: { kind: 'counter', help: 'Failed calls to Redis, by operation.', labels: ['op'] },
  skein_redis_calls: {
    kind: 'gauge',
    help: 'Calls to Redis now, by connection; above 256 they wait for their turn.',
    labels: ['connection'],
  },
  skein_redis_reconnects_total: {
    kind: 'counter',
    help: 'Reconnects to Redis, by connection.',
    labels: ['connection'],
  },
  skein_ring_bytes: { kind: 'gauge', help: 'What this node keeps to put back after a failover.' },
  skein_ring_overflow_total: { kind: 'counter', help: 'Entries that it could not keep for ten seconds.' },
  skein_restored_total: { kind: 'counter', help: 'Entries that this node put back into logs that had lost them.' },
  skein_restored_late_total: {
    kind: 'counter',
    help: 'Those of them that stand below others, which readers may have.',
  },
  skein_restore_seconds: { kind: 'histogram', help: 'Time that putting back took, without the wait for other nodes.' },
  skein_pubsub_canary_age_seconds: { kind: 'gauge', help: 'Seconds since this node last heard its own canary.' },
  skein_event_loop_lag_seconds: {
    kind: 'gauge',
    help: '99th percentile of the event loop delay since the last scrape.',
  },
  skein_ready: { kind: 'gauge', help: '1 while this node is fit for traffic, as `/readyz` says, else 0.' },
  skein_draining_seconds: { kind: 'gauge', help: 'Seconds since this node was told to stop; 0 before.' },
  skein_build_info: {
    kind: 'gauge',
    help: 'Always 1; the version, the socket adapter and the backend as labels.',
    labels: ['version', 'sockets', 'backend', 'node_version'],
  },
} as const satisfies Readonly<Record<string, Spec>>;

export type MetricName = keyof typeof METRICS;
type Named<K extends Spec['kind']> = {
  [N in MetricName]: (typeof METRICS)[N]['kind'] extends K ? N : never;
}[MetricName];

/** A number that is read when it is scraped. Counters only grow. */
export type Cell = { value: number };

export interface Meter {
  /** The cell of a counter or gauge and its label value; the same one each time. */
  cell(name: Named<'counter' | 'gauge'>, label?: string): Cell;
  /** Takes one observation, in seconds unless the name says otherwise. */
  observe(name: Named<'histogram'>, value: number, label?: string): void;
}
