import type { Receipt } from '../chat/ports.js';
import { type Conv, isDm, sidesOf } from '../protocol/index.js';
import { type Position, peerOf, type Store, type User } from './store.js';
import type { Side } from './tally.js';

export type Move = {
  readonly delivered?: number | undefined;
  readonly read?: number | undefined;
  readonly silent?: boolean | undefined;
};

/** Moves how far a user is in a conversation, never backwards. Returns whether it moved. */
export function advance(store: Store, user: User, conv: Conv, { delivered = 0, read = 0, silent }: Move): boolean {
  const before = user.positions.get(conv);
  const hasMoved = delivered > (before?.delivered ?? 0) || read > (before?.read ?? 0);
  if (!hasMoved) return false;
  const position = before ?? newPosition(store, user, conv);
  if (delivered > position.delivered) acknowledge(store, user, conv, delivered);
  position.delivered = Math.max(position.delivered, delivered);
  position.read = Math.max(position.read, read);
  position.moved = ++store.moves;
  if (!silent) position.told = { delivered: position.delivered, read: position.read, moved: position.moved };
  return true;
}

function newPosition(store: Store, user: User, conv: Conv): Position {
  const position = { delivered: 0, read: 0, moved: 0, told: { delivered: 0, read: 0, moved: 0 } };
  user.positions.set(conv, position);
  store.acquaint(user.uid, conv);
  return position;
}

function acknowledge(store: Store, user: User, conv: Conv, seq: number): void {
  if (!isDm(conv)) return;
  const side: Side = sidesOf(conv)[0] === user.uid ? 0 : 1;
  store.journal(conv)?.acknowledge(side, seq);
}

export function receiptOf(user: User, conv: Conv): Receipt {
  const { delivered = 0, read = 0 } = user.positions.get(conv) ?? {};
  return { conv, uid: user.uid, delivered, read };
}

/** Receipts after a move (Store.moves): the user's own, and of the other sides of the user's direct conversations. */
export function receiptsSince(store: Store, user: User, moves: number): Receipt[] {
  const receipts: Receipt[] = [];
  for (const [conv, position] of user.positions) if (position.moved > moves) receipts.push(receiptOf(user, conv));
  for (const conv of user.box) {
    const peer = peerOf(conv, user.uid);
    const told = peer === user.uid ? undefined : store.users.get(peer)?.positions.get(conv)?.told;
    if (told === undefined || told.moved <= moves) continue;
    receipts.push({ conv, uid: peer, delivered: told.delivered, read: told.read });
  }
  return receipts;
}
