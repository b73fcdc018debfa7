/**
 * Takes back the presence of connections that ended. What the store could not take is said again until it can: this node
 * lives on, and so its lease would keep them online for ever.
 */
import type { Uid } from '../protocol/index.js';
import { type ConnId, type Devices, Unavailable } from './ports.js';

const AGAIN_MS = 1_000;

export class Farewells {
  /** As many as connections can end, or fail to begin, while the store is away. */
  private readonly owed = new Map<ConnId, Uid>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly devices: Pick<Devices, 'leave'>,
    private readonly fault: (error: unknown) => void,
  ) {}

  say(uid: Uid, conn: ConnId): void {
    this.devices.leave(uid, conn).catch((error: unknown) => {
      if (!(error instanceof Unavailable)) return this.fault(error);
      this.owed.set(conn, uid);
      this.timer ??= setTimeout(() => this.sayAgain(), AGAIN_MS);
    });
  }

  /** The node ends, and with it all that it has in the store. */
  stop(): void {
    clearTimeout(this.timer);
  }

  private sayAgain(): void {
    this.timer = undefined;
    const owed = [...this.owed];
    this.owed.clear();
    for (const [conn, uid] of owed) this.say(uid, conn);
  }
}
