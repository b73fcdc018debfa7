/** What a node does on the hints of its backend. */
import { sidesOf, type Uid } from '../protocol/index.js';
import type { Control } from './control.js';
import type { Cursors } from './cursors.js';
import type { Delivery } from './delivery.js';
import type { Feeds } from './feeds.js';
import { placeOf, tsOf } from './item.js';
import type { Meter } from './meter.js';
import type { Polls } from './polls.js';
import { type Listener, Unavailable } from './ports.js';
import type { Reconcile } from './reconcile.js';
import type { Registry } from './registry.js';
import type { Watch } from './watch.js';

/** How far back a node looks that was away: a lease, and what clocks may differ by. */
const RETURN_MS = 120_000;
const TYPING = '{"type":"typing"';

export type HearingParts = {
  readonly registry: Registry;
  readonly delivery: Delivery;
  readonly feeds: Feeds;
  readonly cursors: Cursors;
  readonly polls: Polls;
  readonly watch: Watch;
  readonly control: Control;
  readonly reconcile: Reconcile;
  readonly meter: Meter;
  readonly fault: (error: unknown) => void;
};

export function createHearing(parts: HearingParts): Listener {
  const { registry, delivery, feeds, cursors, polls, watch, control, reconcile, meter, fault } = parts;

  /** A word for this user's polls, not for clients. */
  function userWord(uid: Uid, word: string): boolean {
    const [verb, device = '', conn = ''] = word.split(' ');
    if (verb === '!poll') polls.displaced(uid, device, conn);
    else fault(new Error(`unknown word ${verb}`));
    return registry.get(uid) !== undefined;
  }

  function isUnwanted(uid: Uid, frame: string): boolean {
    const blocks = registry.get(uid)?.blocks;
    return blocks !== undefined && blocks.size > 0 && frame.startsWith(TYPING) && blocks.has(JSON.parse(frame).sender);
  }

  return {
    onDirect(item) {
      const { conv, tsAt } = placeOf(item);
      meter.observe('skein_delivery_seconds', Math.max(0, Date.now() - tsOf(item, tsAt)) / 1000);
      return delivery.direct(item, sidesOf(conv), undefined, false);
    },
    onFeed: (conv, item, ref) => feeds.entry(conv, item, ref),
    onFrame(uid, frame) {
      if (frame.startsWith('!')) return userWord(uid, frame);
      return isUnwanted(uid, frame) || cursors.tellUser(uid, frame, undefined);
    },
    onRoomFrame: (conv, sender, frame) => feeds.whisper(conv, sender, frame),
    onMembership(uid, conv, since) {
      if (since === undefined) return feeds.loseSoon(uid, conv);
      for (const session of registry.get(uid)?.sessions ?? []) {
        if (session.arrived) feeds.gain(session, conv, since);
        else {
          session.gained ??= new Map();
          session.gained.set(conv, since);
        }
      }
      for (const waiter of registry.get(uid)?.waiters ?? []) waiter.wake();
    },
    onLost(since) {
      reconcile.lost(since);
      watch.recheck();
    },
    onReturn() {
      reconcile.assertAll().catch((error: unknown) => (error instanceof Unavailable ? undefined : fault(error)));
      // While the others took this node for dead, nobody hinted it anything.
      reconcile.lost(Date.now() - RETURN_MS);
      watch.recheck();
    },
    onWord: (word) => control.hear(word),
    onGone: (uids) => watch.gone(uids),
  };
}
