/** What is asked of the service over HTTP, in the name of this user. */
import { addressIn, headersOf, type Session } from './session.js';

/** `code`: the protocol's, or `offline`: there was no answer, or one that the service did not write. */
export class Refusal extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

type Answer = { readonly error?: { readonly code: string; readonly message: string } };

export class Api {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /** `path`: its parts, each a name of any form. Rejects with a Refusal. */
  async ask(method: string, path: readonly string[], body?: unknown): Promise<object> {
    const url = addressIn(this.#session, `v1/${path.map(encodeURIComponent).join('/')}`);
    const answer = await fetch(url, {
      method,
      headers: { ...headersOf(this.#session), ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
      .then((response) => response.json() as Promise<Answer>)
      .catch((error: unknown) => {
        throw new Refusal('offline', String(error));
      });
    if (answer.error) throw new Refusal(answer.error.code, answer.error.message);
    return answer;
  }
}
