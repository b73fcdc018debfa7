/** Where a process's time went, from the profiles that `--cpu-prof` wrote. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Hot = { readonly what: string /** Share of the time that was not idle. */; readonly share: number };

type CallFrame = { readonly functionName: string; readonly url: string; readonly lineNumber: number };
export type CpuProfile = {
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
};

export function hotIn(directory: string, count: number): readonly Hot[] {
  const files = readdirSync(directory).filter((name) => name.endsWith('.cpuprofile'));
  const profiles = files.map((name): CpuProfile => JSON.parse(readFileSync(join(directory, name), 'utf8')));
  return hottest(profiles, count);
}

/** Functions by their own time, of several profiles together. */
export function hottest(profiles: readonly CpuProfile[], count: number): readonly Hot[] {
  const times = new Map<string, number>();
  let busy = 0;
  for (const { nodes, samples, timeDeltas } of profiles) {
    const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
    for (const [i, id] of samples.entries()) {
      const name = names.get(id) ?? '';
      const time = timeDeltas[i] ?? 0;
      if (name === '(idle)') continue;
      busy += time;
      times.set(name, (times.get(name) ?? 0) + time);
    }
  }
  return [...times]
    .sort(([, a], [, b]) => b - a)
    .slice(0, count)
    .map(([what, time]) => ({ what, share: time / busy }));
}

function nameOf({ functionName, url, lineNumber }: CallFrame): string {
  const name = functionName === '' ? '(anonymous)' : functionName;
  if (url === '') return name;
  const place = url
    .replace(/^file:\/\//, '')
    .split('/')
    .slice(-3)
    .join('/');
  return `${name} ${place}:${lineNumber + 1}`;
}
