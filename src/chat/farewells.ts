/**
 * Takes back the presence of connections that ended. What the store could not take is said again until it can: this node
 * lives on, and so its lease would keep them online for ever.
 */
import type { Uid } from '../protocol/index.js';
import { type ConnId, type Devices, Unavailable } from './ports.js';

const AGAIN_MS = 1_000;
/** More than a node has connections. Beyond that they are of log-ins that failed, over and over, and never began. */
const OWED_MAX = 100_000;

export class Farewells {
  private readonly owed = new Map<ConnId, Uid>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly devices: Pick<Devices, 'leave'>,
    private readonly fault: (error: unknown) => void,
  ) {}

  say(uid: Uid, conn: ConnId): void {
    this.devices.leave(uid, conn).catch((error: unknown) => this.owe(uid, conn, error));
  }

  /** The node ends, and with it all that it has in the store. */
  stop(): void {
    clearTimeout(this.timer);
  }

  private owe(uid: Uid, conn: ConnId, error: unknown): void {
    if (!(error instanceof Unavailable)) return this.fault(error);
    if (this.owed.size < OWED_MAX) this.owed.set(conn, uid);
    this.timer ??= setTimeout(() => this.sayAgain(), AGAIN_MS);
  }

  /** One of them shows whether the store is there; then the others follow. */
  private sayAgain(): void {
    this.timer = undefined;
    const [first] = this.owed;
    if (first === undefined) return;
    const [conn, uid] = first;
    this.owed.delete(conn);
    this.devices.leave(uid, conn).then(
      () => this.sayAll(),
      (error: unknown) => this.owe(uid, conn, error),
    );
  }

  private sayAll(): void {
    const owed = [...this.owed];
    this.owed.clear();
    for (const [conn, uid] of owed) this.say(uid, conn);
  }
}
