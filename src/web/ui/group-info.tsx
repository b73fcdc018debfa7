/** A group: its name, who is in it, and what this user may do about it. */
import { useEffect, useState } from 'preact/hooks';
import type { Member, Role, RoomId } from '../../protocol/index.js';
import type { Chat } from '../model/chat.js';
import type { Messenger } from '../model/messenger.js';
import { attempt } from '../model/note.js';
import { words } from '../words/index.js';
import { ChatAvatar, titleOf } from './avatar.js';
import { isSure } from './confirm.js';
import { Dialog } from './dialog.js';
import { Icon } from './icons.js';
import { Members } from './members.js';

const PAGE = 100;

const RANK: { readonly [K in Role]: number } = { owner: 2, admin: 1, member: 0 };

type Props = { readonly m: Messenger; readonly chat: Chat; readonly close: () => void };

export function GroupInfo({ m, chat, close }: Props) {
  const t = words.value;
  const room = chat.place.conv.slice('room:'.length) as RoomId;
  const [members, setMembers] = useState<readonly Member[]>([]);
  const [next, setNext] = useState<string>();
  const [mine, setMine] = useState<Role>('member');
  async function load(after?: string): Promise<void> {
    const page = await m.client.members(room, { limit: PAGE, ...(after && { after }) });
    setMembers((before) => (after ? [...before, ...page.members] : page.members));
    setNext(page.more ? page.members.at(-1)?.uid : undefined);
    const me = page.members.find(({ uid }) => uid === m.me);
    if (me) setMine(me.role);
  }
  useEffect(() => void attempt(() => load()), [m.memberships.value]);

  async function leave(): Promise<void> {
    const isLast = members.length === 1 && next === undefined;
    const text = mine === 'owner' && !isLast ? `${t.leaveSure} ${t.leaveOwner}` : t.leaveSure;
    if ((await isSure(text, t.leave)) && (await attempt(() => m.leave(chat)))) close();
  }

  async function end(): Promise<void> {
    if ((await isSure(t.endSure, t.endGroup)) && (await attempt(() => m.end(chat)))) close();
  }

  return (
    <Dialog title={t.groupInfo} close={close}>
      <Name m={m} chat={chat} room={room} mayRename={RANK[mine] > 0} />
      <Members m={m} room={room} members={members} mine={mine} reload={load} close={close} />
      {next && (
        <button type="button" class="link" onClick={() => void attempt(() => load(next))}>
          {t.showAll}
        </button>
      )}
      <div class="lasts">
        <button type="button" class="row danger" onClick={() => void leave()}>
          <Icon name="logout" /> {t.leave}
        </button>
        {mine === 'owner' && (
          <button type="button" class="row danger" onClick={() => void end()}>
            <Icon name="trash" /> {t.endGroup}
          </button>
        )}
      </div>
    </Dialog>
  );
}

type NameProps = {
  readonly m: Messenger;
  readonly chat: Chat;
  readonly room: RoomId;
  readonly mayRename: boolean;
};

function Name({ m, chat, room, mayRename }: NameProps) {
  const t = words.value;
  const [isEditing, setEditing] = useState(false);
  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const name = String(new FormData(event.currentTarget as HTMLFormElement).get('name')).trim();
    const isDone = name === titleOf(chat) || (await attempt(() => m.groups.rename(room, name)));
    if (isDone) setEditing(false);
  }
  return (
    <div class="identity">
      <ChatAvatar chat={chat} />
      {isEditing ? (
        <form class="inline" onSubmit={(event) => void submit(event)}>
          <input
            name="name"
            aria-label={t.groupName}
            value={titleOf(chat)}
            required
            pattern=".*\S.*"
            maxLength={60}
            autofocus
            autocomplete="off"
          />
          <button type="submit" class="primary">
            {t.save}
          </button>
        </form>
      ) : (
        <>
          <div class="naming">
            <bdi>{titleOf(chat)}</bdi>
            <small>{t.groupId(room)}</small>
          </div>
          {mayRename && (
            <button type="button" class="round" aria-label={t.rename} title={t.rename} onClick={() => setEditing(true)}>
              <Icon name="edit" />
            </button>
          )}
        </>
      )}
    </div>
  );
}
