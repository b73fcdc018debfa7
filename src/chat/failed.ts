/** What `try` keeps in order: a connection's failed sends, and which later ones must not overtake their repetition. */
import type { Conv } from '../protocol/index.js';
import type { Session } from './session.js';

/** Failed conversations that a connection remembers one by one. */
const FAILED_MAX = 256;

/** A send with `try` failed so that the client will repeat it: what it sent behind it must not overtake it. */
export function remember(session: Session, conv: Conv, attempt: number): void {
  session.failed ??= new Map();
  if (session.failed.size >= FAILED_MAX && !session.failed.has(conv)) {
    session.failedAnywhere = Math.max(session.failedAnywhere, attempt, ...session.failed.values());
    session.failed.clear();
    return;
  }
  session.failed.set(conv, Math.max(attempt, session.failed.get(conv) ?? -1));
}

/** An earlier send of this connection to this conversation failed, and this one is no repeat of it yet. */
export function isTooLate(session: Session | undefined, conv: Conv, attempt: number | undefined): boolean {
  if (session === undefined || attempt === undefined) return false;
  return attempt <= Math.max(session.failedAnywhere, session.failed?.get(conv) ?? -1);
}
