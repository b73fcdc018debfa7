/** What the long profile found, as a page. */
import { describe, type Setting } from '../report/setting.js';
import { CONTROLS, isFoundOut } from './controls.js';
import { violationsIn } from './ledger.js';
import { detailsOf, number, refusedIn, seconds, table, verdictOf } from './report.js';
import { type Controlled, isProven, type Round } from './rounds.js';

export function longPageOf(
  seed: number,
  rounds: readonly Round[],
  controls: readonly Controlled[],
  setting: Setting,
): string {
  const verdict = isProven(rounds, controls) ? 'nothing violated, every control found out' : 'NOT PROVEN';
  const sections = rounds.flatMap(({ name, about, outcome }) => [`## ${name}: ${about}`, detailsOf(outcome)]);
  return `${[
    `# Chaos, the long profile: ${verdict}`,
    `${describe(setting)} · seed ${seed}`,
    roundTable(rounds),
    '## Controls: one safety turned off',
    controlTable(controls),
    ...sections,
  ].join('\n\n')}\n`;
}

function roundTable(rounds: readonly Round[]): string {
  const head = ['round', 'faults', 'sent', 'acknowledged', 'refused', 'deliveries due', 'delivered'];
  const more = ['doubled before the cursor rule', 'longest silence', 'verdict'];
  const rows = rounds.map(({ name, outcome }) => {
    const { account, schedule } = outcome;
    const counts = [account.sent, account.acked].map(number);
    const deliveries = [account.due, account.delivered, account.repeated].map(number);
    const times = [seconds(account.longestSilence), verdictOf(outcome)];
    return [name, `${schedule.length}`, ...counts, refusedIn(account), ...deliveries, ...times];
  });
  return table([...head, ...more], rows);
}

function controlTable(controls: readonly Controlled[]): string {
  const rows = controls.map(({ name, outcome, tries }) => {
    const { about, finds, faults } = CONTROLS[name];
    const what = [name, about, faults.join(', '), finds.join(' or ')];
    if (typeof outcome === 'string') return [...what, '', `left out: ${outcome}`];
    const { account } = outcome;
    const found = violationsIn(account).map((each) => `${number(account[each])} ${each}`);
    const verdict = isFoundOut(name, outcome) ? 'found out' : '**not found out**';
    return [...what, found.join(', '), tries === 1 ? verdict : `${verdict}, run ${tries}`];
  });
  return table(['control', 'what is different', 'faults', 'must find', 'found', ''], rows);
}
