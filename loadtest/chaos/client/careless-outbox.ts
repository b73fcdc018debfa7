/** Repeats each refused send by itself while later ones go on, without `try`: what a client must not do. */
import type { Frame, Outgoing } from './frame.js';
import type { Settled, Wire } from './outbox.js';

const RETRY_MS = 200;

export class CarelessOutbox {
  private readonly letters = new Map<string, Outgoing>();

  constructor(
    private readonly wire: Wire,
    private readonly settled: (settled: Settled) => void,
  ) {}

  get unanswered(): number {
    return this.letters.size;
  }

  add(id: string, frame: Outgoing): void {
    this.letters.set(id, { ...frame, id });
    this.write(id);
  }

  answer(frame: Frame): void {
    const { id = '' } = frame;
    const letter = this.letters.get(id);
    if (letter === undefined) return;
    if (frame.type === 'error' && frame.retry !== undefined) {
      setTimeout(() => this.write(id), RETRY_MS * Math.random());
      return;
    }
    this.letters.delete(id);
    this.settled({ frame: letter, answer: frame });
  }

  reconnected(): void {
    for (const id of this.letters.keys()) this.write(id);
  }

  disconnected(): void {
    // What is unanswered is written again by `reconnected`.
  }

  private write(id: string): void {
    const letter = this.letters.get(id);
    if (letter !== undefined) this.wire.send(letter);
  }
}
