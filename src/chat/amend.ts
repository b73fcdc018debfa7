/** Recall, edit and react: what becomes of a message, computed on what was read, and repeated if that changed. */
import { type Decoded, rawMember } from '../protocol/decode.js';
import { type Conv, parseConv, type Uid } from '../protocol/index.js';
import { frameOf, type Item, idMember, type Target, targetMember, tsOf } from './item.js';
import { type Refused, readable } from './policy.js';
import { type Letter, type Outcome, type Rooms, Unavailable } from './ports.js';
import type { Amendments, Original } from './social-ports.js';

export type Amending = Decoded<'recall'> | Decoded<'edit'> | Decoded<'react'>;
type Replacement = { readonly seq: number; readonly was: Item; readonly becomes: Item };

export type AmendParts = {
  readonly amendments: Amendments;
  readonly rooms: Rooms;
  /** Milliseconds in which a message can be withdrawn. */
  readonly recallMs: number;
};

const TRIES = 32;
/** An item that none is like: changes nothing, and has the store look only whether the id is known. */
const NO_ITEM: Item = '';
/** Different reactions to one message, and users who reacted with one of them. */
const REACTIONS_MAX = 64;
const REACTORS_MAX = 1_000;

export class Amend {
  private readonly turns = new Map<string, Promise<unknown>>();

  constructor(private readonly parts: AmendParts) {}

  /** Stores the change; the outcome's place is the entry's that says so. */
  async carryOut(
    uid: Uid,
    frame: Amending,
    ref: number,
  ): Promise<{ readonly letter: Letter; readonly outcome: Outcome } | Refused> {
    const access = await readable(uid, frame.conv, this.parts.rooms);
    if ('refused' in access) return access;
    if (frame.seq <= access.floor) return { refused: 'not_found' };
    const letter = { conv: frame.conv, sender: uid, id: frame.id, tail: tailOf(uid, frame), ref, isOp: true };
    return this.inTurn(`${frame.conv} ${frame.seq}`, async () => {
      for (let i = 0; i < TRIES; i++) {
        const outcome = await this.tryOnce(uid, frame, letter);
        if (typeof outcome === 'object' && 'reason' in outcome) return outcome.reason;
        if (outcome !== 'changed') return { letter, outcome };
      }
      throw new Unavailable(`${frame.conv} ${frame.seq} changes too fast`);
    });
  }

  private async tryOnce(uid: Uid, frame: Amending, letter: Letter): Promise<Outcome | 'changed' | { reason: Refused }> {
    const { amendments } = this.parts;
    const replace = this.decide(uid, frame, await amendments.original(frame.conv, frame.seq));
    if (!('refused' in replace)) return amendments.amend({ letter, op: frame.type, ref: frame.seq, replace });
    // What is no longer possible may have been done by this very request, before it was repeated.
    if (frame.id === undefined) return { reason: replace };
    const none = [{ seq: frame.seq, was: NO_ITEM, becomes: NO_ITEM }];
    const known = await amendments.amend({ letter, op: frame.type, ref: frame.seq, replace: none });
    return known === 'changed' || 'refused' in known ? { reason: replace } : known;
  }

  /**
   * The changes of one message that come to this node are made one after the other, so that they compete with those of
   * other nodes only. One that fails fails what is queued behind it.
   */
  private async inTurn<T>(message: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.turns.get(message) ?? Promise.resolve()).then(work);
    this.turns.set(message, turn);
    try {
      return await turn;
    } finally {
      if (this.turns.get(message) === turn) this.turns.delete(message);
    }
  }

  private decide(uid: Uid, frame: Amending, { item, edits }: Original): readonly Replacement[] | Refused {
    if (item === undefined) return { refused: 'not_found' };
    const message = JSON.parse(frameOf(item));
    if (message.op !== undefined || message.recalled)
      return { refused: 'not_found', message: 'no message that can be changed' };
    if (frame.type === 'react') {
      const reactions = reacted(message.reactions, uid, frame);
      if (reactions === undefined) return { refused: 'too_large', message: 'too many reactions' };
      return [{ seq: frame.seq, was: item, becomes: rebuilt(item, message.edited === true, reactions) }];
    }
    if (message.sender !== uid) return { refused: 'forbidden' };
    if (frame.type === 'edit') {
      return [{ seq: frame.seq, was: item, becomes: rebuilt(item, true, reactionsOf(message.reactions), frame.data) }];
    }
    if (Date.now() - tsOf(item) > this.parts.recallMs)
      return { refused: 'forbidden', message: 'too late to withdraw it' };
    const withdrawn = { seq: frame.seq, was: item, becomes: `${beforeData(item)},"recalled":true}` };
    const emptied = edits.map((edit) => ({ seq: edit.seq, was: edit.item, becomes: `${beforeData(edit.item)}}` }));
    return [withdrawn, ...emptied.filter(({ was, becomes }) => was !== becomes)];
  }
}

type Reactions = Map<string, readonly Uid[]>;

const reactionsOf = (reactions: Readonly<Record<string, readonly Uid[]>> | undefined): Reactions =>
  new Map(Object.entries(reactions ?? {}));

/** The reactions after one more; undefined where there are too many. */
function reacted(
  before: Readonly<Record<string, readonly Uid[]>> | undefined,
  uid: Uid,
  { emoji, on }: Decoded<'react'>,
): Reactions | undefined {
  const reactions = reactionsOf(before);
  const others = (reactions.get(emoji) ?? []).filter((each) => each !== uid);
  const uids = on ? [...others, uid] : others;
  if (uids.length === 0) reactions.delete(emoji);
  else reactions.set(emoji, uids);
  return reactions.size > REACTIONS_MAX || uids.length > REACTORS_MAX ? undefined : reactions;
}

/**
 * An item up to its data. Nothing before the data holds an unescaped quote but those of its members, so the first
 * match is the member itself.
 */
function beforeData(item: Item): string {
  const at = item.indexOf(',"data":');
  return at < 0 ? item.slice(0, -1) : item.slice(0, at);
}

/** A message with other data, reactions or mark; the data of others stays as it was written. */
function rebuilt(item: Item, isEdited: boolean, reactions: Reactions, data = rawMember(frameOf(item), 'data')): Item {
  const pairs = [...reactions].map(([emoji, uids]) => `${JSON.stringify(emoji)}:${JSON.stringify(uids)}`);
  const edited = isEdited ? ',"edited":true' : '';
  return `${beforeData(item)},"data":${data}${edited}${pairs.length > 0 ? `,"reactions":{${pairs.join(',')}}` : ''}}`;
}

function tailOf(sender: Uid, frame: Amending): string {
  const what = `"op":"${frame.type}","ref":${frame.seq}`;
  const head = `${idMember(frame.id)}"sender":"${sender}",${targetMember(targetOf(sender, frame.conv))},${what}`;
  if (frame.type === 'edit') return `${head},"data":${frame.data}}`;
  return frame.type === 'react' ? `${head},"emoji":${JSON.stringify(frame.emoji)},"on":${frame.on}}` : `${head}}`;
}

function targetOf(sender: Uid, conv: Conv): Target {
  const place = parseConv(conv);
  if (place?.kind === 'dm') return { receiver: place.a === sender ? place.b : place.a };
  return place?.kind === 'room' ? { room: place.room } : { broadcast: true };
}
