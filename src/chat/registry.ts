import type { Uid } from '../protocol/index.js';
import type { Session } from './session.js';

/** Somebody who wants to hear that something came for a user, without being pushed it: a poll that waits. */
export type Waiter = { wake(): void };

/** A user of whom this node holds a connection or a poll. */
export type User = {
  readonly uid: Uid;
  readonly sessions: Session[];
  waiters: Set<Waiter>;
  /** Whom the user blocks. */
  blocks: ReadonlySet<Uid>;
};

/** uid → connections of this node. */
export class Registry {
  private readonly users = new Map<Uid, User>();
  sessions = 0;

  get size(): number {
    return this.users.size;
  }

  get(uid: Uid): User | undefined {
    return this.users.get(uid);
  }

  all(): IterableIterator<User> {
    return this.users.values();
  }

  add(session: Session): User {
    const user = this.open(session.uid);
    user.sessions.push(session);
    this.sessions++;
    return user;
  }

  remove(session: Session): void {
    const user = this.users.get(session.uid);
    const at = user?.sessions.indexOf(session) ?? -1;
    if (user === undefined || at < 0) return;
    user.sessions.splice(at, 1);
    this.sessions--;
    this.drop(user);
  }

  addWaiter(uid: Uid, waiter: Waiter): void {
    const user = this.open(uid);
    if (user.waiters === NO_WAITERS) user.waiters = new Set();
    user.waiters.add(waiter);
  }

  removeWaiter(uid: Uid, waiter: Waiter): void {
    const user = this.users.get(uid);
    if (user === undefined) return;
    user.waiters.delete(waiter);
    this.drop(user);
  }

  private open(uid: Uid): User {
    let user = this.users.get(uid);
    if (user === undefined) {
      user = { uid, sessions: [], waiters: NO_WAITERS, blocks: NOBODY };
      this.users.set(uid, user);
    }
    return user;
  }

  private drop(user: User): void {
    if (user.sessions.length === 0 && user.waiters.size === 0) this.users.delete(user.uid);
  }
}

/** Of all who have none: nothing is ever added to it. */
const NO_WAITERS = new Set<Waiter>();
export const NOBODY: ReadonlySet<Uid> = new Set();
