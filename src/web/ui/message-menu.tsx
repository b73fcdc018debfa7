/** What can be done with a message. */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Chat } from '../model/chat.js';
import type { Messenger } from '../model/messenger.js';
import { attempt } from '../model/note.js';
import { plainText, textOf } from '../model/text.js';
import { words } from '../words/index.js';
import type { Intent, MenuPlace } from './chat-view.js';
import { EmojiPicker } from './emoji-picker.js';
import { Icon, type IconName } from './icons.js';

const QUICK = ['👍', '❤️', '😂', '😮', '😢', '🙏'];

type Props = {
  readonly m: Messenger;
  readonly chat: Chat;
  readonly place: MenuPlace;
  readonly close: () => void;
  readonly setIntent: (intent: Intent) => void;
};

export function MessageMenu({ m, chat, place, close, setIntent }: Props) {
  const t = words.value;
  const { message, x, y, from } = place;
  const { conv } = chat.place;
  const menu = useRef<HTMLDivElement>(null);
  const [isPicking, setPicking] = useState(false);
  const isOwn = message.sender === m.me;

  useLayoutEffect(() => {
    const element = menu.current!;
    const { width, height } = element.getBoundingClientRect();
    element.style.left = `${Math.max(8, Math.min(x, innerWidth - width - 8))}px`;
    element.style.top = `${Math.max(8, y + height + 8 > innerHeight ? y - height - 8 : y)}px`;
  }, [x, y, isPicking]);
  useEffect(() => {
    menu.current!.querySelector('button')?.focus();
    const away = ({ target }: Event): void => {
      if (target instanceof Node && !menu.current?.contains(target)) close();
    };
    addEventListener('pointerdown', away, true);
    return () => removeEventListener('pointerdown', away, true);
  }, [place]);

  function leave(): void {
    close();
    if (from.isConnected) from.focus();
  }

  function react(emoji: string): void {
    const isMine = message.reactions.get(emoji)?.includes(m.me) === true;
    void attempt(() => m.client.react(conv, message.seq, emoji, !isMine));
    leave();
  }

  const acts: readonly (readonly [IconName, string, () => unknown])[] = [
    ['reply', t.reply, () => setIntent({ kind: 'reply', message })],
    ['copy', t.copy, () => attempt(() => navigator.clipboard.writeText(textOf(message.data)))],
    ...(isOwn && plainText(message.data) !== undefined
      ? ([['edit', t.edit, () => setIntent({ kind: 'edit', message })]] as const)
      : []),
    ...(isOwn ? ([['recall', t.recall, () => attempt(() => m.client.recall(conv, message.seq))]] as const) : []),
  ];
  return (
    <div class="menu" role="menu" aria-label={t.actions} ref={menu} tabIndex={-1} onKeyDown={keysOf(leave)}>
      {isPicking ? (
        <EmojiPicker pick={react} close={leave} />
      ) : (
        <>
          <fieldset class="quick" aria-label={t.react}>
            {QUICK.map((emoji) => (
              <button
                type="button"
                role="menuitem"
                key={emoji}
                aria-label={`${t.react} ${emoji}`}
                onClick={() => react(emoji)}
              >
                {emoji}
              </button>
            ))}
            <button type="button" role="menuitem" aria-label={t.emoji} onClick={() => setPicking(true)}>
              <Icon name="smile" />
            </button>
          </fieldset>
          {acts.map(([icon, label, act]) => (
            <button
              type="button"
              role="menuitem"
              key={icon}
              onClick={() => {
                close();
                act();
              }}
            >
              <Icon name={icon} /> {label}
            </button>
          ))}
        </>
      )}
    </div>
  );
}

const keysOf =
  (leave: () => void) =>
  (event: KeyboardEvent): void => {
    if (event.key === 'Escape') return leave();
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (step === undefined || event.defaultPrevented) return;
    event.preventDefault();
    const all = [...(event.currentTarget as HTMLElement).querySelectorAll('button')];
    all.at((all.indexOf(document.activeElement as HTMLButtonElement) + step) % all.length)?.focus();
  };
