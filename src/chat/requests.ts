/** What users ask for, by frame or by HTTP: each answer is the text of a frame, or a refusal. */
import type { Decoded } from '../protocol/decode.js';
import {
  isDm,
  type MessageId,
  PAGE_BYTES_MAX,
  PAGE_LIMIT_DEFAULT,
  roomConv,
  sidesOf,
  type Uid,
} from '../protocol/index.js';
import type { Amend, Amending } from './amend.js';
import { conversationsFrame, encode, pageFrame, summaryOf, viewOf } from './answers.js';
import type { Commits } from './commits.js';
import type { Control } from './control.js';
import { costOf, costOfMany } from './cost.js';
import type { Cursors } from './cursors.js';
import type { Membership } from './membership.js';
import { type Refused, readable } from './policy.js';
import type { Backend, Mark } from './ports.js';
import type { Registry } from './registry.js';
import type { Session } from './session.js';
import { seenBy } from './watch.js';

export type RequestParts = {
  readonly backend: Backend;
  readonly registry: Registry;
  readonly cursors: Cursors;
  readonly membership: Membership;
  readonly amend: Amend;
  readonly commits: Commits;
  readonly control: Control;
};

export class Requests {
  constructor(private readonly parts: RequestParts) {}

  /** A page of a conversation that the user may read. */
  async history(uid: Uid, frame: Decoded<'history'>): Promise<string | Refused> {
    if (frame.before !== undefined && frame.after !== undefined)
      return { refused: 'bad_request', message: 'before or after, not both' };
    const access = await readable(uid, frame.conv, this.parts.backend.rooms);
    if ('refused' in access) return access;
    const { before, after, limit = PAGE_LIMIT_DEFAULT } = frame;
    const page = await this.parts.backend.log.page(frame.conv, {
      before,
      after,
      limit,
      bytes: PAGE_BYTES_MAX,
      floor: access.floor,
    });
    const blocks = await this.blocksOf(uid);
    return pageFrame(
      frame.id,
      frame.conv,
      page.items.map((item) => viewOf(item, blocks)),
      page.more,
    );
  }

  /**
   * The user's conversations, newest first; what was read through this node before counts as read. `charge` is told
   * the tokens that it cost beyond those that were paid for it, for whoever has many rooms.
   */
  async conversations(uid: Uid, frame: Decoded<'conversations'>, charge: (tokens: number) => void): Promise<string> {
    await this.parts.cursors.writtenFor(uid);
    const limit = frame.limit ?? PAGE_LIMIT_DEFAULT;
    const { conversations, more, looked } = await this.parts.backend.conversations.list(uid, frame.before, limit);
    charge(Math.max(0, costOfMany(looked) - costOf(frame)));
    const blocks = await this.blocksOf(uid);
    const summaries = conversations.map((each) => summaryOf(each, blocks));
    const fitting = fittingOf(summaries, PAGE_BYTES_MAX);
    return conversationsFrame(frame.id, summaries.slice(0, fitting), more || fitting < summaries.length);
  }

  /** Withdraws, edits or reacts; answered in the place of the entry that says so. */
  async change(uid: Uid, frame: Amending, session: Session | undefined): Promise<string | Refused | undefined> {
    const { amend, commits } = this.parts;
    const letter = { conv: frame.conv, sender: uid, id: frame.id, tail: '', ref: commits.nextRef() };
    const sides = isDm(frame.conv) ? sidesOf(frame.conv) : undefined;
    let answer: string | undefined;
    const take = (text: string) => {
      answer = text;
    };
    const refused = await commits.aside(
      { letter, sides, session, attempt: undefined, answer: session ? undefined : take, answered: false },
      () => amend.carryOut(uid, frame, letter.ref),
    );
    return refused ?? answer;
  }

  /** Whom a user blocks. */
  async blocked(uid: Uid): Promise<string> {
    return JSON.stringify({ blocks: await this.parts.backend.blocks.blocked(uid) });
  }

  /** Begins or ends to block somebody, on all the user's connections. */
  async block(uid: Uid, other: Uid, on: boolean): Promise<string | Refused> {
    if (uid === other) return { refused: 'bad_request', message: 'nobody blocks themselves' };
    if (!(await this.parts.backend.blocks.block(uid, other, on)))
      return { refused: 'too_large', message: 'too many are blocked' };
    await this.parts.control.say({ kind: 'blocks', uid });
    // Whoever is told that somebody is blocked hears nothing more of them here, however late the word comes back.
    await this.parts.control.reload(uid);
    return '{}';
  }

  /** Whom a user blocks, from memory if they are connected here. */
  private async blocksOf(uid: Uid): Promise<ReadonlySet<Uid>> {
    const user = this.parts.registry.get(uid);
    if (user?.sessions.some(({ arrived }) => arrived)) return user.blocks;
    return new Set(await this.parts.backend.blocks.blocked(uid));
  }

  async join(uid: Uid, frame: Decoded<'join'>): Promise<string | Refused> {
    const done = await this.parts.membership.join(uid, frame.room);
    if ('refused' in done) return done;
    return encode({ type: 'joined', ...withId(frame.id), room: frame.room, conv: roomConv(frame.room), seq: done.seq });
  }

  async leave(uid: Uid, frame: Decoded<'leave'>): Promise<string | Refused> {
    const done = await this.parts.membership.leave(uid, frame.room);
    if ('refused' in done) return done;
    return encode({ type: 'left', ...withId(frame.id), room: frame.room, conv: roomConv(frame.room), seq: done.seq });
  }

  async members(uid: Uid, frame: Decoded<'members'>): Promise<string | Refused> {
    const access = await readable(uid, roomConv(frame.room), this.parts.backend.rooms);
    if ('refused' in access) return access;
    const limit = frame.limit ?? PAGE_LIMIT_DEFAULT;
    const found = await this.parts.backend.rooms.members(frame.room, frame.after, limit + 1);
    const page = found.slice(0, limit);
    const presence = await seenBy(
      this.parts.backend,
      uid,
      page.map((member) => member.uid),
    );
    const members = page.map(({ uid, role }, i) => ({ uid, role, online: presence[i]?.online ?? false }));
    return encode({ type: 'members', ...withId(frame.id), room: frame.room, members, more: found.length > limit });
  }

  /** Moves a cursor or a read position; nothing is answered where it is in bounds. */
  async mark(mark: Mark, from: Session | undefined): Promise<Refused | undefined> {
    if (isDm(mark.conv) && !sidesOf(mark.conv).includes(mark.uid)) return { refused: 'forbidden' };
    const [outcome] = await this.parts.cursors.write([mark], from);
    return outcome && 'refused' in outcome ? outcome : undefined;
  }

  /** `{"presence":[…]}` of users, as the viewer may see it. */
  async presence(viewer: Uid, uids: readonly Uid[]): Promise<string> {
    return JSON.stringify({ presence: await seenBy(this.parts.backend, viewer, uids) });
  }
}

const withId = (id: MessageId | undefined): { id?: MessageId } => (id === undefined ? {} : { id });

/** How many of these texts go into one answer: at least one, if there is one. */
function fittingOf(texts: readonly string[], bytes: number): number {
  let left = bytes;
  const end = texts.findIndex((text, i) => {
    left -= Buffer.byteLength(text) + 1;
    return left < 0 && i > 0;
  });
  return end < 0 ? texts.length : end;
}
