import { MARK } from '../chat/item.js';
import type { Letter, Log, Outcome } from '../chat/ports.js';
import { type Conv, type ErrorCode, isDm, sidesOf, type Uid } from '../protocol/index.js';
import { boxRefusal, isStranger } from './box.js';
import { cursorOf } from './cursors.js';
import { appendEntry, rememberId } from './entry.js';
import type { Hints } from './hints.js';
import { advance } from './positions.js';
import { roomOf, type Store } from './store.js';

export function createLog(store: Store, hints: Hints): Log {
  return {
    gap: 0,

    async append(letters) {
      const outcomes = letters.map((letter) => post(store, hints, letter));
      hints.leave();
      return outcomes;
    },

    async read(conv, from, limit, bytes) {
      const after = typeof from === 'number' ? from : cursorOf(store, from, conv);
      return store.openJournal(conv).read(after, limit, bytes);
    },

    async page(conv, request) {
      return store.openJournal(conv).page(request);
    },

    async heads(convs) {
      return convs.map((conv) => store.head(conv));
    },
  };
}

function post(store: Store, hints: Hints, letter: Letter): Outcome {
  const { conv, sender, id } = letter;
  const now = store.now();
  const journal = store.openJournal(conv);
  const known = id === undefined ? undefined : journal.ids.placeOf(sender, id, now - store.limits.dedupMs);
  if (known !== undefined) return { ...known, dup: true, first: known.seq === journal.origin, readMoved: false };
  const draft = journal.draft(markOf(conv, sender), now, letter.tail);
  const refused = isDm(conv) ? boxRefusal(store, journal, sender, draft) : feedRefusal(store, conv, sender);
  const isOutside = refused === 'not_member' && letter.isVouched === true;
  if (refused !== undefined && !isOutside) return { refused };
  const user = store.user(sender);
  const readMoved = !isOutside && (user.positions.get(conv)?.read ?? 0) < journal.head;
  if (isDm(conv) && isStranger(store, journal, sender)) user.strangers.add(conv);
  appendEntry(store, hints, journal, draft, letter.ref);
  if (id !== undefined) rememberId(store, journal, sender, id, draft);
  if (!isOutside) advance(store, user, conv, { read: draft.seq });
  return { seq: draft.seq, ts: draft.ts, dup: false, first: draft.seq === journal.origin, readMoved };
}

export function markOf(conv: Conv, sender: Uid): number {
  if (!isDm(conv)) return 0;
  const [a, b] = sidesOf(conv);
  return sender === b && a !== b ? MARK.greater : 0;
}

export function feedRefusal(store: Store, conv: Conv, sender: Uid): ErrorCode | undefined {
  const id = roomOf(conv);
  if (id === undefined) return undefined;
  const room = store.rooms.get(id);
  if (room === undefined) return 'not_found';
  return room.members.has(sender) ? undefined : 'not_member';
}
