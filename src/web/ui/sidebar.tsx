/** One's conversations, newest first, and the way to begin one. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { dmOf, parseRoom, parseUid, roomConv } from '../../protocol/index.js';
import type { Chat } from '../model/chat.js';
import { draftOf } from '../model/drafts.js';
import type { Messenger } from '../model/messenger.js';
import { eventOf, peerOf } from '../model/names.js';
import { attempt } from '../model/note.js';
import { isOutdated } from '../model/shell.js';
import { gistOf } from '../model/text.js';
import { whenOf, words } from '../words/index.js';
import { Avatar, ChatAvatar, titleOf } from './avatar.js';
import { Icon } from './icons.js';
import { NewGroup } from './new-group.js';
import { Settings } from './settings.js';
import { ConnectionState } from './state.js';

export const go = (conv: string): void => {
  location.hash = `#${encodeURIComponent(conv)}`;
};

export function Sidebar({ m, logOut }: { readonly m: Messenger; readonly logOut: () => void }) {
  const t = words.value;
  const [query, setQuery] = useState('');
  const [dialog, setDialog] = useState<'group' | 'settings'>();
  const search = useRef<HTMLInputElement>(null);
  useEffect(() => onKeys(m, () => search.current?.focus()), [m]);
  const found = matching(m.chats.inOrder.value, query);
  function open(conv: string): void {
    setQuery('');
    go(conv);
  }
  return (
    <aside class="sidebar">
      <header>
        <Avatar name={m.me} size="medium" />
        <div class="self">
          <bdi>{m.me}</bdi>
          <ConnectionState m={m} />
        </div>
        <button
          type="button"
          class="round"
          aria-label={t.newGroup}
          title={t.newGroup}
          onClick={() => setDialog('group')}
        >
          <Icon name="addGroup" />
        </button>
        <button
          type="button"
          class="round"
          aria-label={t.settings}
          title={t.settings}
          onClick={() => setDialog('settings')}
        >
          <Icon name="gear" />
        </button>
      </header>
      <search>
        <form
          class="search"
          onSubmit={(event) => {
            event.preventDefault();
            const uid = parseUid(query.trim());
            if (found[0]) open(found[0].place.conv);
            else if (uid) open(dmOf(m.me, uid));
          }}
        >
          <Icon name="search" />
          <input
            ref={search}
            type="search"
            value={query}
            placeholder={t.search}
            aria-label={t.search}
            onInput={({ currentTarget }) => setQuery(currentTarget.value)}
            onKeyDown={({ key }) => key === 'Escape' && setQuery('')}
          />
        </form>
      </search>
      {isOutdated.value && (
        <p class="outdated" role="status">
          {t.newVersion}{' '}
          <button type="button" class="link" onClick={() => location.reload()}>
            {t.reload}
          </button>
        </p>
      )}
      <nav aria-label={t.conversations}>
        <ul>
          {found.map((chat) => (
            <Entry key={chat.place.conv} m={m} chat={chat} open={open} />
          ))}
        </ul>
        {query.trim() !== '' && <Beginnings m={m} name={query.trim()} open={open} />}
      </nav>
      {dialog === 'group' && <NewGroup m={m} close={() => setDialog(undefined)} open={open} />}
      {dialog === 'settings' && <Settings m={m} close={() => setDialog(undefined)} logOut={logOut} />}
    </aside>
  );
}

function matching(chats: readonly Chat[], query: string): readonly Chat[] {
  const wanted = query.trim().toLocaleLowerCase();
  return wanted === '' ? chats : chats.filter((chat) => titleOf(chat).toLocaleLowerCase().includes(wanted));
}

function Entry({
  m,
  chat,
  open,
}: {
  readonly m: Messenger;
  readonly chat: Chat;
  readonly open: (conv: string) => void;
}) {
  const { conv } = chat.place;
  const last = chat.last.value;
  const unread = chat.unread.value;
  const peer = peerOf(chat.place, m.me);
  return (
    <li>
      <button type="button" class="entry" aria-current={m.current.value === conv} onClick={() => open(conv)}>
        <ChatAvatar chat={chat} isOnline={peer !== m.me && m.presences.of(peer)?.online === true} />
        <bdi class="title">{titleOf(chat)}</bdi>
        <time>{last ? whenOf(last.ts) : ''}</time>
        <Gist m={m} chat={chat} />
        {unread > 0 && (
          <mark>
            <span aria-hidden="true">{unread > 999 ? '999+' : unread}</span>
            <span class="unseen">{words.value.unread(unread)}</span>
          </mark>
        )}
      </button>
    </li>
  );
}

function Gist({ m, chat }: { readonly m: Messenger; readonly chat: Chat }) {
  const t = words.value;
  const typing = chat.typing.value;
  const draft = draftOf(m.me, chat.place.conv);
  if (typing.length > 0) return <bdi class="gist typing">{t.typing(typing.join(', '), typing.length > 1)}</bdi>;
  if (draft !== '' && m.current.value !== chat.place.conv) {
    return (
      <bdi class="gist">
        <b class="draft">{t.draft}: </b>
        {draft.slice(0, 160)}
      </bdi>
    );
  }
  return <bdi class="gist">{lastInWords(chat)}</bdi>;
}

function lastInWords(chat: Chat): string {
  const t = words.value;
  const last = chat.last.value;
  if (last === undefined) return chat.kind === 'notes' ? t.notesHint : chat.kind === 'all' ? t.everybodyHint : '';
  if (last.isSystem) {
    const { event, uid, by, role, name } = eventOf(last);
    return t.event(event, uid, by, roleInWords(role), name);
  }
  const isOwn = last.sender === chat.me;
  if (last.isRecalled) return isOwn ? t.youWithdrew : t.withdrew(last.sender);
  const name = isOwn ? t.you : last.sender;
  return chat.kind === 'group' || chat.kind === 'all' ? `${name}: ${gistOf(last.data)}` : gistOf(last.data);
}

export function roleInWords(role: string | undefined): string {
  const t = words.value;
  return role === 'owner' ? t.owner : role === 'admin' ? t.admin : t.member;
}

/** What could be begun with a name that was typed. */
function Beginnings({
  m,
  name,
  open,
}: {
  readonly m: Messenger;
  readonly name: string;
  readonly open: (conv: string) => void;
}) {
  const t = words.value;
  const [uid, room] = [parseUid(name), parseRoom(name)];
  if (uid === undefined || room === undefined) return <p class="hint">{t.badName}</p>;
  return (
    <div class="beginnings">
      <button type="button" class="entry" onClick={() => open(dmOf(m.me, uid))}>
        <Avatar name={uid} />
        <bdi class="title">{t.chatWith(uid)}</bdi>
      </button>
      <button
        type="button"
        class="entry"
        onClick={async () => {
          if (await attempt(() => m.client.join(room))) open(roomConv(room));
        }}
      >
        <span class="avatar plain">
          <Icon name="group" />
        </span>
        <bdi class="title">{t.joinGroup(room)}</bdi>
      </button>
    </div>
  );
}

/** Ctrl or ⌘ with K searches; Alt with the arrows goes to the next conversation or the one before. */
function onKeys(m: Messenger, focusSearch: () => void): () => void {
  const listen = (event: KeyboardEvent): void => {
    if ((event.ctrlKey || event.metaKey) && event.key === 'k') {
      event.preventDefault();
      focusSearch();
    } else if (event.altKey && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
      event.preventDefault();
      const convs = m.chats.inOrder.peek().map(({ place }) => place.conv);
      const index = convs.indexOf(m.current.peek()!) + (event.key === 'ArrowDown' ? 1 : -1);
      const next = convs[Math.max(0, Math.min(convs.length - 1, index))];
      if (next) go(next);
    }
  };
  addEventListener('keydown', listen);
  return () => removeEventListener('keydown', listen);
}
