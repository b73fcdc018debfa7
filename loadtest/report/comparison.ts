/** A comparison as tables and a chart. */
import { DISCIPLINES, type DisciplineName, ENTRANTS, type EntrantName, type Turn, takesPart } from '../rig/contest.js';
import { isClean, type Measurement } from '../rig/measurement.js';
import { REFERENCE_SPEED } from '../rig/speed.js';
import { SYSTEMS } from '../rig/systems.js';
import { chartOf, type Panel } from './chart.js';
import { rounded, table } from './figures.js';
import { describe, type Setting } from './setting.js';
import { ratiosOf, type Spread, spreadOf } from './statistics.js';

export type Comparison = { readonly setting: Setting; readonly rounds: number; readonly turns: readonly Turn[] };

const cost = ({ cost }: Measurement): number => cost?.total ?? Number.NaN;
const memory = ({ bytesPerConnection = Number.NaN }: Measurement): number => bytesPerConnection / 1_024;
const p99 = ({ latencies }: Measurement): number => latencies.delivery.p99;

type Column = {
  readonly title: string;
  readonly discipline: DisciplineName;
  readonly figure: (measurement: Measurement) => number;
};

const COLUMNS: readonly Column[] = [
  ...(['dm16', 'dm1', 'rate', 'room', 'login'] as const).map((discipline) => ({
    title: DISCIPLINES[discipline].short,
    discipline,
    figure: cost,
  })),
  { title: 'KB a connection', discipline: 'login', figure: memory },
  { title: 'p99 at 2,000/s, ms', discipline: 'rate', figure: p99 },
];

export function comparisonPage({ setting, rounds, turns }: Comparison): string {
  const entrants = entrantsOf(turns);
  const columns = COLUMNS.filter(({ discipline }) => turns.some((turn) => turn.discipline === discipline));
  const rows = entrants.map((entrant) => [
    name(entrant),
    ...columns.map(({ discipline, figure }) =>
      rounded(spreadOf(figuresOf(turns, entrant, discipline, figure))?.median),
    ),
    SYSTEMS[ENTRANTS[entrant].system].promises,
  ]);
  return [
    `CPU microseconds of all nodes and Redis together for one delivered message, and for one log-in; the median of ` +
      `${rounds} rounds, taken in turns. Scaled to a core that hashes ${REFERENCE_SPEED.toLocaleString('en-US')} MB of ` +
      'SHA-1 a second; differences under 15 % mean nothing.',
    table(['server', ...columns.map(({ title }) => title), 'what it promises'], rows),
    'Skein beside each of the others: the ratio of the costs in the same round, with its spread over the rounds. Below 1, Skein costs less.',
    ratioTables(turns, entrants),
    `Messages lost, doubled or out of order: ${faultLine(turns)}.`,
    describe(setting),
  ]
    .join('\n\n')
    .concat('\n');
}

export function comparisonChart({ turns }: Comparison): string {
  const panels = disciplinesOf(turns).map(
    (discipline): Panel => ({
      title: `${DISCIPLINES[discipline].title}: CPU µs, nodes and Redis`,
      bars: entrantsOf(turns).flatMap((entrant) => {
        const spread = spreadOf(figuresOf(turns, entrant, discipline, cost));
        const { title: label, isOurs } = ENTRANTS[entrant];
        return spread === undefined ? [] : [{ label, spread, isOurs }];
      }),
    }),
  );
  return chartOf('CPU a delivered message costs, Skein beside others', panels);
}

/** By discipline; one row for each Skein, one column for each other. */
function ratioTables(turns: readonly Turn[], entrants: readonly EntrantName[]): string {
  const ours = entrants.filter((entrant) => ENTRANTS[entrant].isOurs);
  const others = entrants.filter((entrant) => !ENTRANTS[entrant].isOurs);
  const rows = disciplinesOf(turns).flatMap((discipline) =>
    ours
      .filter((entrant) => takesPart(entrant, discipline))
      .map((entrant) => [
        DISCIPLINES[discipline].short,
        ENTRANTS[entrant].aof === 'no' ? 'no disk' : `AOF ${ENTRANTS[entrant].aof}`,
        ...others.map((other) =>
          spreadText(ratiosOf(figuresOf(turns, entrant, discipline, cost), figuresOf(turns, other, discipline, cost))),
        ),
      ]),
  );
  return table(['', 'Skein on', ...others.map((other) => `÷ ${ENTRANTS[other].title}`)], rows);
}

const spreadText = (spread: Spread | undefined): string =>
  spread === undefined ? '–' : `${spread.median.toFixed(2)} (${spread.low.toFixed(2)} to ${spread.high.toFixed(2)})`;

function figuresOf(
  turns: readonly Turn[],
  entrant: EntrantName,
  discipline: DisciplineName,
  figure: (measurement: Measurement) => number,
): readonly number[] {
  return turns
    .filter((turn) => turn.entrant === entrant && turn.discipline === discipline)
    .map(({ measurement }) => figure(measurement));
}

function faultLine(turns: readonly Turn[]): string {
  const unclean = turns.filter(({ measurement }) => !isClean(measurement.faults));
  if (unclean.length === 0) return 'none, of any server';
  return unclean
    .map(({ entrant, discipline, measurement: { faults } }) => {
      const { lost, doubled, outOfOrder, badAcks, broken, refused } = faults;
      return `${entrant} in ${discipline}: ${lost} lost, ${doubled} doubled, ${outOfOrder} out of order, ${badAcks} bad acknowledgements, ${refused} refused, ${broken} broken connections`;
    })
    .join('; ');
}

const name = (entrant: EntrantName): string =>
  ENTRANTS[entrant].isOurs ? `**${ENTRANTS[entrant].title}**` : ENTRANTS[entrant].title;

const entrantsOf = (turns: readonly Turn[]): readonly EntrantName[] =>
  (Object.keys(ENTRANTS) as EntrantName[]).filter((entrant) => turns.some((turn) => turn.entrant === entrant));

const disciplinesOf = (turns: readonly Turn[]): readonly DisciplineName[] =>
  (Object.keys(DISCIPLINES) as DisciplineName[]).filter((each) => turns.some(({ discipline }) => discipline === each));
