/**
 * Presence for those who watch. A node says once a second whose users came and went; each node matches that with its
 * own watchers. Offline is told only if the user is still away some seconds later, so that a reload does not flap, and
 * it is the watchers' nodes that look, so that it does not matter whether the user's node still lives.
 */
import { type MessageId, type Uid, WATCH_MAX } from '../protocol/index.js';
import { encode } from './answers.js';
import type { Delivery } from './delivery.js';
import { type Online, type Presence, Unavailable } from './ports.js';
import type { Session } from './session.js';
import type { Blocks, Words } from './social-ports.js';

const BATCH_MS = 1_000;
const GRACE_MS = 5_000;
/** What timers and the store's clock may differ by from this node's. */
const SLACK_MS = 500;
const UIDS_A_WORD = 500;

/** What the nodes tell each other: who came, who went, who was left behind by a dead node. */
export type News = { readonly came?: readonly Uid[]; readonly went?: readonly Uid[]; readonly gone?: readonly Uid[] };

export type WatchParts = {
  readonly presence: Presence;
  readonly blocks: Blocks;
  readonly words: Words;
  readonly delivery: Delivery;
  readonly fault: (error: unknown) => void;
};

export class Watch {
  private readonly watchers = new Map<Uid, Map<Session, boolean>>();
  private readonly watched = new WeakMap<Session, Set<Uid>>();
  private readonly came = new Set<Uid>();
  private readonly went = new Set<Uid>();
  private readonly timers = new Set<NodeJS.Timeout>();
  /** Who was found to be just gone, when they were last seen, and from when on they are offline if that is still so. */
  private readonly leaving = new Map<Uid, { readonly lastSeen: number; readonly offlineAt: number }>();
  private batch: NodeJS.Timeout | undefined;

  constructor(private readonly parts: WatchParts) {}

  /** Begins to watch; returns the presence frames of now, or undefined where that would be too many at a time. */
  async watch(
    session: Session,
    uids: readonly Uid[],
    id: MessageId | undefined,
  ): Promise<readonly string[] | undefined> {
    const mine = this.watched.get(session) ?? new Set();
    const wanted = new Set([...mine, ...uids]);
    if (wanted.size > WATCH_MAX) return undefined;
    this.watched.set(session, wanted);
    let states: readonly Online[];
    try {
      states = await this.seenBy(session.uid, uids);
    } catch (error) {
      // Nothing of it took effect, so whom nobody would tell of takes no place either.
      for (const uid of uids) if (!this.watchers.get(uid)?.has(session)) this.watched.get(session)?.delete(uid);
      throw error;
    }
    if (session.closed) return [];
    const still = this.watched.get(session);
    for (const { uid, online } of states) {
      // Whoever is not watched any more by now would never be forgotten.
      if (!still?.has(uid)) continue;
      const watchers = this.watchers.get(uid) ?? new Map<Session, boolean>();
      this.watchers.set(uid, watchers.set(session, online));
    }
    return states.map((state) => frameOf(state, id));
  }

  unwatch(session: Session, uids: readonly Uid[]): void {
    for (const uid of uids) {
      this.watched.get(session)?.delete(uid);
      const watchers = this.watchers.get(uid);
      watchers?.delete(session);
      if (watchers?.size === 0) this.watchers.delete(uid);
    }
  }

  forget(session: Session): void {
    this.unwatch(session, [...(this.watched.get(session) ?? [])]);
  }

  /** A user got their first connection to this node. */
  arrived(uid: Uid): void {
    this.went.delete(uid);
    this.came.add(uid);
    this.schedule();
  }

  /** A user lost their last connection to this node. */
  left(uid: Uid): void {
    this.came.delete(uid);
    this.went.add(uid);
    this.schedule();
  }

  /** A dead node's users. */
  gone(uids: readonly Uid[]): void {
    for (let at = 0; at < uids.length; at += UIDS_A_WORD) this.say({ gone: uids.slice(at, at + UIDS_A_WORD) });
  }

  /** What a node told. */
  hear({ came = [], went = [], gone = [] }: News): void {
    const isWatched = (uid: Uid) => this.watchers.has(uid);
    this.look(came.filter(isWatched), 0, GRACE_MS);
    this.look(gone.filter(isWatched), 0, 0);
    this.look(went.filter(isWatched), GRACE_MS, GRACE_MS);
  }

  /** News may have been missed: looks at everybody who is watched. Their nodes may only be on their way back, too. */
  recheck(): void {
    const uids = [...this.watchers.keys()];
    for (let at = 0; at < uids.length; at += UIDS_A_WORD) this.look(uids.slice(at, at + UIDS_A_WORD), 0, Infinity);
  }

  /** Says what is not said yet; the node stops. */
  stop(): void {
    this.flush();
    for (const timer of this.timers) clearTimeout(timer);
  }

  private schedule(): void {
    this.batch ??= setTimeout(() => this.flush(), BATCH_MS);
  }

  private flush(): void {
    clearTimeout(this.batch);
    this.batch = undefined;
    const [came, went] = [[...this.came], [...this.went]];
    this.came.clear();
    this.went.clear();
    for (let at = 0; at < Math.max(came.length, went.length); at += UIDS_A_WORD) {
      this.say({ came: came.slice(at, at + UIDS_A_WORD), went: went.slice(at, at + UIDS_A_WORD) });
    }
  }

  private say(news: News): void {
    this.parts.words.toNodes(JSON.stringify({ kind: 'presence', ...news })).catch(this.missed);
  }

  /** Looks after a while, and tells of nobody that they are offline who was there less than `graceMs` ago. */
  private look(uids: readonly Uid[], afterMs: number, graceMs: number): void {
    if (uids.length === 0) return;
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      this.tell(uids, graceMs).catch(this.missed);
    }, afterMs);
    this.timers.add(timer);
  }

  /** Tells each watcher what has changed for them. */
  private async tell(uids: readonly Uid[], graceMs: number): Promise<void> {
    const viewers = new Map<Session, Uid[]>();
    for (const uid of uids) {
      for (const session of this.watchers.get(uid)?.keys() ?? [])
        viewers.set(session, [...(viewers.get(session) ?? []), uid]);
    }
    const justGone = new Map<Uid, number>();
    for (const [session, theirs] of viewers) {
      for (const state of await this.seenBy(session.uid, theirs)) {
        const watchers = this.watchers.get(state.uid);
        if (session.closed || watchers?.get(session) === undefined || watchers.get(session) === state.online) continue;
        if (this.isJustGone(state, graceMs)) {
          justGone.set(state.uid, state.lastSeen);
          continue;
        }
        watchers.set(session, state.online);
        this.parts.delivery.answer(session, frameOf(state, undefined));
      }
    }
    for (const uid of uids) if (!justGone.has(uid)) this.leaving.delete(uid);
    const news = [...justGone].filter(([uid, lastSeen]) => this.leaving.get(uid)?.lastSeen !== lastSeen);
    const offlineAt = performance.now() + GRACE_MS;
    for (const [uid, lastSeen] of news) this.leaving.set(uid, { lastSeen, offlineAt });
    this.look(
      news.map(([uid]) => uid),
      GRACE_MS,
      GRACE_MS,
    );
  }

  private isJustGone({ uid, online, lastSeen }: Online, graceMs: number): boolean {
    if (online || graceMs === 0) return false;
    const known = this.leaving.get(uid);
    if (known?.lastSeen === lastSeen) return performance.now() < known.offlineAt - SLACK_MS;
    return lastSeen > Date.now() - graceMs + SLACK_MS;
  }

  private async seenBy(viewer: Uid, uids: readonly Uid[]): Promise<readonly Online[]> {
    return seenBy(this.parts, viewer, uids);
  }

  /** Presence that could not be told is told at the next change, or by `recheck` when the store is back. */
  private readonly missed = (error: unknown): void => {
    if (!(error instanceof Unavailable)) this.parts.fault(error);
  };
}

/** Presence as a user may see it: who blocks them is never online for them. */
export async function seenBy(
  { presence, blocks }: Pick<WatchParts, 'presence' | 'blocks'>,
  viewer: Uid,
  uids: readonly Uid[],
): Promise<readonly Online[]> {
  if (uids.length === 0) return [];
  const [states, blockers] = await Promise.all([presence.online(uids), blocks.blockers(viewer, uids)]);
  return states.map((state) => (blockers.includes(state.uid) ? { uid: state.uid, online: false, lastSeen: 0 } : state));
}

function frameOf({ uid, online, lastSeen }: Online, id: MessageId | undefined): string {
  return encode({ type: 'presence', ...(id === undefined ? {} : { id }), uid, online, lastSeen });
}
