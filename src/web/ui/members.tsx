/** Who is in a group, as what, and what may be done about it. */
import { useEffect, useState } from 'preact/hooks';
import { type Member, parseUid, type Role, type RoomId } from '../../protocol/index.js';
import type { Chat } from '../model/chat.js';
import type { Messenger } from '../model/messenger.js';
import { words } from '../words/index.js';
import { Avatar } from './avatar.js';
import { Dialog } from './dialog.js';
import { roleInWords } from './sidebar.js';

const RANK: { readonly [K in Role]: number } = { owner: 2, admin: 1, member: 0 };

type Props = { readonly m: Messenger; readonly chat: Chat; readonly close: () => void };

export function Members({ m, chat, close }: Props) {
  const t = words.value;
  const room = chat.place.conv.slice('room:'.length) as RoomId;
  const [members, setMembers] = useState<readonly Member[]>([]);
  const [next, setNext] = useState<string>();
  async function load(after?: string): Promise<void> {
    const page = await m.client.members(room, { limit: 100, ...(after && { after }) });
    setMembers((before) => (after ? [...before, ...page.members] : page.members));
    setNext(page.more ? page.members.at(-1)?.uid : undefined);
  }
  useEffect(() => void m.attempt(() => load()), [m.memberships.value]);
  const mine = members.find(({ uid }) => uid === m.me)?.role ?? 'member';
  return (
    <Dialog title={t.members} close={close}>
      {RANK[mine] > 0 && <Invite m={m} room={room} done={() => void load()} />}
      <ul class="members">
        {members.map((member) => (
          <li key={member.uid}>
            <Avatar name={member.uid} size="small" />
            <bdi>{member.uid}</bdi>
            <small>
              {roleInWords(member.role)}
              {member.online && ` · ${t.online}`}
            </small>
            {member.uid !== m.me && RANK[mine] > RANK[member.role] && (
              <Acts m={m} room={room} member={member} mayRaise={mine === 'owner'} done={() => void load()} />
            )}
          </li>
        ))}
      </ul>
      {next && (
        <button type="button" class="link" onClick={() => void m.attempt(() => load(next))}>
          {t.showAll}
        </button>
      )}
      <button
        type="button"
        class="row danger"
        onClick={async () => {
          if (confirm(t.leaveSure) && (await m.attempt(() => m.leave(chat)))) close();
        }}
      >
        {t.leave}
      </button>
    </Dialog>
  );
}

type InviteProps = { readonly m: Messenger; readonly room: RoomId; readonly done: () => void };

function Invite({ m, room, done }: InviteProps) {
  const t = words.value;
  return (
    <form
      class="invite"
      onSubmit={async (event) => {
        event.preventDefault();
        const form = event.currentTarget;
        const uid = parseUid(String(new FormData(form).get('whom')).trim());
        if (uid === undefined) return m.say(t.badName);
        if (await m.attempt(() => m.groups.admit(room, uid))) {
          form.reset();
          done();
        }
      }}
    >
      <input name="whom" placeholder={t.inviteWhom} aria-label={t.inviteWhom} required autocomplete="off" />
      <button type="submit" class="primary">
        {t.invite}
      </button>
    </form>
  );
}

type ActsProps = InviteProps & { readonly member: Member; readonly mayRaise: boolean };

function Acts({ m, room, member: { uid, role }, mayRaise, done }: ActsProps) {
  const t = words.value;
  const other = role === 'admin' ? 'member' : 'admin';
  const run = async (work: () => unknown): Promise<void> => {
    if (await m.attempt(work)) done();
  };
  return (
    <span class="member-acts">
      {mayRaise && (
        <button type="button" class="link" onClick={() => void run(() => m.groups.admit(room, uid, other))}>
          {other === 'admin' ? t.makeAdmin : t.makeMember}
        </button>
      )}
      <button type="button" class="link danger" onClick={() => void run(() => m.groups.remove(room, uid))}>
        {t.remove}
      </button>
    </span>
  );
}
