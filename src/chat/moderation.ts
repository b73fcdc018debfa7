/** What an operator does to users: disconnecting, banning, erasing. */
import { randomBytes } from 'node:crypto';
import { CLOSE, DEFAULT_DEVICE, parseConv, type Uid } from '../protocol/index.js';
import type { Control } from './control.js';
import type { Membership } from './membership.js';
import type { Refused } from './policy.js';
import type { Backend } from './ports.js';
import type { Ban } from './social-ports.js';

export class Moderation {
  constructor(
    private readonly backend: Backend,
    private readonly control: Control,
    private readonly membership: Membership,
  ) {}

  /** Ends the connections of a user, or of one of their devices, on all nodes. They may come back. */
  async disconnect({ uid, device, tokenId }: Ban, code: number = CLOSE.banned.code): Promise<void> {
    const which = { ...(device === undefined ? {} : { device }), ...(tokenId === undefined ? {} : { tokenId }) };
    await this.control.say({ kind: 'disconnect', uid, code, ...which });
  }

  /** Bans or admits again; a ban ends the connections that it is for. */
  async ban(ban: Ban, on: boolean): Promise<Refused | undefined> {
    if (!(await this.backend.bans.set(ban, on))) return { refused: 'too_large', message: 'too many are banned' };
    await this.control.say({ kind: 'bans' });
    if (on) await this.disconnect(ban);
    return undefined;
  }

  /** Erases everything of a user. What they wrote to others stays, under a name that says nothing. */
  async erase(uid: Uid): Promise<void> {
    await this.disconnect({ uid });
    const { feeds } = await this.backend.devices.pending({ uid, device: DEFAULT_DEVICE }, 0);
    for (const { conv } of feeds) {
      const place = parseConv(conv);
      if (place?.kind === 'room') await this.membership.leave(uid, place.room);
    }
    await this.backend.erasure.erase(uid, `erased.${randomBytes(9).toString('base64url')}` as Uid);
    await this.disconnect({ uid });
  }
}
