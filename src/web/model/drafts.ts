/** What was begun and not sent, by conversation; kept over reloads. */
import { signal } from '@preact/signals';

const keyOf = (me: string, conv: string): string => `draft ${me} ${conv}`;

/** Grows when a draft was written, so that the list shows it. */
const written = signal(0);

export function draftOf(me: string, conv: string): string {
  written.value;
  return localStorage.getItem(keyOf(me, conv)) ?? '';
}

export function setDraft(me: string, conv: string, text: string): void {
  if (text === '') localStorage.removeItem(keyOf(me, conv));
  else localStorage.setItem(keyOf(me, conv), text.slice(0, 20_000));
  written.value++;
}
