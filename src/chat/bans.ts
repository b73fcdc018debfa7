/** Who is banned, kept in memory by every node, so that nobody's request has to ask the store. */
import type { DeviceId, Uid } from '../protocol/index.js';
import { Unavailable } from './ports.js';
import type { Ban, Bans } from './social-ports.js';

/** How long a ban may be unknown here whose word was lost; the store looks at no more than a number. */
const REFRESH_MS = 500;

export class BanList {
  private banned: ReadonlySet<string> = new Set();
  private known: readonly Ban[] = [];
  private timer: NodeJS.Timeout | undefined;
  private isReading = false;
  /** Told of each ban that this node learns of: who it is for may have come in before. */
  onBanned: (ban: Ban) => void = () => undefined;

  constructor(
    private readonly bans: Bans,
    private readonly fault: (error: unknown) => void,
  ) {}

  async start(): Promise<void> {
    await this.refresh();
    this.timer = setInterval(() => {
      if (!this.isReading) this.refreshSoon();
    }, REFRESH_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Reads the bans again; what cannot be read stays as it was. */
  refreshSoon(): void {
    this.isReading = true;
    this.refresh()
      .catch((error: unknown) => {
        if (!(error instanceof Unavailable)) this.fault(error);
      })
      .finally(() => {
        this.isReading = false;
      });
  }

  private async refresh(): Promise<void> {
    const bans = await this.bans.all();
    if (bans === this.known) return;
    this.known = bans;
    const before = this.banned;
    this.banned = new Set(bans.map(keyOf));
    for (const ban of bans) if (!before.has(keyOf(ban))) this.onBanned(ban);
  }

  isBanned(uid: Uid, device: DeviceId | undefined, tokenId: string | undefined): boolean {
    if (this.banned.size === 0) return false;
    if (this.banned.has(keyOf({ uid })) || (device !== undefined && this.banned.has(keyOf({ uid, device }))))
      return true;
    return tokenId !== undefined && this.banned.has(keyOf({ uid, tokenId }));
  }
}

const keyOf = ({ uid, device, tokenId }: Ban): string => JSON.stringify([uid, device ?? null, tokenId ?? null]);
