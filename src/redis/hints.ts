/**
 * What comes by pub/sub, taken apart and handed to the listener. A payload begins with a line of its version and, to a
 * node, its number (0: not counted), to a feed the node that stored it. Each further line is one hint, told apart by
 * its first character:
 *
 *     to a node    3{…}            an item                 >B⇥{…}          a frame for a user
 *                  =B⇥room:r⇥17    gained (-1: lost)       !1760000000000  this node's canary
 *     to a feed    12⇥0{…}         a letter's ref, item    ~A⇥{…}          a frame, and who sent it
 *     to all nodes                 all that follows the first line is the word
 */
import { type Item, seqOf } from '../chat/item.js';
import type { Listener, NodeId } from '../chat/ports.js';
import type { Conv, Uid } from '../protocol/index.js';
import type { Store } from './store.js';

const VERSION = '1 ';
/** Changes whose membership hints may still come a second time, by the other way. */
const MEMBERSHIPS_MAX = 256;

export type Membership = { readonly uid: Uid; readonly conv: Conv; readonly since: number | undefined };

export class Hints {
  readonly #store: Store;
  readonly #listener: Listener;
  /** The number of the last counted payload; undefined before the first of a subscription. */
  #last: number | undefined;
  /** What the number was at the last look: every payload up to it must have been heard by the next. */
  #due = 0;
  /** The store's time up to which nothing was lost. */
  #good = 0;
  #dueTs = 0;
  readonly #memberships = new Set<number>();
  onCanary: () => void = () => undefined;

  constructor(store: Store, listener: Listener) {
    this.#store = store;
    this.#listener = listener;
  }

  /** A new subscription begins: what was published before it may be lost. */
  restart(): void {
    this.#last = undefined;
  }

  /** Tells the listener that hints may have been lost since all was known to be well, with a margin. */
  lost(): void {
    this.#listener.onLost(Math.max(0, this.#good - 2_000));
  }

  /** Once a beat: the number that the store has counted to, at its time. */
  compare(count: number, ts: number): void {
    const last = this.#last ?? count;
    this.#last = last;
    if (last > count) {
      // The store lost its count, so it may have lost anything.
      this.#last = count;
      this.lost();
    } else if (last < this.#due) {
      this.#last = count;
      this.lost();
    }
    this.#good = this.#dueTs || ts;
    this.#due = count;
    this.#dueTs = ts;
  }

  /** A payload on this node's channel. */
  hearNode(payload: string): void {
    const lines = this.#linesOf(payload);
    if (lines === undefined) return;
    const n = Number(lines.header);
    if (n > 0) this.#number(n);
    const isKnown = n > 0 && this.#memberships.has(n);
    let changes = 0;
    for (const line of lines.hints) {
      const kind = line.charCodeAt(0);
      if (kind >= 0x30 && kind <= 0x39) {
        this.#store.ring.heard(line);
        this.#countWasted(this.#listener.onDirect(line));
      } else if (kind === FRAME) this.#hearFrame(line);
      else if (kind === MEMBERSHIP) {
        changes++;
        if (!isKnown) this.#gainOrLose(line);
      } else if (kind === CANARY) this.onCanary();
    }
    if (changes > 0) this.#remember(n);
  }

  /** Whoever changed a room hears of it by the reply and by the channel: what comes first counts. */
  hearChange(n: number, memberships: readonly Membership[]): void {
    if (!this.#memberships.has(n)) {
      for (const { uid, conv, since } of memberships) this.#listener.onMembership(uid, conv, since);
    }
    if (n > 0) this.#remember(n);
  }

  /** A payload on a feed's channel. Returns the last seq in it. */
  hearFeed(conv: Conv, payload: string, self: NodeId): number | undefined {
    const lines = this.#linesOf(payload);
    if (lines === undefined) return undefined;
    const isOwn = lines.header === self;
    let last: Item | undefined;
    for (const line of lines.hints) {
      const tab = line.indexOf('\t');
      if (line.charCodeAt(0) === ROOM_FRAME) {
        this.#listener.onRoomFrame(conv, line.slice(1, tab) as Uid, line.slice(tab + 1));
        continue;
      }
      last = line.slice(tab + 1);
      if (!isOwn) this.#store.ring.heard(last);
      this.#listener.onFeed(conv, last, isOwn ? Number(line.slice(0, tab)) : 0);
    }
    return last === undefined ? undefined : seqOf(last);
  }

  /** A payload on the channel of words. */
  hearWord(payload: string): void {
    const lines = this.#linesOf(payload);
    if (lines !== undefined) this.#listener.onWord(lines.hints.join('\n'));
  }

  #linesOf(payload: string): { readonly header: string; readonly hints: readonly string[] } | undefined {
    if (!payload.startsWith(VERSION)) {
      this.#store.log.warn({ begins: payload.slice(0, 4) }, 'a hint of an unknown version');
      return undefined;
    }
    const [header = '', ...hints] = payload.split('\n');
    return { header: header.slice(VERSION.length), hints };
  }

  #number(n: number): void {
    const last = this.#last;
    this.#last = n;
    if (last !== undefined && n !== last + 1) this.lost();
  }

  #hearFrame(line: string): void {
    const tab = line.indexOf('\t');
    this.#countWasted(this.#listener.onFrame(line.slice(1, tab) as Uid, line.slice(tab + 1)));
  }

  #gainOrLose(line: string): void {
    const [uid, conv, since] = line.slice(1).split('\t') as [Uid, Conv, string];
    this.#listener.onMembership(uid, conv, since === '-1' ? undefined : Number(since));
  }

  #countWasted(wasUseful: boolean): void {
    if (!wasUseful) this.#store.meter.cell('skein_forwards_wasted_total').value++;
  }

  #remember(n: number): void {
    if (this.#memberships.delete(n)) return;
    this.#memberships.add(n);
    if (this.#memberships.size <= MEMBERSHIPS_MAX) return;
    for (const oldest of this.#memberships) {
      this.#memberships.delete(oldest);
      return;
    }
  }
}

const FRAME = 0x3e;
const MEMBERSHIP = 0x3d;
const CANARY = 0x21;
const ROOM_FRAME = 0x7e;
