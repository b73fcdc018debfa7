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
import { encode, pageFrame, viewOf } from './answers.js';
import type { Cursors } from './cursors.js';
import type { Membership } from './membership.js';
import { type Refused, readable } from './policy.js';
import type { Backend, Mark } from './ports.js';
import type { Registry } from './registry.js';
import type { Session } from './session.js';

export type RequestParts = {
  readonly backend: Backend;
  readonly registry: Registry;
  readonly cursors: Cursors;
  readonly membership: Membership;
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
    const blocks = this.parts.registry.get(uid)?.blocks ?? new Set<Uid>();
    return pageFrame(
      frame.id,
      frame.conv,
      page.items.map((item) => viewOf(item, blocks)),
      page.more,
    );
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
    const presence = await this.parts.backend.presence.online(page.map(({ uid }) => uid));
    const members = page.map(({ uid, role }, i) => ({ uid, role, online: presence[i]?.online ?? false }));
    return encode({ type: 'members', ...withId(frame.id), room: frame.room, members, more: found.length > limit });
  }

  /** Moves a cursor or a read position; nothing is answered where it is in bounds. */
  async mark(mark: Mark, from: Session | undefined): Promise<Refused | undefined> {
    if (isDm(mark.conv) && !sidesOf(mark.conv).includes(mark.uid)) return { refused: 'forbidden' };
    const [outcome] = await this.parts.cursors.write([mark], from);
    return outcome && 'refused' in outcome ? outcome : undefined;
  }

  /** `{"presence":[…]}` of users. */
  async presence(uids: readonly Uid[]): Promise<string> {
    return JSON.stringify({ presence: await this.parts.backend.presence.online(uids) });
  }
}

const withId = (id: MessageId | undefined): { id?: MessageId } => (id === undefined ? {} : { id });
