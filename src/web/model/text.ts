/** What is in `data`, as text. Nothing that a user wrote is ever markup. */
import type { Json } from '../../protocol/index.js';

export type Part = { readonly text: string; readonly href?: string };

const fieldsOf = (data: Json | undefined): Readonly<Record<string, Json>> =>
  typeof data === 'object' && data !== null && !Array.isArray(data) ? (data as Readonly<Record<string, Json>>) : {};

const own = (data: Json | undefined, name: string): Json | undefined => {
  const fields = fieldsOf(data);
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
};

/** The text by the convention of page and command line: a string, or `{"text":…}`; undefined for anything else. */
export function plainText(data: Json | undefined): string | undefined {
  if (typeof data === 'string') return data;
  const text = own(data, 'text');
  return typeof text === 'string' ? text : undefined;
}

export const textOf = (data: Json | undefined): string => plainText(data) ?? JSON.stringify(data, null, 2) ?? '';

/** The place of the message that this one answers. */
export function replyOf(data: Json | undefined): number | undefined {
  const reply = own(data, 'reply');
  return Number.isSafeInteger(reply) ? (reply as number) : undefined;
}

/** One line of it. */
export const gistOf = (data: Json | undefined): string =>
  (plainText(data) ?? JSON.stringify(data) ?? '').slice(0, 160).replace(/\s+/g, ' ').trim();

/** Not across white space, quotes, angle brackets or characters that turn the direction of writing. */
const LINK = /https?:\/\/[^\s<>"'`\u200e\u200f\u202a-\u202e\u2066-\u2069，。；、！？（）《》「」]{3,2000}/giu;
const TRAILING = /[.,;:!?)\]}'"*_]+$/;

/** A text cut into what is a web address and what is not. */
export function partsOf(text: string): readonly Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const { 0: found, index } of text.matchAll(LINK)) {
    const address = found.replace(TRAILING, '');
    const href = hrefOf(address);
    if (href === undefined) continue;
    if (index > end) parts.push({ text: text.slice(end, index) });
    parts.push({ text: address, href });
    end = index + address.length;
  }
  if (end < text.length) parts.push({ text: text.slice(end) });
  return parts;
}

function hrefOf(address: string): string | undefined {
  if (!URL.canParse(address)) return undefined;
  const { protocol, href } = new URL(address);
  return protocol === 'http:' || protocol === 'https:' ? href : undefined;
}

const EMOJI_ONLY =
  /^(?:\p{Extended_Pictographic}(?:\p{Emoji_Modifier}|\u200d\p{Extended_Pictographic}|\ufe0f)*\s*){1,3}$/u;

/** Whether it is a few emoji and nothing else, which are shown large. */
export const isEmojiOnly = (text: string): boolean => text.length <= 40 && EMOJI_ONLY.test(text);
