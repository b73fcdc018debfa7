/** What a run found, as a page. */
import { describe, type Setting } from '../report/setting.js';
import { type Account, VIOLATIONS, type Violation, violationsIn } from './ledger.js';
import type { Recovery } from './recovery.js';
import { isClean, type Memory, type Outcome } from './run.js';

export function pageOf(outcome: Outcome, setting: Setting): string {
  return `# Chaos: ${verdictOf(outcome)}\n\n${describe(setting)}\n\n${detailsOf(outcome)}\n`;
}

/** All of a page but its head. */
export function detailsOf(outcome: Outcome): string {
  const { plan, account, memory, casualties, examples, schedule } = outcome;
  return [
    `Seed ${plan.seed}: ${plan.seconds} s, ${plan.users} users at ${plan.rate} messages a second, three nodes behind ${outcome.balancer}, Redis with ${durabilityOf(outcome)}, ${schedule.length} faults.`,
    accountTable(account),
    `Longest time without an acknowledgement while something was under way: ${seconds(account.longestSilence)}. After the last fault all was answered and delivered in ${seconds(outcome.settledAfter)}.`,
    '### Recovery after each kind of fault',
    recoveryTable(outcome.recoveries),
    '### Memory of the nodes',
    memoryTable(memory),
    ...(casualties.length === 0 ? [] : ['### What ended by itself, or could not be done', list(casualties)]),
    ...(examples.length === 0 ? [] : ['### Examples of what was violated', list(examples)]),
  ].join('\n\n');
}

export const verdictOf = (outcome: Outcome): string => (isClean(outcome) ? 'nothing violated' : violated(outcome));

function violated({ account, casualties }: Outcome): string {
  const found = violationsIn(account).map((name) => `${account[name].toLocaleString('en-US')} ${name}`);
  if (casualties.length > 0) found.push(`${casualties.length} programs or faults that failed`);
  return found.join(', ');
}

function accountTable(account: Account): string {
  const rows: [string, string][] = [
    ['sent', number(account.sent)],
    ['acknowledged', number(account.acked)],
    ['refused', refusedIn(account)],
    ['of them stored all the same, which `unavailable` leaves open', number(account.storedUnavailable)],
    ['deliveries due', number(account.due)],
    ['delivered', number(account.delivered)],
    ['doubled before the cursor rule', number(account.repeated)],
    ...(Object.keys(VIOLATIONS) as Violation[]).map((name): [string, string] => [
      `**${name}**: ${VIOLATIONS[name]}`,
      `**${number(account[name])}**`,
    ]),
  ];
  return table(['', 'count'], rows);
}

/** How many, and of each code how many. */
export function refusedIn({ refused }: Account): string {
  const all = Object.entries(refused);
  const total = number(all.reduce((sum, [, count]) => sum + count, 0));
  return all.length === 0
    ? total
    : `${total} (${all.map(([code, count]) => `\`${code}\` ${number(count)}`).join(', ')})`;
}

function recoveryTable(recoveries: readonly Recovery[]): string {
  const kinds = [...new Set(recoveries.map(({ fault }) => fault))].sort();
  const rows = kinds.map((kind) => {
    const all = recoveries.filter(({ fault }) => fault === kind);
    const quiet = all.filter(({ isDisturbed }) => !isDisturbed);
    const of = quiet.length > 0 ? quiet : all;
    const longest = (pick: (recovery: Recovery) => number | undefined): string => {
      const times = of.map(pick);
      return times.includes(undefined) ? 'never' : seconds(Math.max(...(times as number[])));
    };
    const times = `${all.length}${quiet.length === all.length ? '' : ` (${all.length - quiet.length} disturbed)`}`;
    const [ack, delivery] = [longest(({ firstAck }) => firstAck), longest(({ firstDelivery }) => firstDelivery)];
    return [kind, times, ack, delivery, longest(({ caughtUp }) => caughtUp)];
  });
  const note =
    'The longest, from the moment when the fault was undone. Caught up: everything sent before is answered and with all its readers. A disturbed one, during which another fault came, counts only where there is no other.';
  return `${table(['fault', 'times', 'first acknowledgement', 'first delivery', 'all caught up'], rows)}\n\n${note}`;
}

const memoryTable = (memory: readonly Memory[]): string =>
  table(
    ['node', 'at the start', 'at the end', 'starts'],
    memory.map(({ name, start, end, starts }) => [name, megabytes(start), megabytes(end), `${starts}`]),
  );

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

const durabilityOf = ({ plan: { store } }: Outcome): string =>
  store.appendonly === 'yes' ? `\`appendfsync ${store.appendfsync}\`` : 'no append-only file';
const list = (lines: readonly string[]): string => lines.map((line) => `- ${line.split('\n').join('\n  ')}`).join('\n');
export const number = (count: number): string => count.toLocaleString('en-US');
export const seconds = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`;
const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`;
