/** This machine, as a node that was started here would find it. */
import { spawnSync } from 'node:child_process';
import { type Check, fail, ok, warn } from './check.js';

/** A connection is a file descriptor. */
const DESCRIPTORS_GOOD = 10_000;
const NODE_LEAST = [20, 19] as const;
/** Majors for which uWebSockets.js brings a binary. */
const NODE_FAST: readonly number[] = [20, 22, 24, 25];

export function checkMachine(): readonly Check[] {
  return [nodeCheck(process.version), descriptorsCheck(descriptorLimit())];
}

export function nodeCheck(version: string): Check {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const [leastMajor, leastMinor] = NODE_LEAST;
  if (major < leastMajor || (major === leastMajor && minor < leastMinor)) {
    return fail('node', version, `Install Node.js ${NODE_LEAST.join('.')} or later; 24 is a good choice.`);
  }
  if (NODE_FAST.includes(major)) return ok('node', version);
  return warn('node', version, `uWebSockets.js has no binary for it, so a node runs on ws, slower. Use 20, 22 or 24.`);
}

export function descriptorsCheck(limit: number | undefined): Check {
  const name = 'descriptors';
  const advice = 'Raise nofile: "ulimit -n 65536", LimitNOFILE in systemd, ulimits in compose. A connection takes one.';
  if (limit === undefined) return warn(name, 'the limit of file descriptors is not known', advice);
  if (limit >= DESCRIPTORS_GOOD) return ok(name, `${limit === Number.POSITIVE_INFINITY ? 'unlimited' : limit}`);
  return warn(name, `${limit}`, advice);
}

/** Node raises its soft limit to the hard one when it starts, and a child inherits that: it is what a node gets. */
function descriptorLimit(): number | undefined {
  const { stdout } = spawnSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' });
  const text = stdout?.trim() ?? '';
  if (text === 'unlimited') return Number.POSITIVE_INFINITY;
  return /^\d+$/.test(text) ? Number(text) : undefined;
}
