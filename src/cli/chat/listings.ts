/** What is where: conversations, and people. */
import type { Client } from '../../client/index.js';
import type { Uid } from '../../protocol/index.js';
import { visible } from '../text.js';
import { clockOf, gistOf, nameOf } from './render.js';
import { otherIn, type Target } from './target.js';

const PAGE = 200;
const NOBODY = '' as Uid;

/** This user's conversations, newest first, with what is unread and what was said last. */
export async function conversationLines(client: Client): Promise<readonly string[]> {
  const { conversations } = await client.conversations();
  if (conversations.length === 0) return ['  no conversations yet'];
  return conversations.map(({ conv, unread, last }) => {
    const fresh = unread > 0 ? ` (${unread} new)` : '';
    const said = last === null ? '' : `: ${clockOf(last.ts)} ${last.sender} ${gistOf(last.data)}`;
    return visible(`  ${nameOf(conv, client.uid)}${fresh}${said}`);
  });
}

/** Who is online in a conversation; a room's members. */
export async function presentLines(client: Client, { conv, to }: Target): Promise<readonly string[]> {
  if (to.room !== undefined) return memberLines(client, to.room);
  const other = otherIn(conv, client.uid ?? NOBODY);
  const [presence] = other === undefined ? [] : await client.watch([other]);
  return [`  ${presence === undefined ? nameOf(conv, client.uid) : presenceWords(presence)}`];
}

async function memberLines(client: Client, room: string): Promise<readonly string[]> {
  const lines: string[] = [];
  for (let after: string | undefined, more = true; more; ) {
    const page = await client.members(room, { limit: PAGE, ...(after && { after }) });
    for (const { uid, role, online } of page.members) {
      const rank = role === 'member' ? '' : ` (${role})`;
      lines.push(`  ${online ? '●' : '○'} ${visible(uid)}${rank}${online ? '' : ' offline'}`);
    }
    after = page.members.at(-1)?.uid;
    more = page.more && after !== undefined;
  }
  return lines;
}

export function presenceWords({ uid, online, lastSeen }: { uid: Uid; online: boolean; lastSeen: number }): string {
  if (online) return `${uid} is online`;
  return lastSeen > 0
    ? `${uid} is offline, last seen ${new Date(lastSeen).toLocaleString('sv-SE')}`
    : `${uid} is offline`;
}
