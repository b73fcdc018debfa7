/** What all clients of a run can do, and what happens to them. */
import { pause } from '../../client/gate.js';
import { isEntry, type Ledger, type Reader } from '../ledger.js';
import type { Random } from '../random.js';
import { convOf, type Frame, type Outgoing, type Target } from './frame.js';
import { Inbox } from './inbox.js';
import { Unreachable } from './unreachable.js';

/** Where clients connect: the load balancer. */
export type Place = { readonly host: string; readonly port: number };

export type ClientParts = {
  readonly place: Place;
  readonly ledger: Ledger;
  readonly random: Random;
};

const JITTER_MS = 300;
/** Sends that one client keeps unanswered before it says nothing more, as whoever waits for an answer does. */
const UNANSWERED_MAX = 100;

export abstract class Client {
  abstract readonly kind: string;
  readonly inbox: Inbox;
  protected isAway = false;
  protected isPaused = false;
  protected isOver = false;
  private life: Promise<void> = Promise.resolve();
  private wakers: (() => void)[] = [];

  constructor(
    readonly reader: Reader,
    protected readonly parts: ClientParts,
  ) {
    this.inbox = new Inbox(reader, parts.ledger);
  }

  /** Whether it is connected and has what was pending. */
  abstract get isOnline(): boolean;
  /** Sends that have no answer yet. */
  abstract get unanswered(): number;
  /** Its connections end without a word. */
  abstract loses(): void;
  /** Stops reading. */
  abstract pauses(): void;
  abstract resumes(): void;
  /** Hands a send to whatever brings it out. */
  protected abstract submit(conv: string, id: string, frame: Outgoing): void;
  /** One connection, or one poll: resolves when it is over. Rejects where none came about. */
  protected abstract visit(): Promise<void>;

  starts(): void {
    this.life = this.live();
  }

  /** False where it says nothing, since too much of it is unanswered. */
  says(target: Target, pad = ''): boolean {
    if (this.unanswered >= UNANSWERED_MAX) return false;
    const { uid } = this.reader;
    const conv = convOf(uid, target);
    const entry = this.parts.ledger.sends(conv, uid);
    // An id must be unique for a sender and a conversation.
    this.submit(conv, `${conv}#${entry.n}`, { type: 'send', ...target, data: { ...entry, pad } });
    return true;
  }

  /** Ends its connections, and comes back when told to. */
  leaves(): void {
    this.isAway = true;
    this.loses();
  }

  returns(): void {
    this.isAway = false;
    this.wake();
  }

  async stops(): Promise<void> {
    this.isOver = true;
    this.resumes();
    this.loses();
    this.wake();
    await this.life;
  }

  protected settled(conv: string, frame: Outgoing, answer: Frame): void {
    const { data } = frame;
    if (!isEntry(data)) return;
    if (answer.type === 'sent') this.parts.ledger.acked(conv, data, answer.seq!);
    else this.parts.ledger.refused(conv, data, answer.code ?? answer.type);
  }

  protected wake(): void {
    for (const waker of this.wakers.splice(0)) waker();
  }

  /** Resolves with the next `wake`. */
  protected woken(): Promise<void> {
    return new Promise((resolve) => this.wakers.push(resolve));
  }

  protected jitter(): Promise<void> {
    return pause(20 + Math.random() * JITTER_MS);
  }

  private async live(): Promise<void> {
    while (!this.isOver) {
      if (this.isAway) {
        await this.woken();
        continue;
      }
      try {
        await this.visit();
      } catch (error) {
        // Nobody answers there just now, as is to be expected: that is what a client is for. A bug must not hide here.
        if (!(error instanceof Unreachable)) throw error;
        await this.jitter();
      }
    }
  }
}
