/** What is done to groups. Every method rejects with a Refusal that says why the server would not. */
import type { Role, RoomId } from '../../protocol/index.js';
import type { Api } from './api.js';

export type GroupPlan = {
  readonly room: string;
  readonly name: string;
  readonly private: boolean;
  readonly members: readonly string[];
};

export class Groups {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  create(plan: GroupPlan): Promise<unknown> {
    return this.#api.ask('POST', ['rooms'], plan);
  }

  /** The name that a group was given. */
  async nameOf(room: RoomId): Promise<string | undefined> {
    const { name } = (await this.#api.ask('GET', ['rooms', room])) as { readonly name?: unknown };
    return typeof name === 'string' ? name : undefined;
  }

  rename(room: RoomId, name: string): Promise<unknown> {
    return this.#api.ask('PUT', ['rooms', room], { name });
  }

  /** Ends a group for everybody, with what was said in it. */
  end(room: RoomId): Promise<unknown> {
    return this.#api.ask('DELETE', ['rooms', room]);
  }

  /** Admits somebody, or changes their role; who makes another the owner is an admin from then on. */
  admit(room: RoomId, uid: string, role?: Role): Promise<unknown> {
    return this.#api.ask('PUT', ['rooms', room, 'members', uid], role ? { role } : {});
  }

  remove(room: RoomId, uid: string): Promise<unknown> {
    return this.#api.ask('DELETE', ['rooms', room, 'members', uid]);
  }
}
