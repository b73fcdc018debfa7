/** What the rig and its workers tell each other. */
import type { DialectName } from './dialects/index.js';

export type NodeAddress = { readonly host: string; readonly port: number };

/** What the users do: they keep so many messages under way each, or all together send so many a second. */
export type Direct = { readonly inflight: number } | { readonly rate: number };
/** `senders` users together send `rate` messages a second to everybody in the room, or to everybody at all. */
export type Fanout = { readonly senders: number; readonly rate: number };

export type Plan = {
  readonly dialect: DialectName;
  readonly nodes: readonly NodeAddress[];
  /** Begins every uid and the room's name, so that no run meets what another one left. */
  readonly run: string;
  /** See clock.ts. */
  readonly epoch: number;
  /** Users on WebSockets; each one's partner, the other of its pair, is on another node if there is one. */
  readonly users: number;
  /** Users beyond those who send and long-poll over HTTP. */
  readonly pollers: number;
  /** Bytes of `data` in every message. */
  readonly bytes: number;
  readonly direct: Direct | undefined;
  readonly room: Fanout | undefined;
  readonly broadcast: Fanout | undefined;
  /** Which of how many workers this one is. */
  readonly share: number;
  readonly shares: number;
};

export type Order =
  | { readonly do: 'prepare'; readonly plan: Plan }
  /** Users join the room and leave again, so that membership is there before anybody stays. */
  | { readonly do: 'join'; readonly concurrency: number }
  /** So many others log in once and go; the users join so many rooms, each another few, and go. */
  | { readonly do: 'furnish'; readonly known: number; readonly rooms: number; readonly concurrency: number }
  | {
      readonly do: 'connect';
      readonly from: number;
      readonly to: number;
      readonly step: number;
      readonly concurrency: number;
    }
  /** Those who are connected send so many messages each to their partners. */
  | { readonly do: 'seed'; readonly messages: number }
  | { readonly do: 'disconnect' }
  | { readonly do: 'start' }
  | { readonly do: 'count' }
  | { readonly do: 'sample'; readonly reset: boolean }
  | { readonly do: 'stop' }
  /** `finals`: messages sent on each channel by all workers, direct ones left out. */
  | { readonly do: 'finish'; readonly finals: readonly number[] };

export type Counts = {
  readonly sent: number;
  /** Sends that the server said are stored; of servers that never say, 0. */
  readonly acked: number;
  readonly delivered: number;
  readonly refused: number;
  /** Connections that ended without having been asked to. */
  readonly broken: number;
};

/** Histograms are HDR, compressed, base64; in microseconds. */
export type Histograms = {
  /** From when a message was due to its delivery. */
  readonly delivery: string;
  /** From when it was due to its acknowledgement. */
  readonly ack: string;
  /** How late the generator itself was. */
  readonly lateness: string;
  /** From the beginning of a connection until it was ready. */
  readonly login: string;
};

export type Sample = {
  readonly counts: Counts;
  readonly histograms: Histograms;
  /** CPU seconds that this worker has used so far. */
  readonly cpu: number;
};

export type Faulty = {
  readonly lost: number;
  readonly doubled: number;
  readonly outOfOrder: number;
  /** Acknowledgements that never came, or in the wrong order. */
  readonly badAcks: number;
  /** Why connections broke, each reason once with its count. */
  readonly reasons: Readonly<Record<string, number>>;
};

export type Answers = {
  readonly prepare: null;
  readonly join: { readonly failed: number };
  readonly furnish: { readonly failed: number };
  readonly connect: { readonly ready: number; readonly failed: number };
  readonly seed: null;
  readonly disconnect: null;
  readonly start: null;
  readonly count: Counts;
  readonly sample: Sample;
  /** Messages sent on each channel by this worker. */
  readonly stop: readonly number[];
  readonly finish: Faulty;
};

export type OrderName = Order['do'];
export type Ask = { readonly number: number; readonly order: Order };
export type Reply = { readonly number: number; readonly answer?: unknown; readonly error?: string };
