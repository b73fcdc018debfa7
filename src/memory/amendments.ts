import { MARK } from '../chat/item.js';
import type { Outcome } from '../chat/ports.js';
import type { Amendment, Amendments } from '../chat/social-ports.js';
import { isDm } from '../protocol/index.js';
import { isPinned } from './box.js';
import { appendEntry, rememberId } from './entry.js';
import type { Hints } from './hints.js';
import { feedRefusal, markOf } from './log.js';
import { advance } from './positions.js';
import type { Store } from './store.js';

export function createAmendments(store: Store, hints: Hints): Amendments {
  return {
    async original(conv, seq) {
      const journal = store.openJournal(conv);
      const edits = journal.editsOf(seq).map((edit) => ({ seq: edit, item: journal.itemAt(edit)! }));
      return { item: journal.itemAt(seq), edits };
    },

    async amend(amendment) {
      const outcome = carryOut(store, hints, amendment);
      hints.leave();
      return outcome;
    },
  };
}

function carryOut(store: Store, hints: Hints, { letter, op, ref, replace }: Amendment): Outcome | 'changed' {
  const { conv, sender, id } = letter;
  const now = store.now();
  const journal = store.openJournal(conv);
  const known = id === undefined ? undefined : journal.ids.placeOf(sender, id, now - store.limits.dedupMs);
  if (known !== undefined) return { ...known, dup: true, first: known.seq === journal.origin, readMoved: false };
  const refused = isDm(conv) ? undefined : feedRefusal(store, conv, sender);
  if (refused !== undefined) return { refused };
  // What pins the log is not pending because of this entry, so its box is not full; it must have an end all the same.
  if (isDm(conv) && isPinned(store, journal)) return { refused: 'too_large' };
  if (replace.some(({ seq, was }) => journal.itemAt(seq) !== was)) return 'changed';
  for (const { seq, becomes } of replace) journal.replace(seq, becomes);
  const draft = journal.draft(markOf(conv, sender) | MARK.op, now, letter.tail);
  const user = store.user(sender);
  const readMoved = (user.positions.get(conv)?.read ?? 0) < journal.head;
  if (op === 'edit') journal.noteEdit(ref, draft.seq);
  appendEntry(store, hints, journal, draft, letter.ref);
  if (id !== undefined) rememberId(store, journal, sender, id, draft);
  advance(store, user, conv, { read: draft.seq });
  return { seq: draft.seq, ts: draft.ts, dup: false, first: draft.seq === journal.origin, readMoved };
}
