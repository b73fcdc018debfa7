/** What an operator's own services ask for, with the server key. */
import { placeOf } from '../../chat/handlers.js';
import { messageTail } from '../../chat/item.js';
import { SYSTEM } from '../../chat/room-changes.js';
import { type Decoded, decodeBody, parseObject, type Refusal } from '../../protocol/decode.js';
import { parseUid, sidesOf, type Uid } from '../../protocol/index.js';
import type { ApiParts } from '../api.js';
import { json } from '../replies.js';
import { ofAnswer, type Route, readFrame } from '../route.js';
import type { Request, Response } from '../transport.js';

/** Whether a node is fit for traffic, and what it is. */
export type NodeStatus = {
  readonly node: string;
  readonly version: string;
  readonly backend: string;
  readonly sockets: string;
  readonly ready: boolean;
  readonly draining: boolean;
  readonly reasons: readonly string[];
  /** Seconds since the node last heard its own canary. */
  readonly canaryAge: number;
};

/** A send, and in whose name. */
type Letter = Decoded<'send'> & { readonly sender: Uid };

export function serverRoutes({ chat, limits, meter, status }: ApiParts): readonly Route[] {
  const stored = ['dm', 'room', 'all'].map((kind) => meter.cell('skein_messages_stored_total', kind));

  async function send(request: Request, read: (text: string) => Letter | Refusal): Promise<Response> {
    const frame = await readFrame(request, limits.frame, read);
    if ('status' in frame) return frame;
    const { conv, target } = placeOf(frame.sender, frame);
    const tail = messageTail(frame.id, frame.sender, target, frame.data);
    const letter = { conv, sender: frame.sender, id: frame.id, tail, ref: chat.commits.nextRef(), isVouched: true };
    return ofAnswer(await chat.commits.ask(letter, 'receiver' in target ? sidesOf(conv) : undefined));
  }

  async function stats(): Promise<Response> {
    const { registry } = chat;
    const facts = {
      ...status(),
      uptime: Math.floor(process.uptime()),
      users: registry.size,
      connections: registry.sessions,
      stored: stored.reduce((sum, { value }) => sum + value, 0),
    };
    return json(JSON.stringify(facts));
  }

  return [
    {
      method: 'POST',
      pattern: /^\/v1\/server\/messages$/,
      needs: 'server',
      run: ({ request }) => send(request, letterIn),
    },
    {
      method: 'POST',
      pattern: /^\/v1\/server\/broadcast$/,
      needs: 'server',
      run: ({ request }) => send(request, broadcastIn),
    },
    { method: 'GET', pattern: /^\/v1\/server\/stats$/, needs: 'server', run: stats },
  ];
}

/** A send frame with its sender, whoever that is. */
function letterIn(text: string): Letter | Refusal {
  const frame = decodeBody('send', text);
  if (frame.type === 'refused') return frame;
  const sender = parseUid(parseObject(text)?.sender);
  return sender === undefined ? { type: 'refused', message: 'sender: not a user name' } : { ...frame, sender };
}

/** The same to everybody; the service itself is the sender where none is named. */
function broadcastIn(text: string): Letter | Refusal {
  const body = parseObject(text);
  if (body === undefined) return { type: 'refused', message: 'not a JSON object' };
  // `data` is taken from the text as it stands there, so what is missing is put into the text.
  const rest = text.trimStart().slice(1);
  const added = `"broadcast":true${'sender' in body ? '' : `,"sender":"${SYSTEM.uid}"`}`;
  return letterIn(`{${added}${Object.keys(body).length > 0 ? ',' : ''}${rest}`);
}
