import type { Frame, Outgoing } from './frame.js';

/** What an outbox needs of the connection of the moment. */
export interface Wire {
  /** False when there is no connection; the frame is then repeated on the next one. */
  send(frame: Outgoing): boolean;
}

export interface Settled {
  readonly frame: Outgoing;
  /** `sent`, or an error that repeating cannot mend. */
  readonly answer: Frame;
}

interface Letter {
  readonly id: string;
  readonly frame: Outgoing;
  /** Times it was written to the present connection and not answered yet. */
  inFlight: number;
}

/**
 * The sends of one client to one conversation, kept until each is answered. Repetition is go-back-N as section 3
 * of the protocol says of `try`: after an error that carries `retry`, or `internal`, `try` is raised, new sends are
 * held back, and all that is unanswered is repeated, oldest first.
 */
export class Outbox {
  private letters: Letter[] = [];
  private attempt = 1;
  /** Set from the first failure until everything unanswered has been repeated. */
  private isHolding = false;
  private wait = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly wire: Wire,
    private readonly settled: (settled: Settled) => void,
    /** False: an error is an answer like any other; only what a lost connection left open is repeated, without `try`. */
    private readonly tries = true,
  ) {}

  get unanswered(): number {
    return this.letters.length;
  }

  add(id: string, frame: Outgoing): void {
    const letter = { id, frame, inFlight: 0 };
    this.letters.push(letter);
    if (!this.isHolding) this.write(letter);
  }

  /** An answer to one of these sends. */
  answer(frame: Frame): void {
    const letter = this.letters.find((candidate) => candidate.id === frame.id);
    if (!letter) return;
    letter.inFlight--;
    const mayRepeat = this.tries && frame.type === 'error' && (frame.retry !== undefined || frame.code === 'internal');
    if (mayRepeat) {
      this.isHolding = true;
      this.wait = Math.max(this.wait, frame.retry ?? 100);
    } else {
      this.letters.splice(this.letters.indexOf(letter), 1);
      this.settled({ frame: letter.frame, answer: frame });
    }
    this.maybeRepeat();
  }

  /** A new connection: what the old one left unanswered is repeated on it at once. */
  reconnected(): void {
    this.disconnected();
    this.repeat();
  }

  disconnected(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    for (const letter of this.letters) letter.inFlight = 0;
    this.isHolding = true;
  }

  /** Answers say which send they are for, not which try: only when none is in flight can the next try begin. */
  private maybeRepeat(): void {
    if (!this.isHolding || this.timer || this.letters.some((letter) => letter.inFlight > 0)) return;
    this.timer = setTimeout(() => this.repeat(), this.wait * (1 + Math.random() / 2));
  }

  private repeat(): void {
    this.timer = undefined;
    this.wait = 0;
    this.attempt++;
    this.isHolding = false;
    for (const letter of this.letters) this.write(letter);
  }

  private write(letter: Letter): void {
    const attempt = this.tries ? { try: this.attempt } : {};
    if (this.wire.send({ ...letter.frame, id: letter.id, ...attempt })) letter.inFlight++;
  }
}
