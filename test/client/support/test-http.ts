/** The HTTP side of a test node. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ClientFrame, Conv, ServerFrame, Uid } from '../../../src/protocol/index.js';
import type { Peer, TestNode } from './test-node.js';

type Held = { readonly [conv: string]: number };

export class TestHttp {
  readonly #node: TestNode;
  #answers = 0;
  /** What each poll's answer held, by its cursor. */
  readonly #held = new Map<string, Held>();

  constructor(node: TestNode) {
    this.#node = node;
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'http://test');
    if (this.#node.isDead) return void request.socket.destroy();
    if (url.pathname === '/healthz') return reply(response, 200, {});
    const bearer = request.headers.authorization?.replace('Bearer ', '');
    if (bearer !== undefined) this.#node.tokens.push(bearer);
    const uid = bearer === undefined ? url.searchParams.get('uid') : this.#node.onToken(bearer);
    if (!uid) return reply(response, 401, { error: { code: 'unauthorized', message: 'who?' } });
    const device = url.searchParams.get('device') ?? 'default';
    const me = { uid: uid as Uid, device };
    const body = await bodyOf(request);
    const [, , kind, conv, verb] = url.pathname.split('/').map(decodeURIComponent);
    const key = `${request.method} ${kind}${verb === undefined ? '' : ` ${verb}`}`;
    switch (key) {
      case 'POST messages':
        return this.#ask(me, { type: 'send', ...body } as ClientFrame, response);
      case 'GET messages':
        return this.#poll(me, url.searchParams, response);
      case 'GET stream':
        return this.#stream(me, request, response);
      case 'GET conversations':
        return this.#ask(me, { type: 'conversations' }, response);
      case 'GET conversations messages':
        return this.#ask(me, { type: 'history', conv, ...numbers(url) } as ClientFrame, response);
      case 'POST conversations ack':
        return this.#ask(me, { type: 'ack', conv, ...body } as ClientFrame, response);
      case 'PUT rooms members':
        return this.#ask(me, { type: 'join', room: conv } as ClientFrame, response);
      case 'GET presence':
        return this.#presence(url, response);
      default:
        return reply(response, 404, { error: { code: 'not_found', message: key } });
    }
  }

  /** Plays a frame; the first one that comes back is the answer. */
  #ask(me: { uid: Uid; device: string }, frame: ClientFrame, response: ServerResponse): void {
    let isAnswered = false;
    const write = (out: ServerFrame): void => {
      if (isAnswered) return;
      isAnswered = true;
      if (out.type !== 'error') return reply(response, 200, out);
      reply(response, out.retry === undefined ? 400 : 503, { error: out });
    };
    this.#node.take(frame, { ...me, over: 'poll', write, close: () => response.destroy() });
    if (!isAnswered && (frame.type === 'ack' || frame.type === 'read')) reply(response, 200, {});
  }

  #presence(url: URL, response: ServerResponse): void {
    const presence = url.searchParams.getAll('of').map((uid) => {
      return { uid, online: [...this.#node.peers].some((peer) => peer.uid === uid), lastSeen: 0 };
    });
    reply(response, 200, { presence });
  }

  async #poll(me: { uid: Uid; device: string }, query: URLSearchParams, response: ServerResponse): Promise<void> {
    const { log, peers } = this.#node;
    const ack = query.get('ack');
    const held = ack === null ? {} : this.#held.get(ack);
    if (held === undefined) return reply(response, 400, { error: { code: 'bad_request', message: 'cursor' } });
    for (const [conv, seq] of Object.entries(held)) this.#node.mark(me, conv as Conv, { delivered: seq, read: 0 });
    const answer = (): void => {
      peers.delete(peer);
      const messages = log.pending(me.uid, me.device).flatMap((one) => this.#node.onWrite(one, peer) ?? []);
      const cursor = `p${++this.#answers}`;
      const seqs = messages.map((one) => [one.type === 'message' ? one.conv : '', 'seq' in one ? one.seq : 0]);
      this.#held.set(cursor, Object.fromEntries(seqs));
      if (!response.writableEnded) reply(response, 200, { messages, cursor });
    };
    const peer: Peer = { ...me, over: 'poll', write: answer, close: () => response.destroy() };
    const wait = Number(query.get('wait') ?? 15);
    if (wait === 0 || log.pending(me.uid, me.device).length > 0) return answer();
    peers.add(peer);
    const timer = setTimeout(answer, wait * 1_000);
    response.on('close', () => {
      clearTimeout(timer);
      peers.delete(peer);
    });
  }

  #stream(me: { uid: Uid; device: string }, request: IncomingMessage, response: ServerResponse): void {
    if (!this.#node.allowsStreams) return reply(response, 404, {});
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': here\n\n');
    const last = request.headers['last-event-id'];
    if (typeof last === 'string') {
      for (const [conv, seq] of Object.entries(JSON.parse(last) as Held))
        this.#node.mark(me, conv as Conv, { delivered: seq, read: 0 });
    }
    const at: Record<string, number> = {};
    const peer: Peer = {
      ...me,
      over: 'sse',
      write: (frame) => {
        if (frame.type === 'message') at[frame.conv] = frame.seq;
        response.write(`id: ${JSON.stringify(at)}\ndata: ${JSON.stringify(frame)}\n\n`);
      },
      close: (code) => (code === 1000 ? response.end() : response.destroy()),
    };
    response.on('close', () => this.#node.peers.delete(peer));
    for (const message of this.#node.log.pending(me.uid, me.device)) this.#node.write(peer, message);
    this.#node.write(peer, { type: 'synced' });
    this.#node.peers.add(peer);
  }
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function bodyOf(request: IncomingMessage): Promise<object> {
  let text = '';
  for await (const part of request.setEncoding('utf8')) text += part;
  return text === '' ? {} : (JSON.parse(text) as object);
}

function numbers(url: URL): object {
  const fields = ['before', 'after', 'limit'].filter((name) => url.searchParams.has(name));
  return Object.fromEntries(fields.map((name) => [name, Number(url.searchParams.get(name))]));
}
