/** The `data` of every message under test: who says it, and the how-manieth it is in its conversation. */
export interface Entry {
  readonly from: string;
  readonly n: number;
}

export interface Account {
  readonly sent: number;
  readonly acked: number;
  readonly refused: number;
  /** Deliveries that had to happen: acknowledged messages times their readers. */
  readonly due: number;
  readonly delivered: number;
  /** Acknowledged to the sender and never delivered to one of the readers. */
  readonly lost: number;
  /** Pushed again, on whatever connection; the cursor rule drops them. */
  readonly doubledRaw: number;
  /** Seen twice although the client keeps its cursor. */
  readonly doubled: number;
  /** Came after a later one of the same sender in the same conversation. */
  readonly reordered: number;
  /** Sent and neither acknowledged nor refused. */
  readonly unexplained: number;
}

export const isEntry = (data: unknown): data is Entry => typeof data === 'object' && data !== null && 'from' in data;

/** Counts what was said, what was promised, and what came: the oracle of every fault test. */
export class Ledger {
  readonly refusals = new Map<string, number>();
  private sentCount = 0;
  private doubledRaw = 0;
  private doubled = 0;
  private reordered = 0;
  /** Conversation and sender → the numbers that were acknowledged. */
  private readonly ackedOf = new Map<string, Set<number>>();
  private readonly readersOf = new Map<string, Set<string>>();
  /** Conversation, sender and reader → the numbers that came, and the highest of them. */
  private readonly seen = new Map<string, { readonly numbers: Set<number>; last: number }>();

  /** From now on this reader must get everything that is acknowledged in the conversation, but for its own. */
  expects(conv: string, reader: string): void {
    const readers = this.readersOf.get(conv) ?? new Set();
    this.readersOf.set(conv, readers.add(reader));
  }

  sent(): void {
    this.sentCount++;
  }

  acked(conv: string, { from, n }: Entry): void {
    const key = `${conv} ${from}`;
    const numbers = this.ackedOf.get(key) ?? new Set();
    this.ackedOf.set(key, numbers.add(n));
  }

  refused(code: string): void {
    this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
  }

  /** Pushed, but not above the reader's cursor. */
  dropped(): void {
    this.doubledRaw++;
  }

  delivered(conv: string, reader: string, { from, n }: Entry): void {
    const key = `${conv} ${from} ${reader}`;
    const seen = this.seen.get(key) ?? { numbers: new Set(), last: 0 };
    this.seen.set(key, seen);
    if (seen.numbers.has(n)) {
      this.doubled++;
      return;
    }
    if (n < seen.last) this.reordered++;
    seen.numbers.add(n);
    seen.last = Math.max(seen.last, n);
  }

  get account(): Account {
    let acked = 0;
    let due = 0;
    let delivered = 0;
    for (const [key, numbers] of this.ackedOf) {
      const [conv, from] = key.split(' ') as [string, string];
      acked += numbers.size;
      for (const reader of this.readersOf.get(conv) ?? []) {
        if (reader === from) continue;
        due += numbers.size;
        const seen = this.seen.get(`${key} ${reader}`)?.numbers;
        for (const n of numbers) if (seen?.has(n)) delivered++;
      }
    }
    const refused = [...this.refusals.values()].reduce((sum, count) => sum + count, 0);
    const { sentCount: sent, doubledRaw, doubled, reordered } = this;
    const unexplained = sent - acked - refused;
    return { sent, acked, refused, due, delivered, lost: due - delivered, doubledRaw, doubled, reordered, unexplained };
  }
}
