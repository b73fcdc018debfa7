/** Words that nodes say to all nodes: what an operator or a user did that concerns connections anywhere. */
import { CLOSE, type DeviceId, type Uid } from '../protocol/index.js';
import type { BanList } from './bans.js';
import type { Feeds } from './feeds.js';
import { type ConnId, Unavailable } from './ports.js';
import type { Registry } from './registry.js';
import type { Session } from './session.js';
import type { Ban, Blocks, Words } from './social-ports.js';
import type { News, Watch } from './watch.js';

type Word =
  | ({ readonly kind: 'presence' } & News)
  /** Connections of a user, of one of their devices, or with one token, are ended. */
  | {
      readonly kind: 'disconnect';
      readonly uid: Uid;
      readonly device?: DeviceId;
      readonly tokenId?: string;
      readonly code: number;
    }
  /** A connection of a device took the place of all others of it. */
  | { readonly kind: 'replace'; readonly uid: Uid; readonly device: DeviceId; readonly conn: ConnId }
  | { readonly kind: 'bans' }
  | { readonly kind: 'blocks'; readonly uid: Uid };

export type ControlParts = {
  readonly words: Words;
  readonly blocks: Blocks;
  readonly registry: Registry;
  readonly feeds: Feeds;
  readonly watch: Watch;
  readonly bans: BanList;
  readonly fault: (error: unknown) => void;
};

export class Control {
  constructor(private readonly parts: ControlParts) {}

  say(word: Word): Promise<void> {
    return this.parts.words.toNodes(JSON.stringify(word));
  }

  hear(text: string): void {
    const word: Word = JSON.parse(text);
    switch (word.kind) {
      case 'presence':
        return this.parts.watch.hear(word);
      case 'disconnect':
        return this.disconnect(word, word.code);
      case 'replace':
        return this.close(
          word.uid,
          CLOSE.replaced.code,
          ({ device, conn }) => device === word.device && conn !== word.conn,
        );
      case 'bans':
        return this.parts.bans.refreshSoon();
      case 'blocks':
        return void this.reload(word.uid);
    }
  }

  /** Ends the connections of a user, of one of their devices, or with one token. */
  disconnect(which: Ban, code: number): void {
    this.close(which.uid, code, ({ device, identity }) => {
      if (which.tokenId !== undefined) return identity.tokenId === which.tokenId;
      return which.device === undefined || which.device === device;
    });
  }

  private close(uid: Uid, code: number, isMeant: (session: Session) => boolean): void {
    const known = Object.values(CLOSE).find((each) => each.code === code);
    for (const session of [...(this.parts.registry.get(uid)?.sessions ?? [])]) {
      if (isMeant(session)) session.line.close(code, known?.reason ?? 'disconnected by the operator');
    }
  }

  /** A user's blocks changed: when it resolves their connections here see the rest of each conversation accordingly. */
  async reload(uid: Uid): Promise<void> {
    if (this.parts.registry.get(uid) === undefined) return;
    await this.parts.blocks.blocked(uid).then(
      (blocked) => {
        const user = this.parts.registry.get(uid);
        if (user === undefined) return;
        if (blocked.length === user.blocks.size && blocked.every((other) => user.blocks.has(other))) return;
        user.blocks = new Set(blocked);
        for (const session of user.sessions) this.parts.feeds.rearrange(session);
      },
      (error: unknown) => {
        if (!(error instanceof Unavailable)) this.parts.fault(error);
      },
    );
  }
}
