/**
 * The oracle of a run: what was sent, what was promised, and what came. It knows nothing of Skein but this: who reads a
 * conversation, and that every message carries who says it and the how-manieth of that sender in that conversation it is.
 */
import { Seen } from './seen.js';

/** The `data` of every message. */
export type Entry = { readonly from: string; readonly n: number };

export const isEntry = (data: unknown): data is Entry => typeof data === 'object' && data !== null && 'n' in data;

/** One device of one user. */
export type Reader = { readonly uid: string; readonly device: string };

export type Account = {
  readonly sent: number;
  readonly acked: number;
  /** By code of the error. */
  readonly refused: Readonly<Record<string, number>>;
  /** Answered `unavailable`, which leaves open whether it was stored, and stored. */
  readonly storedUnavailable: number;
  /** Deliveries that had to happen: acknowledged messages times their readers. */
  readonly due: number;
  readonly delivered: number;
  /** Pushed or handed out again; the client's cursor drops them. */
  readonly repeated: number;
  /** The longest time (ms) between two acknowledgements while something was under way. */
  readonly longestSilence: number;
} & { readonly [name in Violation]: number };

/** What must never happen, and what it is called. */
export const VIOLATIONS = {
  lost: 'acknowledged, and not delivered to one of its readers',
  doubled: 'delivered twice in spite of the cursor rule',
  reordered: 'delivered after a later one of the same sender in the same conversation',
  unanswered: 'sent, and neither acknowledged nor refused',
  displaced: 'known under two different numbers',
  gaps: 'numbers passed over that no `truncated` announced, or pushed against their order',
  forgotten: 'given up by the server: `truncated` for another reason than a restart',
  strayed: 'delivered to somebody it was not for, never sent, or refused for good and stored all the same',
} as const;
export type Violation = keyof typeof VIOLATIONS;

type Letter = {
  /** `sent`, or the code of the error. */
  answer: string | undefined;
  seq: number | undefined;
  /** Readers that it has not come to. */
  missing: number;
};

/** One sender's way to one conversation. */
class Channel {
  readonly letters: Letter[] = [];
  readonly seen: ReadonlyMap<string, Seen>;

  constructor(
    readonly name: string,
    /** Whether the sender is promised their order across failures, too. */
    readonly isOrdered: boolean,
    readers: readonly Reader[],
  ) {
    this.seen = new Map(readers.map((reader) => [keyOf(reader), new Seen()]));
  }
}

const keyOf = ({ uid, device }: Reader): string => `${uid}/${device}`;

/** With these the outcome is open: the message may have been stored. */
const OPEN_CODES = ['unavailable', 'internal'];
const EXAMPLES = 20;

export class Ledger {
  private readonly notes: string[] = [];
  repeated = 0;
  private readonly channels = new Map<string, Channel>();
  /** All letters in the order in which they were sent, and the first of them that is not settled. */
  private readonly letters: Letter[] = [];
  private oldest = 0;
  private readonly faults: Record<Violation, number> = {
    ...{ lost: 0, doubled: 0, reordered: 0, unanswered: 0 },
    ...{ displaced: 0, gaps: 0, forgotten: 0, strayed: 0 },
  };
  private longestSilence = 0;
  private lastAck: number | undefined;

  constructor(private readonly clock: () => number = () => performance.now()) {}

  /** Counters for whoever watches the run. */
  readonly counts = { sent: 0, acked: 0, refused: 0, delivered: 0 };

  opens(conv: string, from: string, isOrdered: boolean, readers: readonly Reader[]): void {
    const name = channelOf(conv, from);
    if (!this.channels.has(name)) this.channels.set(name, new Channel(name, isOrdered, readers));
  }

  /** The next message of a sender in a conversation: what its data must say. */
  sends(conv: string, from: string): Entry {
    const channel = this.channel(conv, from);
    const letter = { answer: undefined, seq: undefined, missing: channel.seen.size };
    channel.letters.push(letter);
    this.letters.push(letter);
    if (this.isQuiet) this.lastAck = this.clock();
    this.counts.sent++;
    return { from, n: channel.letters.length };
  }

  acked(conv: string, { from, n }: Entry, seq: number): void {
    const channel = this.channel(conv, from);
    const letter = channel.letters[n - 1];
    if (letter === undefined || letter.answer !== undefined) return;
    this.place(channel, n, letter, seq);
    letter.answer = 'sent';
    this.counts.acked++;
    const now = this.clock();
    this.longestSilence = Math.max(this.longestSilence, now - (this.lastAck ?? now));
    this.lastAck = now;
  }

  refused(conv: string, { from, n }: Entry, code: string): void {
    const channel = this.channel(conv, from);
    const letter = channel.letters[n - 1];
    if (letter === undefined || letter.answer !== undefined) return;
    letter.answer = code;
    this.counts.refused++;
    this.checkRefused(channel, n, letter);
  }

  /** Came, and is above the reader's cursor. */
  delivered(conv: string, reader: Reader, { from, n }: Entry, seq: number): void {
    const channel = this.channels.get(channelOf(conv, from));
    const letter = channel?.letters[n - 1];
    const seen = channel?.seen.get(keyOf(reader));
    if (channel === undefined || letter === undefined || seen === undefined) {
      return this.note('strayed', `${keyOf(reader)} got ${conv} ${from} ${n}`);
    }
    this.place(channel, n, letter, seq);
    const last = seen.highest;
    if (!seen.add(n)) return this.note('doubled', `${keyOf(reader)} got ${channel.name} ${n} again`);
    if (n < last && channel.isOrdered)
      this.note('reordered', `${keyOf(reader)} got ${channel.name} ${n} after ${last}`);
    letter.missing--;
    this.counts.delivered++;
    this.checkRefused(channel, n, letter);
  }

  note(what: Violation, example: string): void {
    this.faults[what]++;
    if (this.notes.length < EXAMPLES) this.notes.push(`${what}: ${example}`);
  }

  /** The first few violations, in words; and of what is missing now. */
  get examples(): readonly string[] {
    const missing = [...this.channels.values()].flatMap((channel) =>
      channel.letters.flatMap((letter, index) => (isOver(letter) ? [] : [missingWords(channel, index + 1, letter)])),
    );
    return [...this.notes, ...missing.slice(0, EXAMPLES)];
  }

  /** How many were sent so far: what `isSettled` takes. */
  get mark(): number {
    return this.letters.length;
  }

  /** Whether all that was sent before the mark is answered, and has come to everybody if it was acknowledged. */
  isSettled(mark: number): boolean {
    while (this.oldest < this.letters.length && isOver(this.letters[this.oldest] as Letter)) this.oldest++;
    return this.oldest >= mark;
  }

  /** What is missing now counts as lost, what is unanswered as unanswered: ask when nothing more is to be waited for. */
  account(): Account {
    const refused: Record<string, number> = {};
    const found = { lost: 0, unanswered: 0, due: 0, storedUnavailable: 0 };
    for (const channel of this.channels.values())
      for (const letter of channel.letters) {
        if (letter.answer === undefined) found.unanswered++;
        else if (letter.answer !== 'sent') {
          refused[letter.answer] = (refused[letter.answer] ?? 0) + 1;
          if (letter.seq !== undefined) found.storedUnavailable++;
        } else {
          found.due += channel.seen.size;
          found.lost += letter.missing;
        }
      }
    const { sent, acked } = this.counts;
    const { repeated, longestSilence } = this;
    const delivered = found.due - found.lost;
    return { ...this.faults, ...found, sent, acked, refused, delivered, repeated, longestSilence };
  }

  private channel(conv: string, from: string): Channel {
    const channel = this.channels.get(channelOf(conv, from));
    if (channel === undefined) throw new Error(`${from} has no way to ${conv}`);
    return channel;
  }

  /** A message has one number, whoever tells it. */
  private place(channel: Channel, n: number, letter: Letter, seq: number): void {
    if (letter.seq !== undefined && letter.seq !== seq)
      this.note('displaced', `${channel.name} ${n} is ${letter.seq} and ${seq}`);
    letter.seq ??= seq;
  }

  private checkRefused(channel: Channel, n: number, { answer, seq }: Letter): void {
    if (answer === undefined || answer === 'sent' || seq === undefined || OPEN_CODES.includes(answer)) return;
    this.note('strayed', `${channel.name} ${n} was refused with ${answer} and is stored as ${seq}`);
  }

  private get isQuiet(): boolean {
    const { sent, acked, refused } = this.counts;
    return sent === acked + refused;
  }
}

const channelOf = (conv: string, from: string): string => `${conv} ${from}`;
const isOver = ({ answer, missing }: Letter): boolean => answer !== undefined && (answer !== 'sent' || missing === 0);

function missingWords(channel: Channel, n: number, { answer, seq }: Letter): string {
  const away = [...channel.seen].filter(([, seen]) => !seen.has(n)).map(([key]) => key);
  const what = answer === undefined ? 'unanswered' : `lost for ${away.slice(0, 5).join(', ')}`;
  return `${channel.name} ${n} (seq ${seq ?? 'unknown'}): ${what}`;
}

export const violationsIn = (account: Account): readonly Violation[] =>
  (Object.keys(VIOLATIONS) as Violation[]).filter((name) => account[name] > 0);
