/**
 * The messages of a conversation. Only a window of them is in the document, which moves as one scrolls; what was in
 * sight stays where it was, whatever is added above or below it.
 */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { type Chat, indexOf } from '../model/chat.js';
import type { Messenger } from '../model/messenger.js';
import { convOfTarget } from '../model/names.js';
import { words } from '../words/index.js';
import { type Anchor, anchorIn, isAtBottom, keepAnchor } from './anchor.js';
import type { MenuPlace } from './chat-view.js';
import { Icon } from './icons.js';
import { rowsOf } from './rows.js';

/** Rows at first, rows added at a time, and rows at most. */
const [FIRST, STEP, MOST] = [60, 40, 200];
/** Pixels before the end of the window at which it moves. */
const AHEAD = 600;
/** Pages that a jump to an old message loads at most. */
const JUMP_PAGES = 100;

/** Places of the first and last message of the window; without: as many as fit before the last, up to the newest. */
type Window = { readonly from?: number | undefined; readonly to?: number | undefined };
type Props = { readonly m: Messenger; readonly chat: Chat; readonly openMenu: (place: MenuPlace) => void };

export function Log({ m, chat, openMenu }: Props) {
  const t = words.value;
  const box = useRef<HTMLDivElement>(null);
  const anchor = useRef<Anchor | undefined>(undefined);
  const isPinned = useRef(true);
  const isJumping = useRef(false);
  const latestJump = useRef<(seq: number) => Promise<void>>(async () => undefined);
  // Always the same function: a bubble whose message is the same is not drawn again.
  const jump = useRef((seq: number) => void latestJump.current(seq));
  const target = useRef<number | undefined>(undefined);
  const [range, setRange] = useState<Window>({});
  const list = chat.messages.value;
  const end = range.to === undefined ? list.length : indexOf(list, range.to) + 1;
  const start = range.from === undefined ? Math.max(0, end - FIRST) : indexOf(list, range.from);
  const isNewest = end === list.length;
  const waiting = isNewest ? m.outgoing.value.filter((one) => convOfTarget(one.target, m.me) === chat.place.conv) : [];

  function extendUp(): void {
    if (start === 0) return void m.loadOlder(chat);
    const from = Math.max(0, start - STEP);
    setRange({ from: list[from]?.seq, to: end - from > MOST ? list[from + MOST - 1]?.seq : range.to });
  }

  function extendDown(): void {
    const to = Math.min(list.length, end + STEP);
    const from = list[Math.max(start, to - MOST)]?.seq;
    setRange({ from, to: to === list.length ? undefined : list[to - 1]?.seq });
  }

  function look(): void {
    const element = box.current;
    // Until the window that was asked for is drawn, where this one stands says nothing.
    if (!element || element.clientHeight === 0 || isJumping.current) return;
    isPinned.current = isNewest && isAtBottom(element);
    m.isAtEnd.value = isPinned.current;
    if (isPinned.current) m.markRead();
    anchor.current = anchorIn(element);
    const below = element.scrollHeight - element.scrollTop - element.clientHeight;
    if (element.scrollTop < AHEAD) extendUp();
    else if (below < AHEAD && !isNewest) extendDown();
  }

  useLayoutEffect(() => {
    const element = box.current!;
    isJumping.current = false;
    const wanted = target.current === undefined ? null : element.querySelector(`[data-seq="${target.current}"]`);
    if (wanted) {
      target.current = undefined;
      isPinned.current = false;
      wanted.scrollIntoView({ block: 'center' });
      wanted.classList.add('found');
      setTimeout(() => wanted.classList.remove('found'), 1_500);
    } else if (isPinned.current && isNewest) element.scrollTop = element.scrollHeight;
    else keepAnchor(element, anchor.current);
    anchor.current = anchorIn(element);
  });
  useEffect(look, [list, start, end]);
  useEffect(() => {
    const element = box.current!;
    const observer = new ResizeObserver(() => {
      if (isPinned.current) element.scrollTop = element.scrollHeight;
    });
    observer.observe(element);
    const onMenu = (event: MouseEvent): void => menuAt(event, chat, openMenu);
    element.addEventListener('contextmenu', onMenu);
    return () => {
      observer.disconnect();
      element.removeEventListener('contextmenu', onMenu);
    };
  }, []);

  useEffect(() => {
    if (m.wantsEnd.value > 0) jumpToNewest();
  }, [m.wantsEnd.value]);

  async function jumpTo(seq: number): Promise<void> {
    for (let page = 0; page < JUMP_PAGES && (chat.oldest ?? 0) > seq && chat.hasOlder.peek(); page++) {
      await m.loadOlder(chat);
    }
    const all = chat.messages.peek();
    const index = indexOf(all, seq);
    if (all[index]?.seq !== seq) return m.say(t.gone);
    target.current = seq;
    isJumping.current = true;
    const to = Math.min(all.length, index + STEP);
    setRange({ from: all[Math.max(0, index - STEP)]?.seq, to: to === all.length ? undefined : all[to - 1]?.seq });
  }

  latestJump.current = jumpTo;

  function jumpToNewest(): void {
    isPinned.current = true;
    isJumping.current = true;
    setRange({});
  }

  return (
    <div class="log">
      <div
        class="scroll"
        ref={box}
        role="log"
        aria-live="polite"
        aria-label={t.message}
        onScroll={look}
        onKeyDown={moveAmongRows}
      >
        <ol>
          <li class="edge" aria-hidden="true">
            {start > 0 || chat.hasOlder.value
              ? chat.isFresh
                ? t.loading
                : ''
              : list.length > 0
                ? t.beginning
                : t.nothingHere}
          </li>
          {rowsOf({ m, chat, list, start, end, waiting, openMenu, jumpTo: jump.current })}
        </ol>
      </div>
      {!m.isAtEnd.value && (
        <button type="button" class="newest" aria-label={t.toNewest} title={t.toNewest} onClick={jumpToNewest}>
          <Icon name="down" />
          {chat.unread.value > 0 && <mark>{chat.unread.value}</mark>}
        </button>
      )}
    </div>
  );
}

/** The menu of the bubble under the pointer, but for a link or a selected text, which have the browser's. */
function menuAt(event: MouseEvent, chat: Chat, openMenu: Props['openMenu']): void {
  if (!(event.target instanceof Element) || event.target.closest('a') || getSelection()?.isCollapsed === false) return;
  const row = event.target.closest('.bubble')?.closest<HTMLElement>('[data-seq]');
  const message = chat.at(Number(row?.dataset.seq));
  const from = row?.querySelector<HTMLElement>('.actions');
  if (!message || !from) return;
  event.preventDefault();
  openMenu({ message, x: event.clientX, y: event.clientY, from });
}

/** The arrows go from one message's actions to the next one's. */
function moveAmongRows(event: KeyboardEvent): void {
  if (event.key !== 'ArrowUp' && event.key !== 'ArrowDown') return;
  if (!(event.target instanceof HTMLElement) || !event.target.matches('.actions')) return;
  const all = [...(event.currentTarget as HTMLElement).querySelectorAll<HTMLElement>('.actions')];
  const next = all[all.indexOf(event.target) + (event.key === 'ArrowDown' ? 1 : -1)];
  event.preventDefault();
  next?.focus();
  next?.scrollIntoView({ block: 'nearest' });
}
