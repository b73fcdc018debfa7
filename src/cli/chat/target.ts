/** Where messages go. */
import { SkeinError, type To } from '../../client/index.js';
import { type Conv, dmOf, parseConv, parseRoom, parseUid, roomConv, type Uid } from '../../protocol/index.js';

export type Target = { readonly conv: Conv; readonly to: To };

export const EVERYBODY: Target = { conv: 'all' as Conv, to: { broadcast: true } };

/** Throws a SkeinError, as the client does where a name is out of form. */
export function userTarget(name: string, me: Uid): Target {
  const uid = parseUid(name);
  if (uid === undefined) throw new SkeinError('bad_request', `not a user name: ${name}`);
  return { conv: dmOf(uid, me), to: { receiver: uid } };
}

export function roomTarget(name: string): Target {
  const room = parseRoom(name);
  if (room === undefined) throw new SkeinError('bad_request', `not a room name: ${name}`);
  return { conv: roomConv(room), to: { room } };
}

/** The other side of a direct conversation; notes to self have none. */
export function otherIn(conv: Conv, me: Uid): Uid | undefined {
  const named = parseConv(conv);
  if (named?.kind !== 'dm' || named.a === named.b) return undefined;
  return named.a === me ? named.b : named.a;
}
