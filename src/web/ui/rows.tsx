/** The rows of a window of messages: days, what is new, events, bubbles. */
import type { ComponentChild } from 'preact';
import type { Outgoing } from '../../client/index.js';
import type { Chat } from '../model/chat.js';
import type { Message } from '../model/message.js';
import type { Messenger } from '../model/messenger.js';
import { eventOf } from '../model/names.js';
import { dayOf, isSameDay, words } from '../words/index.js';
import { Bubble, WaitingBubble } from './bubble.js';
import type { MenuPlace } from './chat-view.js';
import { roleInWords } from './sidebar.js';

/** Milliseconds within which messages of one sender stand together. */
const TOGETHER_MS = 300_000;

export type RowsProps = {
  readonly m: Messenger;
  readonly chat: Chat;
  readonly list: readonly Message[];
  readonly start: number;
  readonly end: number;
  readonly waiting: readonly Outgoing[];
  readonly openMenu: (place: MenuPlace) => void;
  readonly jumpTo: (seq: number) => void;
};

export function rowsOf(props: RowsProps): readonly ComponentChild[] {
  const { m, chat, list, start, end, waiting, openMenu, jumpTo } = props;
  const rows: ComponentChild[] = [];
  const divider = chat.divider.value;
  for (let i = start; i < end; i++) {
    const message = list[i]!;
    const before = list[i - 1];
    if (before === undefined || !isSameDay(before.ts, message.ts))
      rows.push(<Day key={`day ${message.seq}`} ts={message.ts} />);
    if (divider !== undefined && message.seq > divider && (before === undefined || before.seq <= divider)) {
      rows.push(
        <li key="divider" class="divider">
          <span>{words.value.newMessages}</span>
        </li>,
      );
    }
    const key = message.id && message.sender === m.me ? message.id : message.seq;
    if (message.isSystem || message.isRecalled) rows.push(<Event key={key} chat={chat} message={message} />);
    else {
      const isFirst = !standTogether(before, message);
      rows.push(
        <Bubble key={key} m={m} chat={chat} message={message} isFirst={isFirst} openMenu={openMenu} jumpTo={jumpTo} />,
      );
    }
  }
  return [
    ...rows,
    ...waiting.map((outgoing) => (
      <WaitingBubble key={outgoing.id} m={m} chat={chat} outgoing={outgoing} state={outgoing.state} />
    )),
  ];
}

const standTogether = (before: Message | undefined, { sender, ts }: Message): boolean =>
  before !== undefined &&
  before.sender === sender &&
  !before.isSystem &&
  !before.isRecalled &&
  ts - before.ts < TOGETHER_MS &&
  isSameDay(before.ts, ts);

function Day({ ts }: { readonly ts: number }) {
  return (
    <li class="day">
      <span>{dayOf(ts)}</span>
    </li>
  );
}

function Event({ chat, message }: { readonly chat: Chat; readonly message: Message }) {
  const t = words.value;
  const { event, uid, by, role, name } = eventOf(message);
  const isOwn = message.sender === chat.me;
  const text = message.isRecalled
    ? isOwn
      ? t.youWithdrew
      : t.withdrew(message.sender)
    : t.event(event, uid, by, roleInWords(role), name);
  return (
    <li class="event" data-seq={message.seq}>
      <span>{text}</span>
    </li>
  );
}
