/** From letters to the arguments of append.lua, and from its reply to outcomes. */
import { type Item, MARK } from '../chat/item.js';
import type { Letter, Outcome } from '../chat/ports.js';
import type { StoreLimits } from '../chat/store-limits.js';
import { type Conv, type ErrorCode, isDm, sidesOf, type Uid } from '../protocol/index.js';
import type { Argument } from './scripts.js';

export type Stored = readonly [ts: number, sent: number, unheard: number, ...answers: Answer[]];
type Answer = number | string | readonly Item[];

const FLAG = { dup: 1, first: 2, readMoved: 4 } as const;
/** Beside the mark, and never stored: the sender needs to be no member. */
const VOUCHED = 8;
/** How many entries a log may hold beyond what it keeps, before they are cut off in one go. */
const slackOf = (keep: number): number => Math.min(64, Math.floor(keep / 16));

/**
 * Letters grouped by conversation, since one conversation is one RPUSH; `order` is where each letter then stands.
 * `mark`: what the mark of each says beside its side. Arguments are few, for each costs on both ends of the connection.
 */
export function lettersOf(
  letters: readonly Letter[],
  node: string,
  mark = 0,
): { readonly args: Argument[]; readonly order: readonly number[] } {
  const groups = new Map<Conv, number[]>();
  for (const [index, { conv }] of letters.entries()) {
    const group = groups.get(conv);
    if (group === undefined) groups.set(conv, [index]);
    else group.push(index);
  }
  const args: Argument[] = [node, groups.size];
  const order: number[] = [];
  for (const [conv, group] of groups) {
    args.push(conv, group.length);
    for (const index of group) {
      const { sender, id = '', tail, ref, isVouched } = letters[index] as Letter;
      const side = isGreater(conv, sender) ? MARK.greater : 0;
      const standing = isVouched && !isDm(conv) ? VOUCHED : 0;
      args.push(`${mark + side + standing}${isDm(conv) ? '' : `${sender} ${ref} `}${id}`, tail);
      order.push(index);
    }
  }
  return { args, order };
}

/** Whether a sender is the greater side of a direct conversation. */
export function isGreater(conv: Conv, sender: Uid): boolean {
  if (!isDm(conv)) return false;
  const [a, b] = sidesOf(conv);
  return a !== b && sender === b;
}

/** keep, slack and life, as change.lua takes them. */
export const keepingOf = (limits: StoreLimits): readonly [number, number, number] => [
  limits.retentionMessages,
  slackOf(limits.retentionMessages),
  limits.retentionMs,
];

/** The limits by the names that lib/store.lua has for them. */
export function constantsOf(limits: StoreLimits): Readonly<Record<string, number>> {
  const [KEEP, SLACK, LIFE] = keepingOf(limits);
  return {
    ...{ KEEP, SLACK, LIFE, HEAD_LIFE: 2 * LIFE, DEDUP: limits.dedupMs, DEDUP_LIFE: 3 * limits.dedupMs },
    ...{ PENDING: limits.pendingMessages, PENDING_BYTES: limits.pendingBytes },
    ...{ STRANGER_MESSAGES: limits.strangerMessages, STRANGERS: limits.strangers },
    CONVERSATIONS: limits.conversations,
    LONGEST: KEEP + SLACK + 2 * limits.pendingMessages,
  };
}

/** `answers`: per letter in `order` a code, or seq and flags, and of a dup its ts. */
export function outcomesOf(answers: readonly Answer[], order: readonly number[], ts: number): readonly Outcome[] {
  const outcomes = new Array<Outcome>(order.length);
  let at = 0;
  for (const index of order) {
    const seq = answers[at++];
    if (typeof seq !== 'number') {
      outcomes[index] = { refused: seq as ErrorCode };
      continue;
    }
    const flags = answers[at++] as number;
    const dup = (flags & FLAG.dup) !== 0;
    outcomes[index] = {
      seq,
      ts: dup ? (answers[at++] as number) : ts,
      dup,
      first: (flags & FLAG.first) !== 0,
      readMoved: (flags & FLAG.readMoved) !== 0,
    };
  }
  return outcomes;
}

/** The entries that letters were found to repeat: the last answer, if there are any. */
export function repeatedIn(answers: readonly Answer[]): readonly Item[] {
  const last = answers.at(-1);
  return typeof last === 'object' ? last : [];
}
