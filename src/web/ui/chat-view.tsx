/** The open conversation. */
import { useEffect, useState } from 'preact/hooks';
import type { Chat } from '../model/chat.js';
import type { Message } from '../model/message.js';
import type { Messenger } from '../model/messenger.js';
import { peerOf } from '../model/names.js';
import { attempt } from '../model/note.js';
import { words } from '../words/index.js';
import { ChatAvatar, titleOf } from './avatar.js';
import { Composer } from './composer.js';
import { GroupInfo } from './group-info.js';
import { Icon } from './icons.js';
import { Log } from './log.js';
import { MessageMenu } from './message-menu.js';
import { PersonInfo } from './person-info.js';
import { ConnectionState, OfflineBanner, presenceInWords } from './state.js';

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
  const chat = conv && m.chats.of(conv);
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
  const [isAbout, setAbout] = useState(false);
  const peer = chat.kind === 'person' ? peerOf(chat.place, m.me) : undefined;
  const about = chat.kind === 'group' ? t.members : peer && t.about(peer);
  useEffect(() => {
    if (chat.kind === 'group' && m.isOnline.value) void m.countMembers(chat);
  }, [chat, m.memberships.value, m.isOnline.value]);
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
        <ConnectionState m={m} isShort />
        {about && (
          <button type="button" class="round" aria-label={about} title={about} onClick={() => setAbout(true)}>
            <Icon name={peer ? 'info' : 'group'} />
          </button>
        )}
      </header>
      <OfflineBanner m={m} />
      <Log m={m} chat={chat} openMenu={setMenu} />
      {peer && m.blocks.all.value.has(peer) ? (
        <p class="barred">
          {t.isBlocked(peer)}{' '}
          <button type="button" class="link" onClick={() => void attempt(() => m.unblock(peer))}>
            {t.unblock}
          </button>
        </p>
      ) : (
        <Composer m={m} chat={chat} intent={intent} setIntent={setIntent} />
      )}
      {menu && <MessageMenu m={m} chat={chat} place={menu} close={() => setMenu(undefined)} setIntent={setIntent} />}
      {isAbout && chat.kind === 'group' && <GroupInfo m={m} chat={chat} close={() => setAbout(false)} />}
      {isAbout && peer && <PersonInfo m={m} uid={peer} close={() => setAbout(false)} />}
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
  return presenceInWords(m.presences.of(peerOf(chat.place, m.me)));
}
