/**
 * Runs with one safety turned off. Each must find a violation: a proof that finds nothing without the safety either
 * proves nothing. The nodes are those of the product; what is turned off is a setting, Redis' durability, or a few
 * lines that are taken out of a node's code as it is loaded.
 */
import type { FaultName } from './faults/index.js';
import type { Violation } from './ledger.js';
import { type Outcome, type Plan, STANDARD } from './run.js';
import { DURABLE } from './site/store.js';
import { slowDisk } from './slow-disk.js';

export type Control = {
  readonly about: string;
  readonly faults: readonly FaultName[];
  /** Which violations show that it was found out: one of them has to. */
  readonly finds: readonly Violation[];
  /** What is different; a text says why it cannot be tried here. */
  without(): Partial<Plan> | string;
};

const SLOW_FSYNC_MS = 1_500;
/** What nodes keep of the last ten seconds, and put back into a Redis that lacks it, is turned off. */
const NO_RING = { SKEIN_RING_MB: '0' };
/** They seldom settle; yet what only takes long on a busy machine is not to count as lost. */
const SMALL = { seconds: 25, users: 24, rate: 150, settleMs: 60_000, quietMs: 10_000 };

export const CONTROLS = {
  'no-aof': {
    about: 'Redis without an append-only file, and no ring that puts back what it forgot',
    faults: ['kill-redis'],
    finds: ['lost'],
    without: () => ({ store: { ...DURABLE, appendonly: 'no' }, env: NO_RING }),
  },
  'slow-everysec': {
    about: 'Redis with appendfsync everysec on a disk that takes 1.5 s to sync, and no ring',
    faults: ['kill-redis'],
    finds: ['lost'],
    without() {
      const preload = slowDisk(SLOW_FSYNC_MS);
      if (preload === undefined) return 'no C compiler here to make a disk slow with';
      return { store: { appendonly: 'yes', appendfsync: 'everysec', preload }, env: NO_RING };
    },
  },
  'no-ring': {
    about: 'nodes that keep nothing to put back after a failover',
    faults: ['failover'],
    finds: ['lost'],
    without: () => ({ env: NO_RING }),
  },
  'no-hold': {
    about: 'nodes that hold back nothing behind a send that failed',
    faults: ['mute-link', 'cut-links', 'kill-redis'],
    finds: ['reordered'],
    without: () => ({
      patches: [
        { file: 'chat/failed.js', find: 'return attempt <= ', put: 'return false && attempt <= ' },
        { file: 'chat/commits.js', find: 'this.failQueue();', put: ';' },
      ],
    }),
  },
  'no-canary': {
    about: 'nodes that never look whether a hint was lost',
    faults: ['deaf-node', 'drop-hints'],
    finds: ['lost'],
    without: () => ({
      patches: [
        { file: 'redis/hints.js', find: 'compare(count, ts) {', put: 'compare(count, ts) { return;' },
        { file: 'redis/subscriptions.js', find: 'async look() {', put: 'async look() { return;' },
        { file: 'redis/connect.js', find: 'rebuild(reason) {', put: 'rebuild(reason) { return;' },
      ],
    }),
  },
  'delete-on-read': {
    about: 'polls that acknowledge what they hand out, whether it arrives or not',
    faults: ['drop-clients'],
    finds: ['lost'],
    without: () => ({
      patches: [
        {
          file: 'chat/polls.js',
          find: 'const answer = await this.collect(reader, poller);',
          put:
            'const answer = await this.collect(reader, poller);' +
            'if (answer?.cursor) await this.parts.tokens.acknowledge(reader, answer.cursor);',
        },
      ],
    }),
  },
  'no-dedup': {
    about: 'nodes that know an id for a second only',
    faults: ['lose-answers'],
    finds: ['doubled', 'displaced'],
    without: () => ({ env: { SKEIN_DEDUP_SECONDS: '1' } }),
  },
  'auto-by-send': {
    about: 'nodes that take what is written to a socket for received',
    faults: ['drop-clients', 'slow-readers'],
    finds: ['lost'],
    without: () => ({
      patches: [
        {
          file: 'chat/pulse.js',
          find: 'this.ping(session, session.asked.payload);',
          put: 'for (const [track, seq] of upTo) this.has(session, track, seq);this.ping(session, session.asked.payload);',
        },
      ],
    }),
  },
} as const satisfies Readonly<Record<string, Control>>;
export type ControlName = keyof typeof CONTROLS;
export const CONTROL_NAMES = Object.keys(CONTROLS) as ControlName[];

/** The plan of a control; or why it cannot be tried here. */
export function controlled(name: ControlName, seed: number): Plan | string {
  const control: Control = CONTROLS[name];
  const without = control.without();
  if (typeof without === 'string') return without;
  return { ...STANDARD, ...SMALL, seed, faults: control.faults, ...without };
}

export const isFoundOut = (name: ControlName, { account }: Outcome): boolean =>
  CONTROLS[name].finds.some((violation) => account[violation] > 0);
