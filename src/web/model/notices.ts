/** Desktop notifications: of what arrives while the page is not looked at, if the user wants them. */
import { signal } from '@preact/signals';
import type { MessageFrame } from '../../protocol/index.js';
import type { Chat } from './chat.js';
import { gistOf } from './text.js';

const KEY = 'notifications';

export const isNotifying = signal(localStorage.getItem(KEY) === 'on');

/** The service worker shows them: so they outlive the page, and phones have them, too. */
const canNotify = 'Notification' in window && 'serviceWorker' in navigator;

/** Turns notifications on or off; false if the browser does not allow them. Asks, so it needs a user's gesture. */
export async function setNotifying(on: boolean): Promise<boolean> {
  const isAllowed = !on || (canNotify && (await Notification.requestPermission()) === 'granted');
  isNotifying.value = on && isAllowed;
  localStorage.setItem(KEY, isNotifying.value ? 'on' : 'off');
  return isAllowed;
}

export const isLookedAt = (): boolean => !document.hidden && document.hasFocus();

/** Tells of a message, one notice a conversation at a time, unless somebody looks. */
export async function notify(chat: Chat, { sender, data }: MessageFrame): Promise<void> {
  if (!isNotifying.value || isLookedAt() || !canNotify || Notification.permission !== 'granted') return;
  const { conv } = chat.place;
  const group = chat.kind === 'group' ? ` · ${chat.name.peek() ?? conv.slice('room:'.length)}` : '';
  const registration = await navigator.serviceWorker.getRegistration();
  await registration?.showNotification(`${sender}${group}`, {
    body: gistOf(data),
    tag: conv,
    icon: './icon.svg',
    data: { conv },
  });
}

/** Calls back with the conversation of a notice that was clicked, until the returned function is called. */
export function onNoticeClicked(show: (conv: string) => void): () => void {
  if (!canNotify) return () => undefined;
  const listen = ({ data }: MessageEvent): void => {
    const { show: conv } = data as { readonly show?: unknown };
    if (typeof conv === 'string') show(conv);
  };
  navigator.serviceWorker.addEventListener('message', listen);
  return () => navigator.serviceWorker.removeEventListener('message', listen);
}
