/** What is done to groups over HTTP. Every method rejects with an Error that says what the server refused. */
import type { Role } from '../../protocol/index.js';
import { addressIn, headersOf, type Session } from './session.js';

export type GroupPlan = {
  readonly room: string;
  readonly name: string;
  readonly private: boolean;
  readonly members: readonly string[];
};

export class Refusal extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export class Groups {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  create(plan: GroupPlan): Promise<unknown> {
    return this.#ask('POST', 'v1/rooms', plan);
  }

  /** The name that a group was given. */
  async nameOf(room: string): Promise<string | undefined> {
    const { name } = (await this.#ask('GET', `v1/rooms/${encodeURIComponent(room)}`)) as { readonly name?: unknown };
    return typeof name === 'string' ? name : undefined;
  }

  /** Admits somebody, or changes their role. */
  admit(room: string, uid: string, role?: Role): Promise<unknown> {
    return this.#ask('PUT', memberPath(room, uid), role ? { role } : {});
  }

  remove(room: string, uid: string): Promise<unknown> {
    return this.#ask('DELETE', memberPath(room, uid));
  }

  async #ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(addressIn(this.#session, path), {
      method,
      headers: { ...headersOf(this.#session), ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as { readonly error?: { readonly code: string; readonly message: string } };
    if (answer.error) throw new Refusal(answer.error.code, answer.error.message);
    return answer;
  }
}

const memberPath = (room: string, uid: string): string =>
  `v1/rooms/${encodeURIComponent(room)}/members/${encodeURIComponent(uid)}`;
