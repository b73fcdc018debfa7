/** Where one writes: Enter sends, Shift with Enter begins a new line. */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Json } from '../../client/index.js';
import type { Chat } from '../model/chat.js';
import { draftOf, setDraft } from '../model/drafts.js';
import type { Messenger } from '../model/messenger.js';
import { addressOf } from '../model/names.js';
import { attempt } from '../model/note.js';
import { gistOf, plainText, replyOf } from '../model/text.js';
import { words } from '../words/index.js';
import type { Intent } from './chat-view.js';
import { EmojiPicker } from './emoji-picker.js';
import { Icon } from './icons.js';

type Props = {
  readonly m: Messenger;
  readonly chat: Chat;
  readonly intent: Intent | undefined;
  readonly setIntent: (intent: Intent | undefined) => void;
};

export function Composer({ m, chat, intent, setIntent }: Props) {
  const t = words.value;
  const { conv } = chat.place;
  const area = useRef<HTMLTextAreaElement>(null);
  const [isPicking, setPicking] = useState(false);
  useEffect(() => {
    write(area.current!, draftOf(m.me, conv));
    if (matchMedia('(hover: hover)').matches) area.current!.focus();
  }, [conv]);
  // Before anything can be typed: what is written here must not overwrite it.
  useLayoutEffect(() => {
    if (intent === undefined) return;
    if (intent.kind === 'edit') write(area.current!, plainText(intent.message.data) ?? '');
    area.current!.focus();
  }, [intent]);

  function leaveIntent(): void {
    if (intent?.kind === 'edit') write(area.current!, draftOf(m.me, conv));
    setIntent(undefined);
  }

  function submit(): void {
    const text = area.current!.value.trim();
    if (text === '') return;
    if (intent?.kind === 'edit') {
      const { seq, data } = intent.message;
      void attempt(() => m.client.edit(conv, seq, dataOf(text, replyOf(data))));
    } else {
      const reply = intent?.message.seq;
      void attempt(() => m.client.send({ ...addressOf(chat.place, m.me), data: dataOf(text, reply) }));
      setDraft(m.me, conv, '');
      chat.divider.value = undefined;
    }
    setIntent(undefined);
    write(area.current!, intent?.kind === 'edit' ? draftOf(m.me, conv) : '');
    m.goal.value = { place: 'newest' };
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.key === 'Escape' && intent) return leaveIntent();
    const own = chat.messages.peek().findLast(({ sender, isRecalled }) => sender === m.me && !isRecalled);
    if (event.key === 'ArrowUp' && area.current!.value === '' && own && plainText(own.data) !== undefined) {
      event.preventDefault();
      return setIntent({ kind: 'edit', message: own });
    }
    // While an input method composes a word, Enter belongs to it.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  }

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      {intent && <IntentBar chat={chat} intent={intent} cancel={leaveIntent} />}
      {isPicking && (
        <EmojiPicker
          close={() => setPicking(false)}
          pick={(emoji) => {
            area.current!.setRangeText(emoji, area.current!.selectionStart, area.current!.selectionEnd, 'end');
            setDraft(m.me, conv, area.current!.value);
          }}
        />
      )}
      <button
        type="button"
        class="round"
        aria-label={t.emoji}
        aria-expanded={isPicking}
        onClick={() => setPicking(!isPicking)}
      >
        <Icon name="smile" />
      </button>
      <textarea
        ref={area}
        rows={1}
        placeholder={t.message}
        aria-label={t.message}
        onKeyDown={onKeyDown}
        onInput={({ currentTarget }) => {
          grow(currentTarget);
          if (intent?.kind !== 'edit') setDraft(m.me, conv, currentTarget.value);
          if (chat.place.kind !== 'all' && chat.kind !== 'notes') m.typing(chat);
        }}
      />
      <button type="submit" class="round send" aria-label={t.send} title={t.send}>
        <Icon name="send" />
      </button>
    </form>
  );
}

/** By the convention of page and command line. */
const dataOf = (text: string, reply: number | undefined): Json => (reply === undefined ? text : { text, reply });

function write(area: HTMLTextAreaElement, text: string): void {
  area.value = text;
  grow(area);
}

function grow(area: HTMLTextAreaElement): void {
  area.style.height = 'auto';
  area.style.height = `${area.scrollHeight}px`;
}

type BarProps = { readonly chat: Chat; readonly intent: Intent; readonly cancel: () => void };

function IntentBar({ chat, intent, cancel }: BarProps) {
  const t = words.value;
  const { sender, data } = intent.message;
  return (
    <div class="intent">
      <Icon name={intent.kind} />
      <div>
        <b>{intent.kind === 'edit' ? t.editing : t.replyingTo(sender === chat.me ? t.you : sender)}</b>
        <bdi class="gist">{gistOf(data)}</bdi>
      </div>
      <button type="button" class="round" aria-label={t.cancel} onClick={cancel}>
        <Icon name="close" />
      </button>
    </div>
  );
}
