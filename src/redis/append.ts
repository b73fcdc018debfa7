/** From letters to the arguments of append.lua, and from its reply to outcomes. */
import { type Item, MARK } from '../chat/item.js';
import type { Letter, Outcome, StoreLimits } from '../chat/ports.js';
import { type Conv, type ErrorCode, isDm, sidesOf, type Uid } from '../protocol/index.js';
import type { Argument } from './scripts.js';

export type Stored = readonly [ts: number, sent: number, unheard: number, ...answers: Answer[]];
type Answer = number | string | readonly Item[];

const FLAG = { dup: 1, first: 2, readMoved: 4 } as const;
const ROOM = 'room:';

/** How many entries a log may hold beyond what it keeps, before they are cut off in one go. */
const slackOf = (keep: number): number => Math.min(64, Math.floor(keep / 16));

/**
 * Letters grouped by conversation, since one conversation is one RPUSH; `order` is where each letter then stands.
 * `mark`: what the mark of each says beside its side.
 */
export function lettersOf(
  letters: readonly Letter[],
  node: string,
  limits: StoreLimits,
  mark = 0,
): { readonly args: Argument[]; readonly order: readonly number[] } {
  const groups = new Map<Conv, number[]>();
  for (const [index, { conv }] of letters.entries()) {
    const group = groups.get(conv);
    if (group === undefined) groups.set(conv, [index]);
    else group.push(index);
  }
  const uids = new Set<string>();
  const bodies: Argument[] = [];
  for (const [conv, group] of groups) {
    const sides = isDm(conv) ? sidesOf(conv) : undefined;
    if (sides !== undefined) uids.add(sides[0]).add(sides[1]);
    bodies.push(...(sides === undefined ? feedOf(conv) : ['d', ...sides]), group.length);
    for (const index of group) {
      const letter = letters[index] as Letter;
      const side = isGreater(conv, letter.sender) ? MARK.greater : 0;
      bodies.push(mark + side, letter.sender, letter.id ?? '', letter.tail, letter.ref);
    }
  }
  const bounds = [limits.pendingMessages, limits.pendingBytes, limits.strangerMessages, limits.strangers];
  const args: Argument[] = [
    node,
    ...keepingOf(limits),
    limits.dedupMs,
    ...bounds,
    groups.size,
    uids.size,
    ...groups.keys(),
    ...uids,
    ...bodies,
  ];
  return { args, order: [...groups.values()].flat() };
}

/** Whether a sender is the greater side of a direct conversation. */
export function isGreater(conv: Conv, sender: Uid): boolean {
  if (!isDm(conv)) return false;
  const [a, b] = sidesOf(conv);
  return a !== b && sender === b;
}

/** keep, slack and life, as all scripts that store take them. */
export const keepingOf = (limits: StoreLimits): readonly [number, number, number] => [
  limits.retentionMessages,
  slackOf(limits.retentionMessages),
  limits.retentionMs,
];

const feedOf = (conv: Conv): readonly string[] =>
  conv.startsWith(ROOM) ? ['r', conv.slice(ROOM.length), ''] : ['a', '', ''];

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
