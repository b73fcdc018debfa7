import type { Chat } from '../model/chat.js';
import { peerOf } from '../model/names.js';
import { words } from '../words/index.js';
import { Icon } from './icons.js';

const HUES = 8;

/** One of a few colours, always the same one for a name. */
export function hueOf(name: string): number {
  let hash = 7;
  for (const character of name) hash = (hash * 31 + character.codePointAt(0)!) >>> 0;
  return hash % HUES;
}

export function Avatar({ name, size = '' }: { readonly name: string; readonly size?: string }) {
  const [first = '?'] = name;
  return (
    <span class={`avatar hue-${hueOf(name)} ${size}`} aria-hidden="true">
      {first.toUpperCase()}
    </span>
  );
}

type ChatAvatarProps = { readonly chat: Chat; readonly isOnline?: boolean; readonly size?: string };

export function ChatAvatar({ chat, isOnline = false, size = '' }: ChatAvatarProps) {
  if (chat.kind === 'all' || chat.kind === 'notes') {
    return (
      <span class={`avatar ${chat.kind} ${size}`} aria-hidden="true">
        <Icon name={chat.kind === 'all' ? 'globe' : 'bookmark'} />
      </span>
    );
  }
  return (
    <span class={`portrait ${chat.kind} ${isOnline ? 'online' : ''}`}>
      <Avatar name={titleOf(chat)} size={size} />
    </span>
  );
}

/** What a conversation is called. */
export function titleOf(chat: Chat): string {
  switch (chat.kind) {
    case 'all':
      return words.value.everybody;
    case 'notes':
      return words.value.notes;
    case 'group':
      return chat.name.value ?? chat.place.conv.slice('room:'.length);
    case 'person':
      return peerOf(chat.place, chat.me) ?? '';
  }
}
