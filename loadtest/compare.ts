/** `npm run compare`: Skein and others at the same work, in turns within one run. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { countIn, fail, listIn, numberIn, type Values, valuesOf } from './options.js';
import { type Comparison, comparisonChart, comparisonPage } from './report/comparison.js';
import { settingOf } from './report/setting.js';
import { DISCIPLINES, type DisciplineName, ENTRANTS, type EntrantName, hold, type Turn } from './rig/contest.js';
import { isClean } from './rig/measurement.js';
import { Progress } from './rig/progress.js';
import { ROOT } from './rig/root.js';
import { SKEIN_MAIN } from './rig/systems.js';

const HELP = `Usage: npm run compare -- [options]

  --rounds N         how often everybody has a turn (3)
  --only LIST        of ${Object.keys(DISCIPLINES).join(', ')} (all)
  --entrants LIST    of ${Object.keys(ENTRANTS).join(', ')} (all but socketio-sharded)
  --seconds N        length of a window (4)
  --warm-up N        seconds before it (1.5)
  --nodes N          nodes of each server (2)
  --workers N        processes that make the load (as many as cores)
  --main FILE        another build of Skein
  --out DIRECTORY    where comparison.md, .svg and .json go (dist-loadtest/reports)
`;

const text = { type: 'string' } as const;
const OPTIONS = {
  ...{ rounds: text, only: text, entrants: text, seconds: text, 'warm-up': text, nodes: text, workers: text },
  ...{ main: text, out: text, help: { type: 'boolean' } as const },
};

async function run(values: Values): Promise<void> {
  if (values.help === true) return void process.stdout.write(HELP);
  const all = Object.keys(ENTRANTS) as EntrantName[];
  const disciplines = Object.keys(DISCIPLINES) as DisciplineName[];
  const contest = {
    rounds: countIn(values, 'rounds') ?? 3,
    timing: { seconds: numberIn(values, 'seconds') ?? 4, warmUp: numberIn(values, 'warm-up') ?? 1.5 },
    nodes: countIn(values, 'nodes') ?? 2,
    workers: countIn(values, 'workers') ?? availableParallelism(),
    main: typeof values.main === 'string' ? values.main : SKEIN_MAIN,
    entrants: listIn(values, 'entrants', all) ?? all.filter((entrant) => entrant !== 'socketio-sharded'),
    disciplines: listIn(values, 'only', disciplines) ?? disciplines,
  };
  const out = typeof values.out === 'string' ? values.out : `${ROOT}dist-loadtest/reports`;
  mkdirSync(out, { recursive: true });
  const turns: Turn[] = [];
  const comparison: Comparison = { setting: settingOf('compare'), rounds: contest.rounds, turns };
  for await (const turn of hold(contest, new Progress())) {
    turns.push(turn);
    // After every turn, so that a run which is broken off has not been for nothing.
    write(comparison, out);
  }
  process.stdout.write(`${comparisonPage(comparison)}\n${join(out, 'comparison')}.md, .svg and .json\n`);
  if (turns.some(({ measurement }) => !isClean(measurement.faults))) process.exitCode = 1;
}

function write(comparison: Comparison, out: string): void {
  writeFileSync(join(out, 'comparison.md'), comparisonPage(comparison));
  writeFileSync(join(out, 'comparison.svg'), comparisonChart(comparison));
  writeFileSync(join(out, 'comparison.json'), `${JSON.stringify(comparison, plain, 2)}\n`);
}

/** Maps as objects: JSON knows none. */
const plain = (_key: string, value: unknown): unknown => (value instanceof Map ? Object.fromEntries(value) : value);

try {
  await run(valuesOf(OPTIONS));
} catch (error) {
  fail(error);
}
