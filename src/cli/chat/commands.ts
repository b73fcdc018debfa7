/** What a person enters: a message, or a command behind a slash. */
import { MARK_LEGEND } from './render.js';

const COMMANDS = {
  help: { takes: '', does: 'this list' },
  to: { takes: '<user>', does: 'talk to a user' },
  room: { takes: '<room>', does: 'talk in a room: joins or creates it' },
  all: { takes: '', does: 'talk to everybody' },
  list: { takes: '', does: 'conversations, with what is unread' },
  who: { takes: '', does: 'who is here' },
  history: { takes: '[number]', does: 'earlier messages' },
  leave: { takes: '', does: 'leave this room for good' },
  quit: { takes: '', does: 'end; so does Ctrl-D' },
} as const;

export type CommandName = keyof typeof COMMANDS;

export type Entry =
  | { readonly kind: 'message'; readonly text: string }
  | { readonly kind: 'command'; readonly name: CommandName; readonly argument: string }
  | { readonly kind: 'unknown'; readonly name: string };

/** Text of several lines was pasted and is a message, whatever it begins with; so is what begins with two slashes. */
export function entryOf(text: string): Entry {
  const [, name = '', argument = ''] = /^\/([a-z]+)(?: +(.*))?$/.exec(text.trimEnd()) ?? [];
  if (!text.startsWith('/') || text.includes('\n')) return { kind: 'message', text };
  if (text.startsWith('//')) return { kind: 'message', text: text.slice(1) };
  if (isCommand(name)) return { kind: 'command', name, argument: argument.trim() };
  return { kind: 'unknown', name: text.split(' ')[0] ?? text };
}

const isCommand = (name: string): name is CommandName => Object.hasOwn(COMMANDS, name);

export function helpLines(): readonly string[] {
  const usages = Object.entries(COMMANDS).map(([name, { takes, does }]) => ({ usage: `/${name} ${takes}`, does }));
  const width = Math.max(...usages.map(({ usage }) => usage.length));
  return [
    ...usages.map(({ usage, does }) => `  ${usage.padEnd(width)}  ${does}`),
    `  ${'//text'.padEnd(width)}  a message that begins with a slash`,
    `  ${MARK_LEGEND}`,
  ];
}
