/** The open conversation. */
import { useEffect, useState } from 'preact/hooks';
import type { Chat } from '../model/chat.js';
import type { Message } from '../model/message.js';
import type { Messenger } from '../model/messenger.js';
import { peerOf } from '../model/names.js';
import { whenOf, words } from '../words/index.js';
import { ChatAvatar, titleOf } from './avatar.js';
import { Composer } from './composer.js';
import { Icon } from './icons.js';
import { Log } from './log.js';
import { Members } from './members.js';
import { MessageMenu } from './message-menu.js';
import { OfflineBanner } from './state.js';

/** What the next message answers, or the message that is being edited. */
export type Intent = { readonly kind: 'reply' | 'edit'; readonly message: Message };
export type MenuPlace = {
  readonly message: Message;
  readonly x: number;
  readonly y: number;
  readonly from: HTMLElement;
};

export function ChatView({ m }: { readonly m: Messenger }) {
  const conv = m.current.value;
  const chat = conv && m.of(conv);
  if (!chat) {
    return (
      <main class="chat empty">
        <p>{words.value.pick}</p>
      </main>
    );
  }
  return <OpenChat key={conv} m={m} chat={chat} />;
}

function OpenChat({ m, chat }: { readonly m: Messenger; readonly chat: Chat }) {
  const t = words.value;
  const [intent, setIntent] = useState<Intent>();
  const [menu, setMenu] = useState<MenuPlace>();
  const [hasMembers, setMembers] = useState(false);
  useEffect(() => {
    if (chat.kind === 'group') void m.countMembers(chat);
  }, [chat, m.memberships.value]);
  return (
    <main class="chat" aria-label={titleOf(chat)}>
      <header>
        <button
          type="button"
          class="round back"
          aria-label={t.back}
          onClick={() => {
            location.hash = '';
          }}
        >
          <Icon name="back" />
        </button>
        <ChatAvatar chat={chat} size="medium" />
        <div class="heading">
          <h2>
            <bdi>{titleOf(chat)}</bdi>
          </h2>
          <Standing m={m} chat={chat} />
        </div>
        {chat.kind === 'group' && (
          <button type="button" class="round" aria-label={t.members} title={t.members} onClick={() => setMembers(true)}>
            <Icon name="group" />
          </button>
        )}
      </header>
      <OfflineBanner m={m} />
      <Log m={m} chat={chat} openMenu={setMenu} />
      <Composer m={m} chat={chat} intent={intent} setIntent={setIntent} />
      {menu && <MessageMenu m={m} chat={chat} place={menu} close={() => setMenu(undefined)} setIntent={setIntent} />}
      {hasMembers && <Members m={m} chat={chat} close={() => setMembers(false)} />}
    </main>
  );
}

/** What is to be said about the other side: typing, online, last seen, how many they are. */
function Standing({ m, chat }: { readonly m: Messenger; readonly chat: Chat }) {
  const t = words.value;
  const typing = chat.typing.value;
  if (typing.length > 0) {
    return (
      <p class="standing typing" role="status">
        {t.typing(typing.join(', '), typing.length > 1)}
      </p>
    );
  }
  return <p class="standing">{standingInWords(m, chat)}</p>;
}

function standingInWords(m: Messenger, chat: Chat): string {
  const t = words.value;
  if (chat.kind === 'all') return t.everybodyHint;
  if (chat.kind === 'notes') return t.notesHint;
  if (chat.kind === 'group') {
    const count = chat.members.value;
    return count === undefined ? '' : t.membersCount(count.known, count.more);
  }
  const presence = m.presences.of(peerOf(chat.place, m.me));
  if (presence === undefined) return '';
  if (presence.online) return t.online;
  return presence.lastSeen > 0 ? t.lastSeen(whenOf(presence.lastSeen)) : t.offline;
}
