/**
 * A node that plays the protocol from memory, over WebSocket, Server-Sent Events and polls, and that a test can make
 * misbehave: what it receives and what it is about to write pass through hooks.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { decode } from '../../../src/protocol/decode.js';
import type { ClientFrame, Conv, MessageFrame, ServerFrame, Uid } from '../../../src/protocol/index.js';
import { TestHttp } from './test-http.js';
import { TestLog } from './test-log.js';

export type Peer = {
  readonly uid: Uid;
  readonly device: string;
  readonly over: 'websocket' | 'sse' | 'poll';
  write(frame: ServerFrame): void;
  close(code: number): void;
};

export type Heard = { readonly frame: ClientFrame; readonly peer: Peer; readonly at: number };

export class TestNode {
  readonly log = new TestLog();
  readonly peers = new Set<Peer>();
  /** Every frame that arrived, in order. */
  readonly heard: Heard[] = [];
  /** Tokens in the order in which they were shown. */
  readonly tokens: string[] = [];
  /** Returns true if the frame is taken care of. */
  onFrame: (frame: ClientFrame, peer: Peer) => boolean = () => false;
  /** Returns what to write instead, undefined for nothing. */
  onWrite: (frame: ServerFrame, peer: Peer) => ServerFrame | undefined = (frame) => frame;
  /** Who a token belongs to; undefined: nobody. */
  onToken: (token: string) => string | undefined = (token) => token;
  allowsUpgrades = true;
  allowsStreams = true;
  isDead = false;
  heartbeat = 25;
  limits = { frame: 65_536, rate: 0, dedup: 600 };
  connections = 0;
  readonly #server: Server;
  readonly #sockets = new Set<WebSocket>();

  private constructor() {
    const http = new TestHttp(this);
    this.#server = createServer((request, response) => void http.answer(request, response));
    const upgrades = new WebSocketServer({ noServer: true });
    this.#server.on('upgrade', (request, socket, head) => {
      this.connections++;
      if (!this.allowsUpgrades || this.isDead) socket.destroy();
      else upgrades.handleUpgrade(request, socket, head, (ws) => this.#greet(ws));
    });
  }

  static async start(): Promise<TestNode> {
    const node = new TestNode();
    await new Promise<void>((resolve) => node.#server.listen(0, '127.0.0.1', resolve));
    return node;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  sends(): string[] {
    return this.heard.flatMap(({ frame }) => (frame.type === 'send' ? [String(frame.data)] : []));
  }

  /** Breaks every WebSocket and stream without a word. */
  cut(): void {
    for (const socket of this.#sockets) socket.terminate();
    for (const peer of this.peers) if (peer.over !== 'websocket') peer.close(1006);
  }

  write(peer: Peer, frame: ServerFrame): void {
    const out = this.onWrite(frame, peer);
    if (out !== undefined && !this.isDead) peer.write(out);
  }

  /** Tells everybody who may read it about a stored entry. */
  publish(message: MessageFrame, except?: Peer): void {
    const mayRead = this.log.readers(message.conv);
    for (const peer of this.peers) if (peer !== except && mayRead(peer.uid)) this.write(peer, message);
  }

  /** A message of somebody who is not connected. */
  say(conv: string, sender: string, data: string, fields: Partial<MessageFrame> = {}): MessageFrame {
    const message = this.log.put(conv, { sender: sender as Uid, data, ...fields });
    this.publish(message);
    return message;
  }

  take(frame: ClientFrame, peer: Peer): void {
    this.heard.push({ frame, peer, at: Date.now() });
    if (this.isDead || this.onFrame(frame, peer)) return;
    const id = frame.id === undefined ? {} : { id: frame.id };
    switch (frame.type) {
      case 'send': {
        const sent = this.log.append(peer.uid, frame);
        this.write(peer, sent);
        const message = this.log.of(sent.conv).find(({ seq }) => seq === sent.seq)!;
        if (!sent.dup) this.publish(message, peer.over === 'websocket' ? peer : undefined);
        return;
      }
      case 'ack':
        return this.mark(peer, frame.conv, { delivered: frame.seq, read: 0 });
      case 'read':
        return this.mark(peer, frame.conv, { delivered: 0, read: frame.seq });
      case 'typing':
        for (const other of this.peers)
          if (other.uid === frame.receiver) this.write(other, { ...frame, sender: peer.uid });
        return;
      case 'history':
        return this.write(peer, { type: 'history', ...id, ...this.log.page(frame) });
      case 'join':
        this.log.members.set(frame.room, (this.log.members.get(frame.room) ?? new Set()).add(peer.uid));
        return this.write(peer, {
          type: 'joined',
          ...id,
          room: frame.room,
          conv: `room:${frame.room}` as Conv,
          seq: 0,
        });
      case 'recall':
      case 'edit':
      case 'react': {
        const { type, conv, seq, ...rest } = frame;
        const entry = this.log.put(conv, { ...rest, sender: peer.uid, op: type, ref: seq });
        this.write(peer, { type: 'sent', ...id, conv, seq: entry.seq, ts: entry.ts });
        return this.publish(entry, peer);
      }
      case 'watch':
        for (const uid of frame.uids) {
          const online = [...this.peers].some((one) => one.uid === uid);
          this.write(peer, { type: 'presence', ...id, uid, online, lastSeen: 0 });
        }
        return;
      case 'conversations':
        return this.write(peer, { type: 'conversations', ...id, ...this.log.summaries(peer.uid), more: false });
      case 'ping':
        return this.write(peer, { type: 'pong', ...id, ts: Date.now() });
    }
  }

  /** A device has, or its user read, everything up to here; the other sockets that it concerns learn of it. */
  mark(
    peer: Pick<Peer, 'uid' | 'device'>,
    conv: Conv,
    at: { readonly delivered: number; readonly read: number },
  ): void {
    const isNews = at.read > 0 || this.log.ack(peer.uid, peer.device, conv, at.delivered);
    const mayRead = this.log.readers(conv);
    for (const other of isNews ? this.peers : []) {
      const isConcerned = mayRead(other.uid) && (other.uid !== peer.uid || at.read > 0) && other !== peer;
      if (isConcerned) this.write(other, { type: 'receipt', conv, uid: peer.uid, ...at });
    }
  }

  async close(): Promise<void> {
    this.isDead = true;
    this.cut();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #greet(ws: WebSocket): void {
    this.#sockets.add(ws);
    let peer: Peer | undefined;
    ws.on('close', () => {
      this.#sockets.delete(ws);
      if (peer) this.peers.delete(peer);
    });
    ws.on('message', (data) => {
      const frame = decode(String(data));
      if (frame.type === 'refused') throw new Error(`a client sent ${data}: ${frame.message}`);
      const parsed = JSON.parse(String(data)) as ClientFrame;
      if (parsed.type !== 'hello') return peer && this.take(parsed, peer);
      if (parsed.token !== undefined) this.tokens.push(parsed.token);
      const uid = parsed.token === undefined ? parsed.uid : this.onToken(parsed.token);
      if (uid === undefined) return ws.close(4401);
      const isNew = peer === undefined;
      peer ??= {
        uid: uid as Uid,
        device: parsed.device ?? 'default',
        over: 'websocket',
        write: (out) => ws.send(JSON.stringify(out)),
        close: (code) => ws.close(code),
      };
      if (!this.isDead) this.#welcome(peer, isNew);
    });
  }

  #welcome(peer: Peer, isNew: boolean): void {
    const { uid, device } = peer;
    const { heartbeat, limits } = this;
    const base = { type: 'welcome', node: 'test', conn: 'c', ts: Date.now(), protocol: 1 } as const;
    this.write(peer, { ...base, uid, device: device as never, heartbeat, limits });
    if (!isNew) return;
    for (const message of this.log.pending(uid, device)) this.write(peer, message);
    this.write(peer, { type: 'synced' });
    for (const other of this.peers) this.write(other, { type: 'presence', uid, online: true, lastSeen: 0 });
    this.peers.add(peer);
  }
}
