/** Desktop notifications: of what arrives while the page is not looked at, if the user wants them. */
import { signal } from '@preact/signals';
import type { MessageFrame } from '../../protocol/index.js';
import type { Chat } from './chat.js';
import { gistOf } from './text.js';

const KEY = 'notifications';

export const isNotifying = signal(localStorage.getItem(KEY) === 'on');

/** Turns notifications on or off; false if the browser does not allow them. */
export async function setNotifying(on: boolean): Promise<boolean> {
  const isAllowed = !on || ('Notification' in window && (await Notification.requestPermission()) === 'granted');
  isNotifying.value = on && isAllowed;
  localStorage.setItem(KEY, isNotifying.value ? 'on' : 'off');
  return isAllowed;
}

export const isLookedAt = (): boolean => !document.hidden && document.hasFocus();

export function notify(chat: Chat, { sender, data }: MessageFrame): void {
  if (!isNotifying.value || isLookedAt() || !('Notification' in window)) return;
  if (Notification.permission !== 'granted') return;
  const group = chat.kind === 'group' ? ` · ${chat.name.peek() ?? chat.place.conv.slice(5)}` : '';
  const notice = new Notification(`${sender}${group}`, {
    body: gistOf(data),
    tag: chat.place.conv,
    icon: './icon.svg',
  });
  notice.onclick = () => {
    window.focus();
    location.hash = `#${encodeURIComponent(chat.place.conv)}`;
    notice.close();
  };
}
