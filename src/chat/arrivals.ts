/** The way in and out of a connection: welcome, receipts, what is pending, `synced`; and what it leaves behind. */
import { HEARTBEAT_SECONDS, type MessageId, PROTOCOL_VERSION } from '../protocol/index.js';
import { receiptFrame } from './answers.js';
import type { BanList } from './bans.js';
import type { Control } from './control.js';
import type { Cursors } from './cursors.js';
import type { Debug } from './debug.js';
import type { Delivery } from './delivery.js';
import type { Expenses } from './expenses.js';
import type { Farewells } from './farewells.js';
import type { Feeds } from './feeds.js';
import { idMember } from './item.js';
import type { Cell, Meter } from './meter.js';
import { type Arrival, type Devices, type NodeId, type Standing, Unavailable } from './ports.js';
import type { Pulse } from './pulse.js';
import { NOBODY, type Registry } from './registry.js';
import type { Session } from './session.js';
import type { Watch } from './watch.js';

export type ArrivalParts = {
  readonly node: NodeId;
  readonly devices: Devices;
  readonly registry: Registry;
  readonly delivery: Delivery;
  readonly feeds: Feeds;
  readonly pulse: Pulse;
  readonly cursors: Cursors;
  readonly watch: Watch;
  readonly farewells: Farewells;
  readonly control: Control;
  readonly bans: BanList;
  readonly expenses: Expenses;
  readonly meter: Meter;
  readonly debug: Debug | undefined;
  readonly limits: {
    readonly frame: number;
    readonly rate: number;
    readonly dedup: number;
    readonly userSockets: number;
  };
  /** What a connection said before it was let in. */
  readonly take: (session: Session, text: string | undefined) => void;
  readonly fault: (error: unknown) => void;
};

export class Arrivals {
  private readonly users: Cell;
  /** What is the same in every welcome: its second member, and the last ones. */
  private readonly node: string;
  private readonly rest: string;

  constructor(private readonly parts: ArrivalParts) {
    this.users = parts.meter.cell('skein_users');
    const { frame, rate, dedup } = parts.limits;
    this.node = JSON.stringify({ node: parts.node }).slice(1, -1);
    const limits = { frame, rate, dedup };
    this.rest = JSON.stringify({ heartbeat: HEARTBEAT_SECONDS, limits, protocol: PROTOCOL_VERSION }).slice(1);
  }

  /** Lets a connection in. It is registered first, so that no hint is missed between the reading and the pushing. */
  enter(session: Session): void {
    const { registry, pulse } = this.parts;
    const { uid, device, identity } = session;
    if (this.parts.bans.isBanned(uid, device, identity.tokenId)) return session.close('banned');
    if (session.replace) this.replace(session);
    const user = registry.get(uid);
    const isTooMuch =
      (user?.sessions.length ?? 0) >= this.parts.limits.userSockets || this.parts.expenses.wait(uid) > 0;
    if (isTooMuch) return session.close('overloaded');
    registry.add(session);
    pulse.watch(session);
    this.users.value = registry.size;
    // A new device starts at what the others have acknowledged.
    if (user === undefined) this.ask(session);
    else this.parts.cursors.writtenFor(uid).then(() => this.ask(session), this.parts.fault);
  }

  private ask(session: Session): void {
    const { uid, device, conn } = session;
    this.parts.devices.enter({ uid, device }, conn).then(
      (arrival) => this.arrived(session, arrival),
      (error: unknown) => this.missed(session, error),
    );
  }

  private arrived(session: Session, arrival: Arrival): void {
    if (session.closed) return this.parts.farewells.say(session.uid, session.conn);
    try {
      this.parts.expenses.look(session.uid, arrival.looked);
      this.welcome(session, arrival);
    } catch (error) {
      return this.missed(session, error);
    }
    const inbox = session.inbox ?? [];
    session.inbox = undefined;
    if (!session.closed) for (const text of inbox) this.parts.take(session, text);
  }

  private missed(session: Session, error: unknown): void {
    if (!(error instanceof Unavailable)) this.parts.fault(error);
    session.close('overloaded');
    // The store may have let it in all the same.
    this.parts.farewells.say(session.uid, session.conn);
  }

  /** Ends the device's other connections, wherever they are. */
  private replace({ uid, device, conn }: Session): void {
    this.parts.control.say({ kind: 'replace', uid, device, conn }).catch((error: unknown) => {
      if (!(error instanceof Unavailable)) this.parts.fault(error);
    });
  }

  private welcome(session: Session, arrival: Arrival): void {
    const { conn, uid, device, ack } = session;
    this.parts.debug?.({ conn, uid, device, ack, transport: session.line.transport }, 'arrived');
    const { delivery, feeds, registry } = this.parts;
    const user = registry.get(session.uid);
    if (user) user.blocks = arrival.blocks.length === 0 ? NOBODY : new Set(arrival.blocks);
    if (user?.sessions.length === 1) this.parts.watch.arrived(session.uid);
    session.line.cork(() => {
      delivery.answer(session, this.welcomeFrame(session, arrival.ts));
      session.arrived = true;
      for (const receipt of arrival.receipts) delivery.answer(session, receiptFrame(receipt));
      session.backlog = 1;
      for (const standing of arrival.pending) this.expectBacklog(session, standing);
      for (const standing of arrival.feeds) this.joinFeed(session, standing);
      for (const [conv, since] of session.gained ?? []) feeds.attach(session, conv, since);
      for (const [conv, seq] of session.hinted ?? []) delivery.expect(session, conv, seq);
      session.backlog--;
      delivery.maySync(session);
    });
    session.gained = session.hinted = undefined;
  }

  private welcomeFrame(session: Session, ts: number, id?: MessageId): string {
    const { uid, device, conn } = session;
    return `{"type":"welcome",${idMember(id)}"uid":"${uid}","device":"${device}",${this.node},"conn":"${conn}","ts":${ts},${this.rest}`;
  }

  /** The answer to a `hello` that renewed the credentials. */
  welcomeAgain(session: Session, id: MessageId | undefined): string {
    return this.welcomeFrame(session, Date.now(), id);
  }

  private expectBacklog(session: Session, { conv, cursor, head }: Standing): void {
    const track = session.tracks.get(conv) ?? this.parts.delivery.track(session, conv, cursor);
    if (track.pos < 0) track.pos = track.confirmed = cursor;
    track.target = Math.max(track.target, head);
    track.backlog = true;
    session.backlog++;
    this.parts.delivery.catchUp(session, track);
  }

  private joinFeed(session: Session, { conv, cursor, head }: Standing): void {
    const track = this.parts.feeds.attach(session, conv, cursor, head);
    if (track.level || track.pos >= head) return;
    track.backlog = true;
    session.backlog++;
    this.parts.delivery.catchUp(session, track);
  }

  /** A connection has ended, in order or not. What it was confirmed to have is noted; the rest stays pending. */
  leave(session: Session, inOrder: boolean): void {
    this.parts.debug?.({ conn: session.conn, uid: session.uid, inOrder }, 'left');
    const { registry, feeds, pulse, delivery, cursors, watch } = this.parts;
    if (inOrder && session.arrived && !session.lagging) pulse.closedInOrder(session);
    cursors.flushSoon();
    for (const track of [...session.tracks.values()]) if (track.feed) feeds.detach(session, track.conv);
    delivery.forget(session);
    pulse.forget(session);
    if (session.arrived) this.parts.farewells.say(session.uid, session.conn);
    registry.remove(session);
    watch.forget(session);
    if (session.arrived && registry.get(session.uid) === undefined) watch.left(session.uid);
    this.users.value = registry.size;
  }
}
