/** What a node does when hints may have been lost: it looks what its local users missed, a few at a time. */
import type { Control } from './control.js';
import type { Delivery } from './delivery.js';
import type { Feeds } from './feeds.js';
import { Gate } from './gate.js';
import type { Meter } from './meter.js';
import type { Polls } from './polls.js';
import { type Backend, Unavailable } from './ports.js';
import type { Registry, User } from './registry.js';
import type { Session } from './session.js';

const USERS_AT_ONCE = 16;
const ASSERT_AT_ONCE = 256;
/** The net below everything else: everybody is looked at this often. */
const SWEEP_MS = 300_000;

export type ReconcileParts = {
  readonly backend: Backend;
  readonly registry: Registry;
  readonly delivery: Delivery;
  readonly feeds: Feeds;
  readonly polls: Polls;
  readonly control: Control;
  readonly meter: Meter;
  readonly fault: (error: unknown) => void;
};

export class Reconcile {
  private readonly gate = new Gate(USERS_AT_ONCE);
  private since: number | undefined;
  private running = false;
  private readonly timer: NodeJS.Timeout;
  private stopped = false;

  constructor(private readonly parts: ReconcileParts) {
    this.timer = setInterval(() => this.lost(Date.now() - 2 * SWEEP_MS), SWEEP_MS);
  }

  stop(): void {
    this.stopped = true;
    clearInterval(this.timer);
  }

  /** Hints since a time of the store's clock may be missing. */
  lost(since: number): void {
    this.since = Math.min(since, this.since ?? since);
    if (!this.running) void this.run();
  }

  private async run(): Promise<void> {
    this.running = true;
    while (this.since !== undefined && !this.stopped) {
      const since = this.since;
      this.since = undefined;
      this.parts.meter.cell('skein_reconciliations_total').value++;
      try {
        await this.checkFeeds();
        await Promise.all([...this.parts.registry.all()].map((user) => this.gate.run(() => this.check(user, since))));
      } catch (error) {
        if (!(error instanceof Unavailable)) this.parts.fault(error);
        this.since = since;
        await new Promise((resolve) => setTimeout(resolve, 500 + Math.random() * 500));
      }
    }
    this.running = false;
  }

  private async checkFeeds(): Promise<void> {
    const convs = this.parts.feeds.convs();
    for (let at = 0; at < convs.length; at += ASSERT_AT_ONCE) {
      const chunk = convs.slice(at, at + ASSERT_AT_ONCE);
      const heads = await this.parts.backend.log.heads(chunk);
      for (const [i, conv] of chunk.entries()) this.parts.feeds.expectIn(conv, heads[i] ?? 0);
    }
  }

  private async check(user: User, since: number): Promise<void> {
    if (this.stopped) return;
    // The word that they block somebody may have been among what was lost.
    await this.parts.control.reload(user.uid);
    for (const waiter of user.waiters) waiter.wake();
    for (const session of [...user.sessions])
      if (session.arrived && !session.closed) await this.checkSession(session, since);
  }

  private async checkSession(session: Session, since: number): Promise<void> {
    const { pending, feeds } = await this.parts.backend.devices.pending(
      { uid: session.uid, device: session.device },
      since,
    );
    if (session.closed) return;
    for (const { conv, head } of pending) this.parts.delivery.expect(session, conv, head);
    for (const { conv, cursor, head } of feeds) {
      const track = session.tracks.get(conv) ?? this.parts.feeds.attach(session, conv, cursor);
      if (track.feed) this.parts.feeds.expectIn(conv, head);
    }
    const mine = new Set(feeds.map(({ conv }) => conv));
    // Not at once: the entry that says so may be on its way from the log.
    for (const track of session.tracks.values())
      if (track.feed && !mine.has(track.conv)) this.parts.feeds.loseSoon(session.uid, track.conv);
  }

  /** Puts the presence of all local connections back, paced; used when the store was away. */
  async assertAll(): Promise<void> {
    const lines = [...this.parts.registry.all()].flatMap((user) =>
      user.sessions.map(({ uid, conn }) => ({ uid, conn })),
    );
    const conns = [...lines, ...this.parts.polls.conns()];
    for (let at = 0; at < conns.length; at += ASSERT_AT_ONCE)
      await this.parts.backend.devices.assert(conns.slice(at, at + ASSERT_AT_ONCE));
  }
}
