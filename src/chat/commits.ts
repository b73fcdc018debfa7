/**
 * Group commit. Sends queue; at most one batch is on its way to the store, and the next leaves when the reply is in, at
 * the end of that turn of the event loop, or a moment later where others are about to join it (pace.ts). So order
 * survives whatever happens to a batch, nothing waits when it is quiet, and a message gets cheaper the more of them
 * there are. A batch that fails fails what is queued behind it.
 */
import { type Conv, type ErrorCode, isDm, type MessageId, type Uid } from '../protocol/index.js';
import { errorFrame, retryAfter, sentFrame, WORDS } from './answers.js';
import { Asides } from './asides.js';
import type { Cursors } from './cursors.js';
import type { Debug } from './debug.js';
import type { Delivery } from './delivery.js';
import { isTooLate, remember } from './failed.js';
import type { Feeds } from './feeds.js';
import { frameOf, type Item, itemOf, MARK, senderOf } from './item.js';
import type { Cell, Meter } from './meter.js';
import { Pace } from './pace.js';
import type { Refused } from './policy.js';
import { type Letter, type Log, type Outcome, Unavailable } from './ports.js';
import type { Registry } from './registry.js';
import type { Session } from './session.js';

const BATCH_LETTERS = 128;
const BATCH_CHARS = 65_536;
/** Letters, and characters of them, that may wait; what comes beyond is refused. */
const QUEUE_LETTERS = 20_000;
const QUEUE_CHARS = 64 * 1_048_576;

/** A send on its way. Exactly one of `session` and `answer` is there. */
export type Sending = {
  readonly letter: Letter;
  /** The sides of a dm: who is to get it on this node. */
  readonly sides: readonly [Uid, Uid] | undefined;
  readonly session: Session | undefined;
  readonly attempt: number | undefined;
  /** Takes the answer of a send that came over HTTP. */
  readonly answer: ((frame: string) => void) | undefined;
  answered: boolean;
};

export type CommitParts = {
  readonly log: Log;
  readonly registry: Registry;
  readonly meter: Meter;
  readonly now: () => number;
  readonly debug: Debug | undefined;
  readonly fault: (error: unknown) => void;
};

export class Commits {
  private queue: Sending[] = [];
  private queued = 0;
  private onItsWay: readonly Sending[] = [];
  private lastRef = 0;
  private readonly byRef = new Map<number, Sending>();
  private readonly asides = new Asides();
  private settling: { after: number; resolve: () => void }[] = [];
  private readonly pace: Pace;
  private submitted = 0;
  private finished = 0;
  private readonly dedupHits: Cell;
  private readonly storedAs: Readonly<Record<'dm' | 'room' | 'all', Cell>>;
  delivery!: Delivery;
  feeds!: Feeds;
  cursors!: Cursors;

  constructor(private readonly parts: CommitParts) {
    const { meter } = parts;
    this.pace = new Pace(parts.log.gap, parts.now);
    this.dedupHits = meter.cell('skein_dedup_hits_total');
    const storedAs = (kind: string) => meter.cell('skein_messages_stored_total', kind);
    this.storedAs = { dm: storedAs('dm'), room: storedAs('room'), all: storedAs('all') };
  }

  nextRef(): number {
    return ++this.lastRef;
  }

  /** Queues a send. It is answered on its session, or to `answer`, whatever happens. */
  submit(sending: Sending): void {
    if (
      isTooLate(sending.session, sending.letter.conv, sending.attempt) ||
      this.queue.length >= QUEUE_LETTERS ||
      this.queued >= QUEUE_CHARS
    ) {
      return this.refuse(sending, 'unavailable');
    }
    this.queue.push(sending);
    this.queued += sending.letter.tail.length;
    this.submitted++;
    if (sending.session) sending.session.inFlight++;
    this.schedule();
  }

  /** A send without a connection, such as one over HTTP: resolves with the frame that answers it. */
  ask(letter: Letter, sides: Sending['sides']): Promise<string> {
    return new Promise((resolve) =>
      this.submit({ letter, sides, session: undefined, attempt: undefined, answer: resolve, answered: false }),
    );
  }

  /** Stores by another way than a batch; what is stored reaches the connections here as a send does. */
  aside(
    sending: Sending,
    store: () => Promise<{ readonly letter: Letter; readonly outcome: Outcome } | Refused>,
  ): Promise<Refused | undefined> {
    const { ref } = sending.letter;
    if (sending.sides === undefined) this.byRef.set(ref, sending);
    return this.asides.run(
      sending,
      store().finally(() => this.byRef.delete(ref)),
      (done) => {
        if ('refused' in done) return done;
        this.conclude({ ...sending, letter: done.letter }, done.outcome);
        return undefined;
      },
    );
  }

  /** Resolves when everything that was submitted up to now has been answered. */
  async settled(): Promise<void> {
    const aside = this.asides.settled();
    if (this.finished < this.submitted) {
      const after = this.submitted;
      await new Promise<void>((resolve) => this.settling.push({ after, resolve }));
    }
    await aside;
  }

  /**
   * Whether a connection has a send under way that an entry, which came from elsewhere, will turn out to be the first
   * place of: same sender, conversation and id. Its answer then stands in the entry's place.
   */
  isRepeated(session: Session, conv: Conv, item: Item): boolean {
    if (session.inFlight === 0 || senderOf(item) !== session.uid) return false;
    const { id } = JSON.parse(frameOf(item));
    const isSame = ({ letter, ...sending }: Sending) =>
      sending.session === session && letter.conv === conv && letter.id === id;
    return id !== undefined && [this.onItsWay, this.queue, this.asides].some((sendings) => sendings.some(isSame));
  }

  /** Whether nothing is on its way or waiting. */
  get isIdle(): boolean {
    return this.finished >= this.submitted && this.asides.isEmpty;
  }

  /** The send that an entry's hint names, if it has no answer yet; the hint is its answer. */
  heard(ref: number): { readonly session: Session; readonly id: MessageId | undefined } | undefined {
    const sending = this.byRef.get(ref);
    if (sending?.session === undefined || sending.answered || sending.session.closed) return undefined;
    sending.answered = true;
    return { session: sending.session, id: sending.letter.id };
  }

  private schedule(): void {
    if (this.onItsWay.length === 0 && !this.pace.isScheduled) this.pace.schedule(() => void this.run());
  }

  private async run(): Promise<void> {
    const batch = this.nextBatch();
    this.pace.begin(batch.length);
    if (batch.length > 0) await this.commit(batch);
    this.release();
    if (this.queue.length > 0) this.schedule();
  }

  private nextBatch(): readonly Sending[] {
    const batch: Sending[] = [];
    let chars = 0;
    let taken = 0;
    while (taken < this.queue.length && batch.length < BATCH_LETTERS && chars < BATCH_CHARS) {
      const sending = this.queue[taken++]!;
      this.queued -= sending.letter.tail.length;
      if (isTooLate(sending.session, sending.letter.conv, sending.attempt)) this.settle(sending, UNAVAILABLE);
      else {
        batch.push(sending);
        chars += sending.letter.tail.length;
        if (sending.sides === undefined) this.byRef.set(sending.letter.ref, sending);
      }
    }
    this.queue = taken === this.queue.length ? [] : this.queue.slice(taken);
    return batch;
  }

  private async commit(batch: readonly Sending[]): Promise<void> {
    const began = this.parts.now();
    this.onItsWay = batch;
    let outcomes: readonly Outcome[] | undefined;
    try {
      outcomes = await this.parts.log.append(batch.map((sending) => sending.letter));
    } catch (error) {
      if (!(error instanceof Unavailable)) this.parts.fault(error);
    }
    this.onItsWay = [];
    this.parts.meter.observe('skein_commit_seconds', (this.parts.now() - began) / 1000);
    this.parts.meter.observe('skein_commit_letters', batch.length);
    for (let i = 0; i < batch.length; i++) {
      this.byRef.delete(batch[i]!.letter.ref);
      this.settle(batch[i]!, outcomes?.[i] ?? UNAVAILABLE);
    }
    if (outcomes === undefined) this.failQueue();
  }

  private failQueue(): void {
    const behind = this.queue;
    this.queue = [];
    this.queued = 0;
    for (const sending of behind) this.settle(sending, UNAVAILABLE);
  }

  private release(): void {
    if (this.settling.length === 0) return;
    const due = this.settling.filter(({ after }) => after <= this.finished);
    this.settling = this.settling.filter(({ after }) => after > this.finished);
    for (const { resolve } of due) resolve();
  }

  private settle(sending: Sending, outcome: Outcome): void {
    this.finished++;
    if (sending.session) sending.session.inFlight--;
    this.conclude(sending, outcome);
  }

  private conclude(sending: Sending, outcome: Outcome): void {
    if ('refused' in outcome) this.refuse(sending, outcome.refused);
    else this.stored(sending, outcome);
  }

  private stored(sending: Sending, outcome: Exclude<Outcome, { refused: ErrorCode }>): void {
    const { letter, session, sides } = sending;
    const { seq, ts, dup, first } = outcome;
    this.parts.debug?.({ conn: session?.conn, conv: letter.conv, seq, id: letter.id, dup }, 'stored');
    if (dup) this.dedupHits.value++;
    else this.storedAs[kindOf(letter.conv)].value++;
    if (sides !== undefined) this.deliver(sending, sides, outcome);
    if (outcome.readMoved)
      this.cursors.note({ uid: letter.sender, conv: letter.conv, read: seq, announce: true }, session);
    if (sending.answered || (session?.closed ?? false)) return;
    sending.answered = true;
    const frame = sentFrame(letter.id, letter.conv, seq, ts, dup);
    if (session === undefined) sending.answer?.(frame);
    else if (sides === undefined) this.feeds.stored(session, letter.conv, seq, frame);
    else this.delivery.sent(session, letter.conv, seq, frame, first);
  }

  /** To the other connections of both sides on this node; the store has told the other nodes. */
  private deliver(
    sending: Sending,
    sides: readonly [Uid, Uid],
    outcome: Exclude<Outcome, { refused: ErrorCode }>,
  ): void {
    const { letter, session } = sending;
    const { registry } = this.parts;
    const alone = session === undefined ? 0 : 1;
    const other = sides[0] === letter.sender ? sides[1] : sides[0];
    const sender = registry.get(letter.sender);
    const isNeeded =
      registry.get(other) !== undefined || (sender && sender.sessions.length + sender.waiters.size > alone);
    if (!isNeeded) return;
    if (outcome.dup) {
      for (const uid of sides)
        for (const each of registry.get(uid)?.sessions ?? []) {
          if (each !== session && each.arrived) this.delivery.expect(each, letter.conv, outcome.seq);
        }
      return;
    }
    this.delivery.direct(asItem(letter, sides, outcome), sides, session, true);
  }

  private refuse(sending: Sending, code: ErrorCode): void {
    if (sending.answered) return;
    sending.answered = true;
    const retry = code === 'unavailable' ? retryAfter() : undefined;
    const frame = errorFrame(sending.letter.id, code, WORDS[code], retry);
    this.parts.meter.cell('skein_errors_total', code).value++;
    const { session, letter } = sending;
    this.parts.debug?.({ conn: session?.conn, conv: letter.conv, id: letter.id, code }, 'refused');
    if (session === undefined) return sending.answer?.(frame);
    if (sending.attempt !== undefined && (retry !== undefined || code === 'internal')) {
      remember(session, sending.letter.conv, sending.attempt);
    }
    if (!session.closed) this.delivery.answer(session, frame);
  }
}

const kindOf = (conv: Conv) => (isDm(conv) ? 'dm' : conv === 'all' ? 'all' : 'room');

const UNAVAILABLE: Outcome = { refused: 'unavailable' };

function asItem(letter: Letter, sides: readonly [Uid, Uid], outcome: Exclude<Outcome, { refused: ErrorCode }>): Item {
  const isGreater = letter.sender === sides[1] && sides[0] !== sides[1];
  const mark = (isGreater ? MARK.greater : 0) + (letter.isOp ? MARK.op : 0) + (outcome.first ? MARK.first : 0);
  return itemOf(mark, letter.conv, outcome.seq, outcome.ts, letter.tail);
}
