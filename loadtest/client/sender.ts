/** One user's way to one address: makes the frames, and keeps account of what was acknowledged. */
import type { Template } from '../dialects/dialect.js';
import { headerOf } from './frame.js';
import { digitsOf, STAMP_LENGTH, stampOf } from './stamp.js';

/** Sends whose time is remembered until they are acknowledged. */
const REMEMBERED = 4_096;
const DIGITS = digitsOf(0).length;

export class Sender {
  sent = 0;
  acked = 0;
  refused = 0;
  /** New ones among those that the receiver of a direct message reported. */
  delivered = 0;
  badAcks = 0;
  private lastAcked = 0;
  private readonly head: string;
  private readonly dueTimes = new Float64Array(REMEMBERED);

  constructor(
    readonly channel: number,
    private readonly template: Template,
  ) {
    const fixed = template.reduce((sum, part) => sum + part.length, 0);
    this.head = headerOf(fixed + DIGITS + STAMP_LENGTH) + template[0];
  }

  /** The next message as a whole frame; `due` in microseconds since the epoch. */
  next(due: number): string {
    const n = ++this.sent;
    this.dueTimes[n % REMEMBERED] = due;
    const digits = digitsOf(n);
    return `${this.head}${digits}${this.template[1]}${stampOf(this.channel, digits, due)}${this.template[2]}`;
  }

  /** Message n is stored. Returns when it was due, or undefined if that is forgotten. */
  acknowledged(n: number): number | undefined {
    // A refusal leaves a number out; none may come twice, out of turn or unasked for.
    if (n <= this.lastAcked || n > this.sent) this.badAcks++;
    this.lastAcked = n;
    this.acked++;
    return this.sent - n < REMEMBERED ? this.dueTimes[n % REMEMBERED] : undefined;
  }

  get unanswered(): number {
    return this.sent - this.acked - this.refused;
  }

  /** Direct messages on their way: neither refused, nor both delivered and (if the server tells) acknowledged. */
  underWay(isAcknowledging: boolean): number {
    const done = isAcknowledging ? Math.min(this.acked, this.delivered) : this.delivered;
    return this.sent - this.refused - done;
  }
}
