/** Requests by their id: each is answered, refused, or given up after its time, whatever becomes of the line. */
import type { ClientFrame, FrameOf, MessageId, ServerFrame } from '../protocol/index.js';
import { isPassing, SkeinError } from './failure.js';
import type { Timer } from './platform.js';

type Frame<T extends ServerFrame['type']> = Extract<ServerFrame, { readonly type: T }>;

/** What answers each request. */
export type Answers = {
  history: Frame<'history'>;
  conversations: Frame<'conversations'>;
  members: Frame<'members'>;
  join: Frame<'joined'>;
  leave: Frame<'left'>;
  watch: readonly Frame<'presence'>[];
  recall: Frame<'sent'>;
  edit: Frame<'sent'>;
  react: Frame<'sent'>;
  ping: Frame<'pong'>;
};

export type RequestType = keyof Answers;
export type RequestFrame = FrameOf<RequestType>;
/** A request as an application writes it: a frame of the table without its `id`. */
export type RequestOf<T extends RequestType> = Omit<FrameOf<T>, 'id'> & { readonly type: T };

type Pending = {
  readonly frame: RequestFrame;
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: SkeinError) => void;
  readonly deadline: Timer;
  readonly parts: ServerFrame[];
  repeat?: Timer;
};

export class Requests {
  readonly #pending = new Map<MessageId, Pending>();
  readonly #send: (frame: ClientFrame) => void;
  readonly #nextId: () => MessageId;
  readonly #timeout: number;

  /** `timeout`: milliseconds for an answer, the time without a line included. */
  constructor(send: (frame: ClientFrame) => void, nextId: () => MessageId, timeout: number) {
    this.#send = send;
    this.#nextId = nextId;
    this.#timeout = timeout;
  }

  /**
   * Sends a request; repeats it under the same id on the next line if this one breaks, and after a passing refusal.
   * Rejects with a SkeinError: the server's refusal, `timeout` or `closed`.
   */
  ask<T extends RequestType>(request: RequestOf<T>, id = this.#nextId()): Promise<Answers[T]> {
    const frame = { ...request, id } as unknown as RequestFrame;
    return new Promise<Answers[T]>((resolve, reject) => {
      const deadline = setTimeout(() => this.#fail(id, new SkeinError('timeout', 'no answer')), this.#timeout);
      this.#pending.set(id, { frame, resolve: resolve as Pending['resolve'], reject, deadline, parts: [] });
      this.#send(frame);
    });
  }

  /** Takes an answer or a refusal; returns the request it belongs to, or undefined if it belongs to none. */
  answer(frame: ServerFrame): RequestFrame | undefined {
    const id = 'id' in frame ? frame.id : undefined;
    const pending = id === undefined ? undefined : this.#pending.get(id);
    if (id === undefined || pending === undefined) return undefined;
    if (frame.type === 'error') this.#refused(id, pending, SkeinError.of(frame));
    else if (pending.frame.type === 'watch') {
      pending.parts.push(frame);
      if (pending.parts.length === pending.frame.uids.length) this.#done(id, pending).resolve(pending.parts);
    } else this.#done(id, pending).resolve(frame);
    return pending.frame;
  }

  reject(id: MessageId | undefined, error: SkeinError): void {
    if (id !== undefined) this.#fail(id, error);
  }

  /** A new line: what is unanswered goes out again. */
  up(): void {
    for (const pending of this.#pending.values()) {
      pending.parts.length = 0;
      this.#send(pending.frame);
    }
  }

  close(): void {
    for (const id of this.#pending.keys()) this.#fail(id, new SkeinError('closed', 'the client was closed'));
  }

  #refused(id: MessageId, pending: Pending, error: SkeinError): void {
    if (!isPassing(error) || error.retry === undefined) return this.#fail(id, error);
    clearTimeout(pending.repeat);
    pending.repeat = setTimeout(() => this.#send(pending.frame), error.retry);
  }

  #fail(id: MessageId, error: SkeinError): void {
    const pending = this.#pending.get(id);
    if (pending !== undefined) this.#done(id, pending).reject(error);
  }

  #done(id: MessageId, pending: Pending): Pending {
    clearTimeout(pending.deadline);
    clearTimeout(pending.repeat);
    this.#pending.delete(id);
    return pending;
  }
}
