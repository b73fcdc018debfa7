/** Keeps what is in sight where it is, while rows come and go around it. */

export type Anchor = { readonly key: string; readonly top: number };

/** The first message in sight, and how far below the upper edge it begins, in pixels. */
export function anchorIn(box: HTMLElement): Anchor | undefined {
  const edge = box.getBoundingClientRect().top;
  for (const row of box.querySelectorAll<HTMLElement>('[data-seq]')) {
    const { top, bottom } = row.getBoundingClientRect();
    if (bottom > edge) return { key: row.dataset.seq!, top: top - edge };
  }
  return undefined;
}

export function keepAnchor(box: HTMLElement, anchor: Anchor | undefined): void {
  const row = anchor && box.querySelector(`[data-seq="${anchor.key}"]`);
  if (!row) return;
  const moved = row.getBoundingClientRect().top - box.getBoundingClientRect().top - anchor.top;
  if (Math.abs(moved) >= 1) box.scrollTop += moved;
}

export const isAtBottom = ({ scrollHeight, scrollTop, clientHeight }: HTMLElement): boolean =>
  scrollHeight - scrollTop - clientHeight < 48;

/** Pixels of a message that must be in sight for it to be seen. */
const GLIMPSE = 12;

/** The place of the last message in sight; 0 if there is none. */
export function lastInSight(box: HTMLElement): number {
  const edge = box.getBoundingClientRect().bottom - GLIMPSE;
  const rows = [...box.querySelectorAll<HTMLElement>('[data-seq]')];
  const row = rows.findLast((one) => one.getBoundingClientRect().top < edge);
  return Number(row?.dataset.seq ?? 0);
}
