/** One message. What its sender wrote is text, whatever it looks like. */
import type { Json, Outgoing } from '../../client/index.js';
import type { Chat } from '../model/chat.js';
import type { Message } from '../model/message.js';
import type { Messenger } from '../model/messenger.js';
import { attempt } from '../model/note.js';
import { gistOf, isEmojiOnly, plainText, replyOf } from '../model/text.js';
import { fullTimeOf, problemInWords, timeOf, words } from '../words/index.js';
import { Avatar, hueOf } from './avatar.js';
import { Body } from './body.js';
import type { MenuPlace } from './chat-view.js';
import { Icon, type IconName } from './icons.js';

type Mark = 'queued' | 'stored' | 'delivered' | 'read' | 'failed';
type Props = {
  readonly m: Messenger;
  readonly chat: Chat;
  readonly message: Message;
  readonly isFirst: boolean;
  readonly openMenu: (place: MenuPlace) => void;
  readonly jumpTo: (seq: number) => void;
};

export function Bubble({ m, chat, message, isFirst, openMenu, jumpTo }: Props) {
  const t = words.value;
  const { sender, data, ts, seq, isEdited } = message;
  const isOwn = sender === m.me;
  const isCrowd = chat.kind === 'group' || chat.kind === 'all';
  return (
    <li class={`row ${isOwn ? 'own' : ''} ${isFirst ? 'first' : ''}`} data-seq={seq}>
      {isCrowd && !isOwn && (isFirst ? <Avatar name={sender} size="small" /> : <span class="avatar small blank" />)}
      <div class={`bubble ${look(data)}`}>
        {isCrowd && !isOwn && isFirst && <bdi class={`sender ink-${hueOf(sender)}`}>{sender}</bdi>}
        <span class="unseen">{isOwn ? t.you : sender}: </span>
        <Quote m={m} chat={chat} seq={replyOf(data)} jumpTo={jumpTo} />
        <Body data={data} />
        <Meta ts={ts} isEdited={isEdited} mark={isOwn && chat.kind !== 'notes' ? markOf(chat, seq) : undefined} />
        <Reactions m={m} chat={chat} message={message} />
      </div>
      <button
        type="button"
        class="actions"
        aria-label={t.actions}
        onClick={({ currentTarget }) => {
          const { left, bottom } = currentTarget.getBoundingClientRect();
          openMenu({ message, x: left, y: bottom, from: currentTarget });
        }}
      >
        <Icon name="more" />
      </button>
    </li>
  );
}

/** One of one's own that the server does not have yet. */
type WaitingProps = {
  readonly m: Messenger;
  readonly chat: Chat;
  readonly outgoing: Outgoing;
  /** Said apart: the object stays the same one when its state changes, and would not be drawn again. */
  readonly state: Outgoing['state'];
};

export function WaitingBubble({ m, chat, outgoing, state }: WaitingProps) {
  const t = words.value;
  const { data, createdAt, error } = outgoing;
  return (
    <li class="row own first">
      <div class={`bubble waiting ${look(data)}`}>
        <Quote m={m} chat={chat} seq={replyOf(data)} jumpTo={() => undefined} />
        <Body data={data} />
        <Meta ts={createdAt} isEdited={false} mark={state === 'failed' ? 'failed' : 'queued'} />
        {error && (
          <p class="failure" role="alert">
            {t.failed}: {problemInWords(error)}
            <button type="button" onClick={() => void outgoing.retry()}>
              {t.retry}
            </button>
            <button type="button" onClick={() => m.discard(outgoing)}>
              {t.discard}
            </button>
          </p>
        )}
      </div>
    </li>
  );
}

function look(data: Json | undefined): string {
  const text = plainText(data);
  return text === undefined ? 'json' : isEmojiOnly(text) ? 'jumbo' : '';
}

function markOf(chat: Chat, seq: number): Mark {
  const { read, delivered } = chat.peer.value;
  return seq <= read ? 'read' : seq <= delivered ? 'delivered' : 'stored';
}

const MARKS: { readonly [K in Mark]: IconName } = {
  queued: 'clock',
  stored: 'check',
  delivered: 'checks',
  read: 'checks',
  failed: 'alert',
};

type MetaProps = { readonly ts: number; readonly isEdited: boolean; readonly mark: Mark | undefined };

function Meta({ ts, isEdited, mark }: MetaProps) {
  const t = words.value;
  return (
    <span class="meta">
      {isEdited && <span>{t.edited}</span>}
      <time dateTime={new Date(ts).toISOString()} title={fullTimeOf(ts)}>
        {timeOf(ts)}
      </time>
      {mark && (
        <span class={`mark ${mark}`} data-mark={mark} role="img" aria-label={t[mark]} title={t[mark]}>
          <Icon name={MARKS[mark]} />
        </span>
      )}
    </span>
  );
}

type QuoteProps = {
  readonly m: Messenger;
  readonly chat: Chat;
  readonly seq: number | undefined;
  readonly jumpTo: (seq: number) => void;
};

function Quote({ m, chat, seq, jumpTo }: QuoteProps) {
  const t = words.value;
  if (seq === undefined) return null;
  const original = m.loader.lookUp(chat, seq);
  if (!original) {
    return (
      <p class="quote">
        <span class="gist">{original === null ? t.quotedGone : t.loading}</span>
      </p>
    );
  }
  return (
    <button type="button" class={`quote ink-${hueOf(original.sender)}`} onClick={() => jumpTo(seq)}>
      <bdi class="sender">{original.sender === chat.me ? t.you : original.sender}</bdi>
      <bdi class="gist">{original.isRecalled ? t.withdrew(original.sender) : gistOf(original.data)}</bdi>
    </button>
  );
}

function Reactions({ m, chat, message }: { readonly m: Messenger; readonly chat: Chat; readonly message: Message }) {
  if (message.reactions.size === 0) return null;
  return (
    <span class="reactions">
      {[...message.reactions].map(([emoji, uids]) => {
        const isMine = uids.includes(m.me);
        return (
          <button
            type="button"
            key={emoji}
            aria-pressed={isMine}
            aria-label={`${emoji} ${uids.join(', ')}`}
            title={uids.join(', ')}
            onClick={() => void attempt(() => m.client.react(chat.place.conv, message.seq, emoji, !isMine))}
          >
            <bdi>{emoji}</bdi> {uids.length}
          </button>
        );
      })}
    </span>
  );
}
