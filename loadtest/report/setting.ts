/** Where and on what something was measured. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { ROOT } from '../rig/root.js';

export type Setting = {
  readonly date: string;
  /** Absent outside of a working copy. */
  readonly commit?: string;
  readonly command: string;
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
};

const PACKAGES = ['uWebSockets.js', 'ioredis', 'ws', 'socket.io', '@socket.io/redis-adapter'];

export function settingOf(script: string): Setting {
  const versions: Record<string, string> = { Skein: versionIn('package.json'), Node: process.versions.node };
  const redis = execFileSync('redis-server', ['--version'], { encoding: 'utf8' });
  versions.Redis = /v=(\S+)/.exec(redis)?.[1] ?? 'unknown';
  for (const name of PACKAGES) versions[name] = versionIn(`node_modules/${name}/package.json`);
  const [first] = cpus();
  const commit = commitOf();
  return {
    ...(commit === undefined ? {} : { commit }),
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    command: ['npm run', script, ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' '),
    machine: `${cpus().length} × ${first?.model ?? 'CPU'}, ${Math.round(totalmem() / 2 ** 30)} GB`,
    versions,
  };
}

export function describe({ date, command, machine, versions, commit }: Setting): string {
  const list = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `${date} UTC · \`${command}\` · ${machine} · ${list.join(', ')}${commit === undefined ? '' : ` · commit ${commit}`}`;
}

function commitOf(): string | undefined {
  const { status, stdout } = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

const versionIn = (file: string): string => JSON.parse(readFileSync(`${ROOT}${file}`, 'utf8')).version;
