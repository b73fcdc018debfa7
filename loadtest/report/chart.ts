/** Bars as an SVG that reads well on a light page and a dark one. */
import { rounded } from './figures.js';
import type { Spread } from './statistics.js';

export type Bar = { readonly label: string; readonly spread: Spread; readonly isOurs: boolean };
export type Panel = { readonly title: string; readonly bars: readonly Bar[] };

const WIDTH = 760;
const LABEL = 250;
const VALUE = 60;
const BAR = 16;
const STEP = 24;
const TITLE = 40;

const STYLE = `text{font:13px system-ui,sans-serif;fill:#1f2328}.title{font-weight:600}.them{fill:#9aa4b0}.us{fill:#0b6bcb}
.range{stroke:#1f2328;stroke-width:1.5}@media(prefers-color-scheme:dark){text{fill:#e6edf3}.them{fill:#6b7683}.us{fill:#58a6ff}.range{stroke:#e6edf3}}`;

/** One panel under another, each with its own scale; a line on a bar spans the rounds. */
export function chartOf(title: string, panels: readonly Panel[]): string {
  let y = 0;
  const drawn = panels.map((panel) => {
    const part = `<g transform="translate(0 ${y})">${panelOf(panel)}</g>`;
    y += TITLE + panel.bars.length * STEP;
    return part;
  });
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y + 10}" role="img" aria-label="${escaped(title)}">` +
    `<title>${escaped(title)}</title><style>${STYLE}</style>${drawn.join('')}</svg>\n`
  );
}

function panelOf({ title, bars }: Panel): string {
  const most = Math.max(1e-9, ...bars.map(({ spread }) => spread.high));
  const width = (value: number): number => (value / most) * (WIDTH - LABEL - VALUE);
  const drawn = bars.map(({ label, spread, isOurs }, at) => {
    const y = TITLE - 8 + at * STEP;
    const end = LABEL + width(spread.high);
    const middle = y + BAR / 2;
    return (
      `<text x="${LABEL - 8}" y="${y + 13}" text-anchor="end">${escaped(label)}</text>` +
      `<rect class="${isOurs ? 'us' : 'them'}" x="${LABEL}" y="${y}" width="${width(spread.median).toFixed(1)}" height="${BAR}" rx="2"/>` +
      `<line class="range" x1="${(LABEL + width(spread.low)).toFixed(1)}" x2="${end.toFixed(1)}" y1="${middle}" y2="${middle}"/>` +
      `<text x="${(end + 6).toFixed(1)}" y="${y + 13}">${rounded(spread.median)}</text>`
    );
  });
  return `<text class="title" x="8" y="20">${escaped(title)}</text>${drawn.join('')}`;
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
