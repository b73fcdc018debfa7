/** Sends over HTTP: of each conversation one at a time, each repeated under the same `id` until it is answered. */
import { pause } from '../../client/gate.js';
import type { Place } from './client.js';
import type { Frame, Outgoing } from './frame.js';
import { type Answer, ask } from './http.js';
import { Unreachable } from './unreachable.js';

type Letter = { readonly frame: Outgoing; readonly settled: (answer: Frame) => void };

const ANSWER_MS = 6_000;
const RETRY_MS = 200;

export class HttpOutbox {
  unanswered = 0;
  private readonly queues = new Map<string, Letter[]>();
  private isOver = false;

  constructor(
    private readonly place: Place,
    private readonly uid: string,
    /** False: an error is final, and only what was not answered at all is repeated. */
    private readonly tries: boolean,
  ) {}

  add(conv: string, letter: Letter): void {
    this.unanswered++;
    const queue = this.queues.get(conv);
    if (queue !== undefined) return void queue.push(letter);
    const begun = [letter];
    this.queues.set(conv, begun);
    void this.work(conv, begun);
  }

  stop(): void {
    this.isOver = true;
  }

  private async work(conv: string, queue: Letter[]): Promise<void> {
    for (let letter = queue[0]; letter !== undefined && !this.isOver; letter = queue[0]) {
      const answer = await this.post(letter.frame);
      if (answer === undefined) continue;
      queue.shift();
      this.unanswered--;
      letter.settled(answer);
    }
    this.queues.delete(conv);
  }

  /** The answer, or undefined where the send is to be repeated, after the wait that was asked for. */
  private async post(body: Outgoing): Promise<Frame | undefined> {
    const path = `/v1/messages?uid=${this.uid}`;
    try {
      const answer = await ask(this.place, { method: 'POST', path, body, timeout: ANSWER_MS });
      if (answer.status === 200) return answer.body as Frame;
      const code = codeIn(answer);
      if (!this.tries || !mayRepeat(answer)) return { type: 'error', code };
      await pause((answer.retryAfter || RETRY_MS) * (1 + Math.random() / 2));
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      await pause(RETRY_MS * (1 + Math.random()));
    }
    return undefined;
  }
}

const mayRepeat = ({ status }: Answer): boolean => status === 429 || status === 500 || status === 503;
const codeIn = ({ status, body }: Answer): string =>
  (body as { readonly error?: { readonly code?: string } }).error?.code ?? `HTTP ${status}`;
