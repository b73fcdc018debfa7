/** The page's elements. Everything that users wrote goes in as text, never as markup. */
import type { Outgoing, Peer, Uid } from '../client/index.js';
import type { Chat, Row } from './chats.js';
import { eventInWords, textOf, titleOf } from './words.js';

/** An element of the page by its id; the page is broken without it. */
export function element<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no #${id}`);
  return found;
}

function make(tag: string, text: string, className = ''): HTMLElement {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = className;
  return made;
}

export function showChats(list: HTMLElement, chats: readonly Chat[], current: string, me: Uid | undefined): void {
  list.replaceChildren(
    ...chats.map((chat) => {
      const button = make('button', '');
      button.dataset.conv = chat.conv;
      button.setAttribute('aria-current', String(chat.conv === current));
      button.append(make('span', titleOf(chat.conv, me)), make('small', chat.gist));
      if (chat.unread > 0) {
        const badge = make('mark', String(chat.unread));
        badge.setAttribute('aria-label', `${chat.unread} unread`);
        button.append(badge);
      }
      const item = document.createElement('li');
      item.append(button);
      return item;
    }),
  );
}

const STATES = { queued: 'waiting', stored: 'sent', delivered: 'delivered', read: 'read', failed: 'failed' } as const;

/** Shows a conversation; stays at the newest message if that is where it was. */
export function showRows(log: HTMLElement, rows: readonly Row[], me: Uid | undefined, peer: Peer | undefined): void {
  const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  log.replaceChildren(...rows.map((row) => ('outgoing' in row ? waiting(row.outgoing) : said(row, me, peer))));
  if (isAtEnd) log.scrollTop = log.scrollHeight;
}

function said({ message }: Extract<Row, { message: unknown }>, me: Uid | undefined, peer: Peer | undefined) {
  const { sender, ts, seq, data, op, recalled, edited } = message;
  if (op === 'system') return make('li', eventInWords(message), 'event');
  if (recalled) return make('li', `${sender} withdrew a message`, 'event');
  const isOwn = sender === me;
  const item = make('li', textOf(data), isOwn ? 'own' : '');
  const time = new Date(ts).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
  const mark = isOwn && peer ? ` · ${STATES[stateOf(seq, peer)]}` : '';
  item.prepend(...(isOwn ? [] : [make('small', sender)]));
  item.append(make('small', `${time}${edited ? ' · edited' : ''}${mark}`));
  return item;
}

const stateOf = (seq: number, { delivered, read }: Peer): 'read' | 'delivered' | 'stored' =>
  seq <= read ? 'read' : seq <= delivered ? 'delivered' : 'stored';

function waiting(outgoing: Outgoing): HTMLElement {
  const item = make('li', textOf(outgoing.data), 'own');
  const isFailed = outgoing.state === 'failed';
  item.append(make('small', outgoing.error?.message ?? STATES[outgoing.state], isFailed ? 'failed' : ''));
  if (isFailed) {
    const retry = make('button', 'Try again', 'quiet');
    retry.addEventListener('click', () => void outgoing.retry());
    item.append(retry);
  }
  return item;
}
