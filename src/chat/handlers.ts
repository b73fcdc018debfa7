/** What each frame of a client does. A frame is answered, or counted, whatever happens. */
import { type Decoded, decode } from '../protocol/decode.js';
import {
  ALL,
  BAD_REQUESTS_MAX,
  type Conv,
  dmOf,
  type ErrorCode,
  type MessageId,
  roomConv,
  sidesOf,
  TYPING_MS,
  TYPING_ROOM_MAX,
  type Uid,
  WATCH_MAX,
} from '../protocol/index.js';
import { encode, errorFrame, retryAfter, WORDS } from './answers.js';
import type { Commits } from './commits.js';
import { costOf } from './cost.js';
import type { Cursors } from './cursors.js';
import type { Delivery } from './delivery.js';
import { remember } from './failed.js';
import { messageTail, type Target } from './item.js';
import type { Meter } from './meter.js';
import { mayBroadcast, type Refused } from './policy.js';
import { type Backend, type Mark, Unavailable } from './ports.js';
import type { Registry } from './registry.js';
import type { Requests } from './requests.js';
import { positionOf, type Session } from './session.js';
import type { Watch } from './watch.js';

export type HandlerParts = {
  readonly backend: Backend;
  readonly registry: Registry;
  readonly commits: Commits;
  readonly cursors: Cursors;
  readonly delivery: Delivery;
  readonly requests: Requests;
  readonly watch: Watch;
  /** Requests of a connection that may be in hand at once. */
  readonly queries: number;
  readonly meter: Meter;
  readonly now: () => number;
  /** A `hello` on a connection that is logged in. */
  readonly renew: (session: Session, frame: Decoded<'hello'>) => Promise<string | Refused>;
  readonly fault: (error: unknown) => void;
};

const BAD_BINARY = 'frames are text';
/** Milliseconds after which one of the requests in hand may be answered. */
const IN_HAND_MS = 50;

export class Handlers {
  constructor(private readonly parts: HandlerParts) {}

  /** Takes one frame of a session that has arrived; undefined stands for a binary one. */
  take(session: Session, text: string | undefined): void {
    const frame = text === undefined ? ({ type: 'refused', message: BAD_BINARY } as const) : decode(text);
    this.parts.meter.cell('skein_frames_received_total', frame.type).value++;
    const wait = this.cost(session, frame, text);
    if (wait > 0) return this.limit(session, frame, wait);
    if (frame.type === 'refused') return this.refuseBad(session, frame.id, frame.message);
    this.handle(session, frame);
  }

  private handle(session: Session, frame: Decoded): void {
    switch (frame.type) {
      case 'send':
        return this.send(session, frame);
      case 'ack':
        if (session.ack === 'auto') return this.refuseBad(session, frame.id, 'this connection acknowledges by itself');
        return this.mark(session, frame.id, {
          uid: session.uid,
          conv: frame.conv,
          device: session.device,
          delivered: frame.seq,
        });
      case 'read':
        return this.mark(session, frame.id, { uid: session.uid, conv: frame.conv, read: frame.seq });
      case 'typing':
        return this.typing(session, frame);
      case 'ping':
        session.badInARow = 0;
        return this.answer(session, encode({ type: 'pong', ...withId(frame.id), ts: Date.now() }));
      case 'hello':
        return this.reply(session, frame.id, this.parts.renew(session, frame));
      case 'history':
        return this.query(session, frame.id, () => this.parts.requests.history(session.uid, frame));
      case 'join':
        return this.reply(session, frame.id, this.parts.requests.join(session.uid, frame));
      case 'leave':
        return this.reply(session, frame.id, this.parts.requests.leave(session.uid, frame));
      case 'members':
        return this.query(session, frame.id, () => this.parts.requests.members(session.uid, frame));
      case 'conversations':
        return this.query(session, frame.id, () =>
          this.parts.requests.conversations(session.uid, frame, (tokens) =>
            session.allowance.sends.charge(this.parts.now(), tokens),
          ),
        );
      case 'watch':
        return this.query(session, frame.id, () => this.watch(session, frame));
      case 'unwatch':
        session.badInARow = 0;
        return this.parts.watch.unwatch(session, frame.uids);
      case 'recall':
      case 'edit':
      case 'react':
        return this.reply(session, frame.id, this.parts.requests.change(session.uid, frame, session));
    }
  }

  /** Milliseconds until the connection may send such a frame; 0: now. */
  private cost(session: Session, frame: ReturnType<typeof decode>, text: string | undefined): number {
    const { type } = frame;
    // It may be made only now, and is full only from then on.
    const { bytes, marks, sends } = session.allowance;
    const now = this.parts.now();
    const wait = bytes.take(now, text === undefined ? 0 : Buffer.byteLength(text));
    const isMark = type === 'ack' || type === 'read' || type === 'ping';
    return Math.max(wait, (isMark ? marks : sends).take(now, costOf(frame)));
  }

  private limit(session: Session, frame: ReturnType<typeof decode>, wait: number): void {
    if (Object.values(session.allowance).some(({ isAbused }) => isAbused)) return session.close('rateLimited');
    if (frame.type === 'typing') return;
    if (frame.type === 'send' && frame.try !== undefined)
      remember(session, placeOf(session.uid, frame).conv, frame.try);
    this.refuse(session, frame.id, 'rate_limited', WORDS.rate_limited, wait);
  }

  private send(session: Session, frame: Decoded<'send'>): void {
    session.badInARow = 0;
    if (frame.broadcast && !mayBroadcast(session.identity)) return this.refuse(session, frame.id, 'forbidden');
    const { conv, target } = placeOf(session.uid, frame);
    this.parts.commits.submit({
      letter: {
        conv,
        sender: session.uid,
        id: frame.id,
        tail: messageTail(frame.id, session.uid, target, frame.data),
        ref: this.parts.commits.nextRef(),
      },
      sides: 'receiver' in target ? sidesOf(conv) : undefined,
      session,
      attempt: frame.try,
      answer: undefined,
      answered: false,
    });
  }

  /** Cursors within what was pushed are written with others; the store judges any other one. */
  private mark(session: Session, id: MessageId | undefined, mark: Mark): void {
    const track = session.tracks.get(mark.conv);
    const seq = mark.delivered ?? mark.read ?? 0;
    if (track !== undefined && seq <= positionOf(track)) {
      if (mark.delivered !== undefined) track.confirmed = Math.max(track.confirmed, seq);
      this.parts.cursors.note(mark, session);
      session.badInARow = 0;
      return;
    }
    this.reply(session, id, this.parts.requests.mark(mark, session));
  }

  private typing(session: Session, frame: Decoded<'typing'>): void {
    session.badInARow = 0;
    const { receiver, room } = frame;
    const conv = receiver === undefined ? roomConv(room!) : dmOf(session.uid, receiver);
    const now = this.parts.now();
    session.lastTyping ??= new Map();
    if (now - (session.lastTyping.get(conv) ?? Number.NEGATIVE_INFINITY) < TYPING_MS) return;
    if (session.lastTyping.size > 64) session.lastTyping.clear();
    session.lastTyping.set(conv, now);
    this.whisper(session.uid, receiver, room).catch((error: unknown) => {
      if (!(error instanceof Unavailable)) this.parts.fault(error);
    });
  }

  private async whisper(sender: Uid, receiver: Uid | undefined, room: Decoded<'typing'>['room']): Promise<void> {
    const { whispers, rooms } = this.parts.backend;
    if (receiver !== undefined) {
      const frame = encode({ type: 'typing', sender, receiver });
      if (!this.parts.registry.get(receiver)?.blocks.has(sender))
        this.parts.cursors.tellUser(receiver, frame, undefined);
      await whispers.toUsers([receiver], frame);
    } else if (room !== undefined) {
      const facts = await rooms.facts(room, [sender]);
      if (facts.asked[0]?.role === undefined || facts.members > TYPING_ROOM_MAX) return;
      await whispers.toRoom(roomConv(room), sender, encode({ type: 'typing', sender, room }));
    }
  }

  private async watch(session: Session, frame: Decoded<'watch'>): Promise<undefined | Refused> {
    const frames = await this.parts.watch.watch(session, frame.uids, frame.id);
    if (frames === undefined) return { refused: 'bad_request', message: `at most ${WATCH_MAX} watched at a time` };
    for (const each of frames) this.answer(session, each);
    return undefined;
  }

  /** Answers a request that may read much, of which so many are in hand at once. */
  private query(session: Session, id: MessageId | undefined, work: () => Promise<string | Refused | undefined>): void {
    if (session.queries >= this.parts.queries) {
      const wait = Math.ceil(IN_HAND_MS * (1 + Math.random()));
      return this.refuse(session, id, 'rate_limited', 'too many requests at once', wait);
    }
    session.queries++;
    const done = (): void => {
      session.queries--;
    };
    this.reply(session, id, work().finally(done));
  }

  /** Answers with what comes of the work: a frame, a refusal, or nothing. */
  private reply(session: Session, id: MessageId | undefined, work: Promise<string | Refused | undefined>): void {
    work.then(
      (outcome) => {
        if (typeof outcome === 'object' && outcome.refused === 'bad_request')
          return this.refuseBad(session, id, outcome.message);
        session.badInARow = 0;
        if (typeof outcome === 'string') this.answer(session, outcome);
        else if (outcome) this.refuse(session, id, outcome.refused, outcome.message);
      },
      (error: unknown) => {
        if (error instanceof Unavailable)
          return this.refuse(session, id, 'unavailable', WORDS.unavailable, retryAfter());
        this.parts.fault(error);
        return this.refuse(session, id, 'internal');
      },
    );
  }

  private refuseBad(session: Session, id: MessageId | undefined, message = WORDS.bad_request): void {
    this.refuse(session, id, 'bad_request', message);
    if (++session.badInARow >= BAD_REQUESTS_MAX) session.close('badRequests');
  }

  private refuse(
    session: Session,
    id: MessageId | undefined,
    code: ErrorCode,
    message = WORDS[code],
    retry?: number,
  ): void {
    this.parts.meter.cell('skein_errors_total', code).value++;
    this.answer(session, errorFrame(id, code, message, retry));
  }

  private answer(session: Session, frame: string): void {
    if (!session.closed) this.parts.delivery.answer(session, frame);
  }
}

const withId = (id: MessageId | undefined): { id?: MessageId } => (id === undefined ? {} : { id });

/** Where a send goes. */
export function placeOf(sender: Uid, frame: Decoded<'send'>): { readonly conv: Conv; readonly target: Target } {
  if (frame.receiver !== undefined) return { conv: dmOf(sender, frame.receiver), target: { receiver: frame.receiver } };
  if (frame.room !== undefined) return { conv: roomConv(frame.room), target: { room: frame.room } };
  return { conv: ALL, target: { broadcast: true } };
}
