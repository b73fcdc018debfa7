/** The language and the look that a user chose; both switch at once. */
import { computed, effect, signal } from '@preact/signals';
import { en, type Words } from './en.js';
import { zh } from './zh.js';

export type Language = 'en' | 'zh';
export type Theme = 'auto' | 'light' | 'dark';

const stored = localStorage.getItem('language');
export const language = signal<Language>(
  stored === 'en' || stored === 'zh' ? stored : navigator.language.startsWith('zh') ? 'zh' : 'en',
);
const look = localStorage.getItem('theme');
export const theme = signal<Theme>(look === 'light' || look === 'dark' ? look : 'auto');

export const words = computed<Words>(() => (language.value === 'zh' ? zh : en));

effect(() => {
  document.documentElement.lang = language.value === 'zh' ? 'zh-CN' : 'en';
  localStorage.setItem('language', language.value);
});
effect(() => {
  document.documentElement.dataset.theme = theme.value;
  localStorage.setItem('theme', theme.value);
});

/** What went wrong, in the user's language as far as it has words for it. */
export function problemInWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  return (Object.hasOwn(words.value.problems, code) && words.value.problems[code]) || error.message;
}

const LOCALE = { en: 'en', zh: 'zh-CN' } as const;
const formats = new Map<string, Intl.DateTimeFormat>();

/** A formatter is costly to make, and there are four. */
function format(kind: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${language.value} ${kind}`;
  const known = formats.get(key) ?? new Intl.DateTimeFormat(LOCALE[language.value], options);
  formats.set(key, known);
  return known;
}

export const timeOf = (ts: number): string =>
  format('time', { hour: '2-digit', minute: '2-digit', hour12: false }).format(ts);

const dayNumber = (ts: number): number => {
  const date = new Date(ts);
  return Math.round(new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime() / 86_400_000);
};

export const isSameDay = (a: number, b: number): boolean => dayNumber(a) === dayNumber(b);

export function dayOf(ts: number): string {
  const days = dayNumber(Date.now()) - dayNumber(ts);
  if (days === 0) return words.value.today;
  if (days === 1) return words.value.yesterday;
  if (days < 7) return format('weekday', { weekday: 'long' }).format(ts);
  const isThisYear = new Date(ts).getFullYear() === new Date().getFullYear();
  return isThisYear
    ? format('day', { month: 'long', day: 'numeric' }).format(ts)
    : format('date', { year: 'numeric', month: 'long', day: 'numeric' }).format(ts);
}

/** The time today, else the day: what stands beside a conversation. */
export const whenOf = (ts: number): string => (isSameDay(ts, Date.now()) ? timeOf(ts) : dayOf(ts));

export const fullTimeOf = (ts: number): string => format('full', { dateStyle: 'full', timeStyle: 'medium' }).format(ts);
