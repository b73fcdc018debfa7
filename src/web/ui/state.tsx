/** The connection in words, and as the number that a WebSocket has for it. */
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Status } from '../../client/index.js';
import type { Messenger } from '../model/messenger.js';
import type { Presence } from '../model/presences.js';
import { dayOf, isSameDay, timeOf, words } from '../words/index.js';

const now = signal(Date.now());

/** `isShort`: in a word, where there is little room. */
function inWords(status: Status, isShort: boolean): string {
  const t = words.value;
  switch (status.state) {
    case 0:
      return t.connecting;
    case 1:
      return (isShort ? String : t.connected)(
        { websocket: 'WebSocket', sse: 'SSE', poll: t.longPoll }[status.transport],
      );
    case 2:
      return t.closing;
    case 3:
      if (isShort) return t.offline;
      if (status.next === undefined) return t.closed;
      return t.nextTry(Math.max(0, Math.ceil((status.next - now.value) / 1_000)));
  }
}

type StateProps = { readonly m: Messenger; readonly isShort?: boolean };

export function ConnectionState({ m, isShort = false }: StateProps) {
  const status = m.status.value;
  useEffect(() => {
    if (status.state !== 3) return;
    now.value = Date.now();
    const clock = setInterval(() => {
      now.value = Date.now();
    }, 1_000);
    return () => clearInterval(clock);
  }, [status]);
  return (
    <output class="state" data-state={status.state}>
      <b>{status.state}</b> {inWords(status, isShort)}
    </output>
  );
}

export function OfflineBanner({ m }: { readonly m: Messenger }) {
  const { state } = m.status.value;
  // The first connection of a page that just opened is no outage.
  if (state === 1 || (state === 0 && !m.wasOpen.value)) return null;
  return (
    <div class="banner" role="status">
      <span>{words.value.offlineBanner}</span>
      <button type="button" onClick={() => m.client.connect()}>
        {words.value.tryNow}
      </button>
    </div>
  );
}

/** Whether somebody is there, else when they were. */
export function presenceInWords(presence: Presence | undefined): string {
  const t = words.value;
  if (presence === undefined) return '';
  const { online, lastSeen } = presence;
  if (online) return t.online;
  if (lastSeen === 0) return t.offline;
  return t.lastSeen(isSameDay(lastSeen, Date.now()) ? timeOf(lastSeen) : `${dayOf(lastSeen)} ${timeOf(lastSeen)}`);
}
