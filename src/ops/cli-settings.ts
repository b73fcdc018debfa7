/**
 * What the command line reads from its environment, beside a node's settings where it does a node's operator a service
 * (tokens, doctor). The names share the prefix, so a node must know them as well, or it would report them as unknown.
 */
import { text } from './kinds.js';
import { given, hidden, optional, type Setting } from './settings.js';

const line = text('text', /^\P{Cc}{1,8192}$/u);

export const CLI_SETTINGS = {
  url: given(
    'SKEIN_URL',
    text('a URL, `http(s)://` or `ws(s)://`', /^(?:https?|wss?):\/\/[^\s/]+(?:\/\S*)?$/i),
    'http://127.0.0.1:9527',
    'Any node, or the load balancer before them.',
  ),
  uid: optional('SKEIN_UID', line, 'none', 'Who one is, where a node in open mode believes a name.'),
  token: hidden('SKEIN_TOKEN', line, 'none', 'The token that says who one is.'),
} as const satisfies Readonly<Record<string, Setting<unknown>>>;
