/**
 * Short and long polls. A poll reads what is pending for its device and acknowledges nothing by itself: the next one
 * does, with the cursor of the answer that arrived. A device is present for a while after its last poll, so that what
 * comes between two polls is hinted to the node that will most likely be asked next.
 */
import { type Conv, type ErrorCode, PAGE_BYTES_MAX, POLL_CONVERSATIONS_MAX } from '../protocol/index.js';
import { viewOf } from './answers.js';
import type { CursorTokens } from './cursor-token.js';
import type { Cursors } from './cursors.js';
import type { Expenses } from './expenses.js';
import type { Farewells } from './farewells.js';
import type { Feeds } from './feeds.js';
import { Poller } from './poller.js';
import { type Backend, type ConnId, type Reader, type Standing, Unavailable } from './ports.js';
import type { Registry } from './registry.js';
import { stepsOf, truncated } from './slices.js';
import type { Watch } from './watch.js';

/** A device counts as online this long after its last poll. */
const LINGER_MS = 30_000;
const SLICE_ITEMS = 500;

export type PollAnswer =
  | { readonly frames: readonly string[]; readonly cursor: string }
  | { readonly refused: ErrorCode; readonly message: string /** Milliseconds. */; readonly retry?: number };

export type PollParts = {
  readonly backend: Backend;
  readonly registry: Registry;
  readonly feeds: Feeds;
  readonly cursors: Cursors;
  readonly tokens: CursorTokens;
  readonly watch: Watch;
  readonly farewells: Farewells;
  readonly expenses: Expenses;
  /** Devices of one user that may poll one node at a time. */
  readonly userSockets: number;
  readonly newConn: () => ConnId;
  readonly fault: (error: unknown) => void;
};

/** `arrival`: no poll of it is looked into before the store let it in, and told whom its user blocks. */
type Present = { readonly poller: Poller; readonly arrival: Promise<void> };

export class Polls {
  private readonly pollers = new Map<string, Present>();

  constructor(private readonly parts: PollParts) {}

  /** Connections that stand for polling devices, for whoever puts presence back. */
  conns(): { readonly uid: Reader['uid']; readonly conn: ConnId }[] {
    return [...this.pollers.values()].map(({ poller: { reader, conn } }) => ({ uid: reader.uid, conn }));
  }

  /** One poll: acknowledges, then answers with what is pending, waiting up to `waitMs` for something. */
  async poll(reader: Reader, waitMs: number, ack: string | undefined, gone: AbortSignal): Promise<PollAnswer> {
    if (ack !== undefined && !(await this.parts.tokens.acknowledge(reader, ack))) {
      return { refused: 'bad_request', message: 'ack: not a cursor of this device' };
    }
    if (this.isFull(reader))
      return { refused: 'rate_limited', message: 'too many devices of this user poll', retry: LINGER_MS };
    const early = this.parts.expenses.wait(reader.uid);
    if (early > 0)
      return { refused: 'rate_limited', message: 'too many conversations to look at so often', retry: early };
    const { poller, arrival } = this.present(reader);
    const turn = poller.begin();
    try {
      await arrival;
      const deadline = performance.now() + waitMs;
      while (true) {
        turn.listen();
        const answer = await this.collect(reader, poller);
        const left = deadline - performance.now();
        if (answer !== undefined || left <= 0 || turn.isOver || gone.aborted) return answer ?? this.empty(reader);
        const displaced = this.displace(reader, poller);
        const hasNews = await turn.wait(left, gone);
        await displaced;
        if (!hasNews) return this.empty(reader);
      }
    } finally {
      poller.finish(turn);
    }
  }

  /** A poll of this device began on another node: the one that waits here is over. */
  displaced(uid: string, device: string, conn: ConnId): void {
    const poller = this.pollers.get(`${uid} ${device}`)?.poller;
    if (poller && poller.conn !== conn) poller.end();
  }

  /** Ends a user's polls that wait, with empty answers. */
  endOf(uid: Reader['uid']): void {
    for (const { poller } of this.pollers.values()) if (poller.reader.uid === uid) poller.end();
  }

  /** Ends all polls that wait, with empty answers. */
  endAll(): void {
    for (const { poller } of this.pollers.values()) poller.end();
  }

  close(): void {
    this.endAll();
    for (const { poller } of this.pollers.values()) this.dismiss(poller);
  }

  /** Ends the poll that waits elsewhere; where nobody can be told, it runs out by itself. Awaited late, so never rejects. */
  private async displace(reader: Reader, poller: Poller): Promise<void> {
    try {
      await this.parts.backend.whispers.toUsers([reader.uid], `!poll ${reader.device} ${poller.conn}`);
    } catch (error) {
      if (!(error instanceof Unavailable)) this.parts.fault(error);
    }
  }

  private isFull({ uid, device }: Reader): boolean {
    if (this.pollers.has(`${uid} ${device}`)) return false;
    return (this.parts.registry.get(uid)?.waiters.size ?? 0) >= this.parts.userSockets;
  }

  private present(reader: Reader): Present {
    const key = `${reader.uid} ${reader.device}`;
    let present = this.pollers.get(key);
    if (present === undefined) {
      const poller = new Poller(reader, this.parts.newConn());
      this.parts.registry.addWaiter(reader.uid, poller);
      present = { poller, arrival: this.enter(poller) };
      this.pollers.set(key, present);
    }
    const { poller } = present;
    clearTimeout(poller.timer);
    poller.timer = setTimeout(() => this.dismissUnlessBusy(poller), LINGER_MS + 1000);
    return present;
  }

  private async enter(poller: Poller): Promise<void> {
    const { reader, conn } = poller;
    try {
      // A new device starts at what the others have acknowledged.
      await this.parts.cursors.writtenFor(reader.uid);
      const arrival = await this.parts.backend.devices.enter(reader, conn);
      this.parts.expenses.look(reader.uid, arrival.looked);
      const user = this.parts.registry.get(reader.uid);
      if (user) user.blocks = new Set(arrival.blocks);
      if (user?.sessions.length === 0 && user.waiters.size === 1) this.parts.watch.arrived(reader.uid);
    } catch (error) {
      // The next poll is to try again; the store may have let this one in all the same.
      this.forget(poller);
      throw error;
    }
  }

  private dismissUnlessBusy(poller: Poller): void {
    if (poller.isBusy) poller.timer = setTimeout(() => this.dismissUnlessBusy(poller), LINGER_MS);
    else this.dismiss(poller);
  }

  private dismiss(poller: Poller): void {
    this.forget(poller);
    if (this.parts.registry.get(poller.reader.uid) === undefined) this.parts.watch.left(poller.reader.uid);
  }

  private forget(poller: Poller): void {
    const { reader, conn } = poller;
    clearTimeout(poller.timer);
    this.pollers.delete(`${reader.uid} ${reader.device}`);
    this.parts.registry.removeWaiter(reader.uid, poller);
    for (const conv of poller.convs) this.parts.feeds.unwait(conv, poller);
    this.parts.farewells.say(reader.uid, conn);
  }

  private async collect(reader: Reader, poller: Poller): Promise<PollAnswer | undefined> {
    const { pending, feeds, looked } = await this.parts.backend.devices.pending(reader, 0);
    this.parts.expenses.look(reader.uid, looked);
    this.listenTo(poller, feeds);
    const blocks = this.parts.registry.get(reader.uid)?.blocks ?? new Set();
    const frames: string[] = [];
    const held: [Conv, number][] = [];
    let room = PAGE_BYTES_MAX;
    for (const standing of [...pending, ...feeds]) {
      if (standing.cursor >= standing.head) continue;
      if (held.length >= POLL_CONVERSATIONS_MAX || room <= 0) break;
      const slice = await this.parts.backend.log.read(standing.conv, standing.cursor, SLICE_ITEMS, room);
      let upTo = standing.cursor;
      for (const step of stepsOf(slice, standing.cursor)) {
        const frame = step.item === undefined ? truncated(standing.conv, step) : viewOf(step.item, blocks);
        room -= Buffer.byteLength(frame) + 1;
        if (room < 0 && frames.length > 0) break;
        frames.push(frame);
        upTo = step.to;
      }
      if (upTo > standing.cursor) held.push([standing.conv, upTo]);
    }
    if (frames.length === 0) return undefined;
    const saved = await this.parts.backend.devices.savePoll(reader, held);
    return { frames, cursor: this.parts.tokens.of(reader, saved) };
  }

  private listenTo(poller: Poller, feeds: readonly Standing[]): void {
    const wanted = new Set(feeds.map(({ conv }) => conv));
    for (const conv of wanted) {
      if (poller.convs.has(conv)) continue;
      poller.convs.add(conv);
      this.parts.feeds.wait(conv, poller);
    }
    for (const conv of poller.convs) {
      if (wanted.has(conv)) continue;
      poller.convs.delete(conv);
      this.parts.feeds.unwait(conv, poller);
    }
  }

  private empty(reader: Reader): PollAnswer {
    return { frames: [], cursor: this.parts.tokens.of(reader, 0) };
  }
}
