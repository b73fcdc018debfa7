import { isDm, type MessageId, sidesOf, type Uid } from '../protocol/index.js';
import type { Hints } from './hints.js';
import type { Draft, Journal } from './journal.js';
import type { Store } from './store.js';

/** Stores a draft, lists it in the boxes of a dm, and hints it. Refusals are the caller's. */
export function appendEntry(store: Store, hints: Hints, journal: Journal, draft: Draft, ref: number): void {
  const { conv } = journal;
  store.journals.set(conv, journal);
  journal.push(draft);
  journal.trim(store.limits.retentionMessages);
  if (isDm(conv)) for (const uid of sidesOf(conv)) store.user(uid).box.add(conv);
  else hints.feed(conv, draft.item, ref);
}

/** Remembers the id of what was stored, in the place of those whose time is over. */
export function rememberId(store: Store, journal: Journal, sender: Uid, id: MessageId, draft: Draft): void {
  journal.ids.forget(draft.ts - store.limits.dedupMs);
  journal.ids.remember(sender, id, { seq: draft.seq, ts: draft.ts });
}
