/** Numbers and tables as a report shows them. */

/** Two digits that matter, no more: the rest of such a figure is noise. */
export function rounded(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return '–';
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en-US');
  return value >= 100
    ? value.toFixed(0)
    : value >= 10
      ? value.toFixed(value >= 20 ? 0 : 1)
      : value.toFixed(value >= 1 ? 1 : 2);
}

export const milliseconds = (value: number): string => `${value >= 10 ? value.toFixed(0) : value.toFixed(2)} ms`;
export const kilobytes = (bytes: number | undefined): string => (bytes === undefined ? '–' : rounded(bytes / 1_024));

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
