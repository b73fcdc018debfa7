import { effect, signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Messenger } from '../model/messenger.js';
import { convInHash } from '../model/names.js';
import { note } from '../model/note.js';
import { onNoticeClicked } from '../model/notices.js';
import { forget, remember, remembered, type Session } from '../model/session.js';
import { words } from '../words/index.js';
import { ChatView } from './chat-view.js';
import { Confirm } from './confirm.js';
import { Login } from './login.js';
import { go, Sidebar } from './sidebar.js';

const session = signal<Session | undefined>(remembered());
const refusal = signal('');

function enter(given: Session): void {
  remember(given);
  refusal.value = '';
  session.value = given;
}

async function logOut(m: Messenger): Promise<void> {
  forget();
  location.hash = '';
  await m.close(true);
  session.value = undefined;
}

export function App() {
  const [m, setMessenger] = useState<Messenger>();
  const who = session.value;
  useEffect(() => {
    if (who === undefined) {
      setMessenger(undefined);
      return undefined;
    }
    let isGone = false;
    let stop = (): void => undefined;
    void Messenger.start(who).then((started) => {
      if (isGone) return void started.close(false);
      stop = attend(started);
      return setMessenger(started);
    });
    return () => {
      isGone = true;
      stop();
    };
  }, [who]);
  if (who === undefined) return <Login refusal={refusal.value} enter={enter} />;
  if (m === undefined) return <div class="starting" aria-busy="true" />;
  return (
    <div class="messenger" data-open={m.current.value !== undefined}>
      <Sidebar m={m} logOut={() => void logOut(m)} />
      <ChatView m={m} />
      <Confirm />
      <Note />
    </div>
  );
}

/** Lies above dialogues, which a place further up in the page would not. */
function Note() {
  const element = useRef<HTMLParagraphElement>(null);
  const text = note.value;
  useEffect(() => {
    element.current?.hidePopover();
    if (text !== '') element.current?.showPopover();
  }, [text]);
  return (
    <p ref={element} class="note" role="status" popover="manual">
      {text}
    </p>
  );
}

/** Follows the page's address, its title, and the server's refusal of a log-in. */
function attend(m: Messenger): () => void {
  const route = (): void => void m.open(convInHash(location.hash));
  addEventListener('hashchange', route);
  route();
  const stopNotices = onNoticeClicked(go);
  const stopTitle = effect(() => {
    document.title = m.chats.unread.value > 0 ? `(${m.chats.unread.value}) Skein` : 'Skein';
  });
  const stopRefusal = effect(() => {
    const status = m.status.value;
    if (status.state !== 3 || status.next !== undefined || status.code !== 4401) return;
    refusal.value = session.peek()?.token === undefined ? words.peek().needsToken : words.peek().refused;
    forget();
    void m.close(false);
    session.value = undefined;
  });
  return () => {
    removeEventListener('hashchange', route);
    stopNotices();
    stopTitle();
    stopRefusal();
  };
}
