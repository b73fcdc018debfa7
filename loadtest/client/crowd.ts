/** One worker's share of the users, and what they do together. */

import type { Dialect } from '../dialects/dialect.js';
import { DIALECTS } from '../dialects/index.js';
import type { Answers, Faulty, Plan } from '../orders.js';
import { clockSince } from './clock.js';
import { eachOf, until } from './gate.js';
import { record } from './latency.js';
import { Pace } from './pace.js';
import { nodeOf } from './place.js';
import { Pollers } from './pollers.js';
import type { Sender } from './sender.js';
import { Outbox, type Target } from './socket.js';
import { CHANNELS_MAX, STAMP_LENGTH } from './stamp.js';
import { Tally } from './tally.js';
import { type Kind, type Listener, User } from './user.js';

const READY_MS = 60_000;
const ANSWERS_MS = 10_000;
const SEED_AT_ONCE = 100;
const DIRECT = 0;

export class Crowd implements Listener {
  readonly tally = new Tally();
  private readonly dialect: Dialect;
  private readonly clock: () => number;
  private readonly outbox = new Outbox();
  private readonly users = new Map<number, User>();
  private readonly pollers: Pollers | undefined;
  private readonly awaited = new Map<User, { readonly began: number; readonly done: (isFine: boolean) => void }>();
  private readonly reasons: Record<string, number> = {};
  private readonly inflight: number;
  private running = false;

  constructor(private readonly plan: Plan) {
    this.dialect = DIALECTS[plan.dialect];
    this.clock = clockSince(plan.epoch);
    this.inflight = plan.direct && 'inflight' in plan.direct ? plan.direct.inflight : 0;
    const channels = 1 + (plan.room?.senders ?? 0) + (plan.broadcast?.senders ?? 0);
    if (channels > CHANNELS_MAX) throw new RangeError(`at most ${CHANNELS_MAX - 1} senders to rooms and to all`);
    for (let index = 0; index < plan.users; index++) {
      if ((index >> 1) % plan.shares !== plan.share) continue;
      this.users.set(index, new User(index, this.uidOf(index), this.dialect, this, channels));
    }
    for (const user of this.users.values()) this.assign(user);
    if (plan.pollers > 0) this.pollers = new Pollers(plan, this.tally, this.clock);
  }

  async join(concurrency: number): Promise<Answers['join']> {
    const frame = this.dialect.join(this.roomName);
    let failed = 0;
    if (frame === undefined) return { failed };
    await eachOf([...this.users.values()], concurrency, async (user) => {
      const isReady = await this.arrive(user, false);
      const isJoined = isReady && (await this.waitFor(user, () => user.join(frame)));
      if (!isJoined) failed++;
      user.close();
    });
    return { failed };
  }

  /** This worker's share of those who are only known, and of rooms that nobody speaks in. */
  async furnish(known: number, rooms: number, concurrency: number): Promise<Answers['furnish']> {
    const { share, shares, users } = this.plan;
    const shareOf = (count: number) => Array.from({ length: count }, (_, i) => i).filter((i) => i % shares === share);
    let failed = 0;
    await eachOf(shareOf(known), concurrency, async (i) => {
      const stranger = new User(users + i, this.uidOf(users + i), this.dialect, this, 1);
      if (!(await this.arrive(stranger, false))) failed++;
      stranger.close();
    });
    const members = [...this.users.values()];
    await eachOf(rooms === 0 ? [] : members, concurrency, async (user) => {
      if (!(await this.arrive(user, false))) failed++;
      for (let room = user.index; room < rooms; room += users) {
        const frame = this.dialect.join(`${this.roomName}${room}`);
        if (frame !== undefined && !(await this.waitFor(user, () => user.join(frame)))) failed++;
      }
      user.close();
    });
    return { failed };
  }

  async connect(from: number, to: number, step: number, concurrency: number): Promise<Answers['connect']> {
    const coming = [...this.users.values()].filter(
      ({ index }) => index >= from && index < to && (index - from) % step === 0,
    );
    let ready = 0;
    await eachOf(coming, concurrency, async (user) => {
      if (await this.arrive(user, true)) ready++;
    });
    return { ready, failed: coming.length - ready };
  }

  /** Each connected user sends to its partner, who need not be there, and all is acknowledged. */
  async seed(messages: number): Promise<void> {
    const here = [...this.users.values()].filter(({ isReady }) => isReady);
    await eachOf(here, 64, async (user) => {
      for (let sent = 0; sent < messages; sent += SEED_AT_ONCE) {
        for (let i = sent; i < Math.min(messages, sent + SEED_AT_ONCE); i++) this.post(user, 'direct', this.clock());
        this.outbox.flush();
        const isDone = await until(() => (user.senders.direct?.unanswered ?? 0) === 0, ANSWERS_MS);
        if (!isDone) throw new Error(`${user.uid} waits in vain for answers`);
      }
    });
  }

  disconnect(): void {
    for (const user of this.users.values()) user.close();
  }

  start(): void {
    this.running = true;
    const users = [...this.users.values()];
    const { direct, room, broadcast, share, shares } = this.plan;
    if (this.inflight > 0) {
      for (const user of users) this.refill(user);
      this.outbox.flush();
    }
    const paces = [
      ...(direct && 'rate' in direct ? [this.pace('direct', direct.rate / shares, users, share / shares)] : []),
      ...(room ? [this.pace('room', room.rate, users)] : []),
      ...(broadcast ? [this.pace('all', broadcast.rate, users)] : []),
    ];
    if (paces.length > 0) this.tick(paces);
    this.pollers?.start();
  }

  async stop(): Promise<Answers['stop']> {
    this.running = false;
    await this.pollers?.stop();
    const finals: number[] = [];
    for (const { senders } of this.users.values())
      for (const sender of [senders.room, senders.all])
        if (sender !== undefined) finals[sender.channel] = sender.sent - sender.refused;
    return Array.from(finals, (final) => final ?? 0);
  }

  finish(finals: readonly number[]): Faulty {
    const total = this.pollers?.faults() ?? { lost: 0, doubled: 0, outOfOrder: 0, badAcks: 0 };
    for (const user of this.users.values()) {
      const own = [user.senders.room?.channel, user.senders.all?.channel];
      const toHere = finals.map((final, channel) => (own.includes(channel) ? 0 : final));
      toHere[DIRECT] = user.partner?.senders.direct?.sent ?? 0;
      const { lost, doubled, outOfOrder } = user.ledger.faults(toHere);
      // A refused message was promised to nobody.
      total.lost += Math.max(0, lost - (user.partner?.senders.direct?.refused ?? 0));
      total.doubled += doubled;
      total.outOfOrder += outOfOrder;
      for (const sender of Object.values(user.senders))
        total.badAcks += sender.badAcks + (this.dialect.isAcknowledging ? sender.unanswered : 0);
    }
    return { ...total, reasons: this.reasons };
  }

  ready(user: User): void {
    const waiting = this.awaited.get(user);
    if (waiting === undefined) return;
    record(this.tally.login, this.clock() - waiting.began);
    this.settle(user, true);
  }

  joined(user: User): void {
    this.settle(user, true);
  }

  delivered(user: User, channel: number, due: number): void {
    this.tally.delivered++;
    record(this.tally.delivery, this.clock() - due);
    const sender = user.partner?.senders.direct;
    if (channel !== DIRECT || sender === undefined) return;
    sender.delivered++;
    if (this.running && this.inflight > 0) this.refill(user.partner as User);
  }

  acked(user: User, sender: Sender, due: number | undefined): void {
    this.tally.acked++;
    if (due !== undefined) record(this.tally.ack, this.clock() - due);
    if (this.running && this.inflight > 0 && sender.channel === DIRECT) this.refill(user);
  }

  refused(user: User, sender: Sender | undefined): void {
    this.tally.refused++;
    if (sender !== undefined) sender.refused++;
    this.settle(user, false);
    if (this.running && this.inflight > 0) this.refill(user);
  }

  ended(user: User, why: string | undefined): void {
    if (why !== undefined) {
      this.tally.broken++;
      this.reasons[why] = (this.reasons[why] ?? 0) + 1;
    }
    this.settle(user, false);
  }

  private get roomName(): string {
    return `${this.plan.run}r`;
  }

  private uidOf(index: number): string {
    return `${this.plan.run}u${index}`;
  }

  private assign(user: User): void {
    const { room, broadcast, bytes } = this.plan;
    const padding = '.'.repeat(Math.max(0, bytes - STAMP_LENGTH));
    const other = user.index ^ 1;
    user.partner = this.users.get(other);
    if (user.partner) user.maySend('direct', DIRECT, { receiver: this.uidOf(other) }, padding);
    if (room && user.index < room.senders) user.maySend('room', 1 + user.index, { room: this.roomName }, padding);
    if (broadcast && user.index < broadcast.senders) {
      user.maySend('all', 1 + (room?.senders ?? 0) + user.index, 'all', padding);
    }
  }

  private arrive(user: User, stays: boolean): Promise<boolean> {
    const { nodes, room } = this.plan;
    const node = nodeOf(user.index, nodes);
    const path = this.dialect.path(user.uid, stays && room ? this.roomName : undefined);
    const target: Target = { ...node, path };
    return this.waitFor(user, () => user.connect(target, this.outbox));
  }

  /** Does something that the server answers; resolves with whether it did. */
  private waitFor(user: User, work: () => void): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.settle(user, false), READY_MS);
      const done = (isFine: boolean): void => {
        clearTimeout(timer);
        resolve(isFine);
      };
      this.awaited.set(user, { began: this.clock(), done });
      work();
      this.outbox.flush();
    });
  }

  private settle(user: User, isFine: boolean): void {
    const waiting = this.awaited.get(user);
    this.awaited.delete(user);
    waiting?.done(isFine);
  }

  private post(user: User, kind: Kind, due: number): void {
    this.tally.sent++;
    user.send(kind, due);
  }

  private refill(user: User): void {
    const sender = user.senders.direct;
    if (sender === undefined || !user.isReady) return;
    const room = this.inflight - sender.underWay(this.dialect.isAcknowledging);
    if (room <= 0) return;
    const now = this.clock();
    for (let i = 0; i < room; i++) this.post(user, 'direct', now);
  }

  /** Who may send takes turns. Senders to many are spread over workers: each sends its part of the rate. */
  private pace(kind: Kind, rate: number, users: readonly User[], phase = 0): (now: number) => void {
    const able = users.filter(({ senders }) => senders[kind] !== undefined);
    if (able.length === 0) return () => undefined;
    const fanout = kind === 'room' ? this.plan.room : kind === 'all' ? this.plan.broadcast : undefined;
    const own = fanout === undefined ? rate : (rate * able.length) / fanout.senders;
    const pace = new Pace(own, this.clock(), phase);
    let turn = 0;
    return (now) =>
      pace.run(now, (due) => {
        record(this.tally.lateness, now - due);
        this.post(able[turn++ % able.length]!, kind, due);
      });
  }

  private tick(paces: readonly ((now: number) => void)[]): void {
    if (!this.running) return;
    const now = this.clock();
    for (const pace of paces) pace(now);
    this.outbox.flush();
    setTimeout(() => this.tick(paces), 1);
  }
}
