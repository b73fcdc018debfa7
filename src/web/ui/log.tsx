/**
 * The messages of a conversation. Only a window of them is in the document, which moves as one scrolls; what was in
 * sight stays where it was, whatever is added above or below it.
 */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { type Chat, indexOf } from '../model/chat.js';
import type { Messenger } from '../model/messenger.js';
import { convOfTarget } from '../model/names.js';
import { say } from '../model/note.js';
import { words } from '../words/index.js';
import { type Anchor, anchorIn, isAtBottom, keepAnchor, lastInSight } from './anchor.js';
import type { MenuPlace } from './chat-view.js';
import { Icon } from './icons.js';
import { rowsOf } from './rows.js';

/** Rows at first, rows added at a time, and rows at most. */
const [FIRST, STEP, MOST] = [60, 40, 200];
/** Pixels before the end of the window at which it moves. */
const AHEAD = 600;

/** Places of the first and last message of the window; without: as many as fit before the last, up to the newest. */
type Window = { readonly from?: number | undefined; readonly to?: number | undefined };
type Target = { readonly selector: string; readonly block: ScrollLogicalPosition };
type Props = { readonly m: Messenger; readonly chat: Chat; readonly openMenu: (place: MenuPlace) => void };

export function Log({ m, chat, openMenu }: Props) {
  const t = words.value;
  const box = useRef<HTMLDivElement>(null);
  const anchor = useRef<Anchor | undefined>(undefined);
  const isPinned = useRef(true);
  const isJumping = useRef(false);
  const obeyed = useRef(m.goal.peek());
  const latestJump = useRef<(seq: number) => Promise<void>>(async () => undefined);
  // Always the same function: a bubble whose message is the same is not drawn again.
  const jump = useRef((seq: number) => void latestJump.current(seq));
  /** What the next drawing brings into sight: an element, and where. */
  const target = useRef<Target | undefined>(undefined);
  const [range, setRange] = useState<Window>({});
  const list = chat.isReady.value ? chat.messages.value : [];
  const end = range.to === undefined ? list.length : indexOf(list, range.to) + 1;
  const start = range.from === undefined ? Math.max(0, end - FIRST) : indexOf(list, range.from);
  const isNewest = end === list.length;
  const waiting = isNewest ? m.outgoing.value.filter((one) => convOfTarget(one.target, m.me) === chat.place.conv) : [];

  function extendUp(): void {
    if (start === 0) return void (m.isOnline.peek() && m.loader.older(chat));
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
    if (!element || element.clientHeight === 0 || isJumping.current || m.goal.peek() !== obeyed.current) return;
    isPinned.current = isNewest && isAtBottom(element);
    m.isAtEnd.value = isPinned.current;
    m.sees(chat, lastInSight(element));
    anchor.current = anchorIn(element);
    const below = element.scrollHeight - element.scrollTop - element.clientHeight;
    if (element.scrollTop < AHEAD) extendUp();
    else if (below < AHEAD && !isNewest) extendDown();
  }

  useLayoutEffect(() => {
    const element = box.current!;
    isJumping.current = false;
    const wanted = target.current && element.querySelector(target.current.selector);
    if (wanted) {
      wanted.scrollIntoView({ block: target.current?.block });
      isPinned.current = false;
      if (target.current?.block === 'center') highlight(wanted);
      target.current = undefined;
    } else if (isPinned.current && isNewest) element.scrollTop = element.scrollHeight;
    else keepAnchor(element, anchor.current);
    anchor.current = anchorIn(element);
  });
  useEffect(look, [list, start, end, range]);
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

  // Whoever opens a conversation sees first what is unread in it.
  useLayoutEffect(showUnread, [chat.isReady.value]);
  useLayoutEffect(() => {
    const goal = m.goal.value;
    if (goal === obeyed.current) return;
    obeyed.current = goal;
    if (goal?.place === 'newest') jumpToNewest();
    else showUnread();
  }, [m.goal.value]);

  async function jumpTo(seq: number): Promise<void> {
    await m.loader.backTo(chat, () => (chat.oldest ?? 0) <= seq);
    const all = chat.messages.peek();
    const index = indexOf(all, seq);
    if (all[index]?.seq !== seq) return say(t.gone);
    showAround(index, { selector: `[data-seq="${seq}"]`, block: 'center' });
  }

  latestJump.current = jumpTo;

  function showUnread(): void {
    const divider = chat.divider.peek();
    const all = chat.messages.peek();
    const index = divider === undefined ? all.length : indexOf(all, divider + 1);
    if (chat.isReady.peek() && index < all.length) showAround(index, { selector: '.divider', block: 'start' });
  }

  /** Moves the window to a message, and it into sight. */
  function showAround(index: number, wanted: Target): void {
    const all = chat.messages.peek();
    target.current = wanted;
    isJumping.current = true;
    const to = Math.min(all.length, index + STEP);
    setRange({ from: all[Math.max(0, index - STEP)]?.seq, to: to === all.length ? undefined : all[to - 1]?.seq });
  }

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
            {edgeInWords(m, chat, start)}
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

/** What stands above the first message. */
function edgeInWords(m: Messenger, chat: Chat, start: number): string {
  const t = words.value;
  if (!chat.isReady.value) return t.loading;
  if (start > 0 || chat.hasOlder.value) return chat.isFresh && m.isOnline.value ? t.loading : '';
  return chat.messages.value.length > 0 ? t.beginning : t.nothingHere;
}

function highlight(row: Element): void {
  row.classList.add('found');
  setTimeout(() => row.classList.remove('found'), 1_500);
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
