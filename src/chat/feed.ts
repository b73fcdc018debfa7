import type { Conv } from '../protocol/index.js';
import type { Item } from './item.js';
import type { Waiter } from './registry.js';
import type { Session, Track } from './session.js';

/** An entry that came ahead of its turn. */
type Early = { readonly item: Item; readonly ref: number };

/** A room, or `all`, as one node follows it: its connections that are level share the node's position. */
export class Feed {
  /** The last seq published to the topic; -1 until the feed is open. */
  pos = -1;
  /** The highest seq known to exist. */
  target = 0;
  open = false;
  reading = false;
  readonly tracks = new Map<Session, Track>();
  /** Tracks that are not level. */
  readonly behind = new Map<Track, Session>();
  /** Level tracks whose users block somebody, or whose lines hear no topic: written one by one. */
  readonly singly = new Map<Track, Session>();
  readonly waiters = new Set<Waiter>();
  readonly early = new Map<number, Early>();
  /** Connections that get the answer to their send in place of the entry with this seq: hardly ever more than one. */
  readonly answers = new Map<number, (readonly [Track, Session])[]>();
  /** Bytes published since its connections' buffers were looked at. */
  published = 0;
  /** Its position when its level connections were last asked to confirm. */
  asked = -1;

  constructor(readonly conv: Conv) {}

  get topic(): string {
    return this.conv;
  }

  get isWanted(): boolean {
    return this.tracks.size > 0 || this.waiters.size > 0;
  }
}
