/** Nodes in this process, and what their clients do. */
import { expect } from 'vitest';
import { createMemoryBackend } from '../../src/memory/backend.js';
import { createNode, type Node } from '../../src/node.js';
import { loadConfig } from '../../src/ops/config.js';
import { createLog } from '../../src/ops/log.js';
import { Connection } from '../support/client.js';
import { type Answer, type ErrorBody, http } from '../support/http.js';
import type { RedisServer } from '../support/redis.js';
import { LIMITS, Notes, RedisNodes } from '../support/redis-node.js';
import { EventReader, Ledger, type StreamOptions } from './event-reader.js';

export type Adapter = 'uws' | 'ws';
export type Shape = { readonly adapter: Adapter; readonly nodes: number };
export const SHAPES: readonly Shape[] = [
  { adapter: 'uws', nodes: 1 },
  { adapter: 'ws', nodes: 1 },
  { adapter: 'uws', nodes: 2 },
  { adapter: 'ws', nodes: 2 },
];

type Place = { readonly node: Node; readonly port: number; readonly notes: Notes };

/** One embedded node, or several on a Redis. Any number is a node: they go round. */
export class Service {
  private readonly places: Place[] = [];
  private readonly readers: EventReader[] = [];
  private born = 0;

  private constructor(private readonly redis: RedisNodes | undefined) {}

  static async open({ adapter, nodes }: Shape, redis: RedisServer | undefined): Promise<Service> {
    const service = new Service(redis && new RedisNodes(redis));
    for (let i = 0; i < nodes; i++) await service.start(adapter);
    return service;
  }

  private async start(adapter: Adapter): Promise<void> {
    const loaded = loadConfig({ SKEIN_PORT: '0', SKEIN_SOCKETS: adapter, SKEIN_RATE: '1000000' });
    if ('errors' in loaded) throw new Error(loaded.errors.join('\n'));
    const notes = new Notes();
    const backend = this.redis ? this.redis.make(notes) : createMemoryBackend({ limits: LIMITS });
    const log = createLog({ ...loaded.config, logLevel: 'silent' });
    const node = await createNode({ config: loaded.config, backend, meter: notes, log, version: 'test' });
    this.places.push({ node, port: await node.listen(), notes });
  }

  place(number: number): Place {
    return this.places[number % this.places.length]!;
  }

  url(number: number): string {
    return `http://127.0.0.1:${this.place(number).port}`;
  }

  /** A uid that no other test of this service has. */
  uid(name: string): string {
    return `${name}.${++this.born}`;
  }

  async stream(number: number, uid: string, options: StreamOptions = {}): Promise<EventReader> {
    const reader = await EventReader.open(this.url(number), uid, options);
    this.readers.push(reader);
    return reader;
  }

  ask<Body = ErrorBody>(number: number, path: string, body?: object, method?: string): Promise<Answer<Body>> {
    return http<Body>(`${this.url(number)}${path}`, { ...(body && { body }), ...(method && { method }) });
  }

  /** Sends over HTTP, from any node; resolves with the seq. */
  async say(number: number, sender: string, to: object, data: unknown): Promise<number> {
    const answer = await this.ask<{ seq: number }>(number, `/v1/messages?${who(sender)}`, { ...to, data });
    expect(answer, answer.text).toMatchObject({ status: 200 });
    return answer.body.seq;
  }

  /** Somebody who has been there before, so that nobody is a stranger to them. */
  async known(name: string): Promise<string> {
    const uid = this.uid(name);
    const reader = await this.stream(1, uid);
    await reader.first('synced');
    reader.leave();
    return uid;
  }

  /** A WebSocket of a user who is now a member of a room. It acknowledges nothing. */
  async joined(number: number, uid: string, room: string): Promise<Connection> {
    const url = `${this.url(number).replace('http', 'ws')}/ws?${who(uid)}&ack=manual`;
    const line = await Connection.open(url);
    await line.request({ type: 'join', room });
    return line;
  }

  /** Reads stream after stream, each on the next node, until so many messages came; breaks each after some. */
  async collect(uid: string, count: number, breakAfter: number): Promise<Ledger> {
    const ledger = new Ledger();
    let lastEventId: string | undefined;
    for (let node = 1; ledger.heard.length < count; node++) {
      const reader = await this.stream(node, uid, { lastEventId });
      const wanted = Math.min(breakAfter, count - ledger.heard.length);
      await reader.hearsMany(wanted);
      reader.leave();
      const last = reader.messages[wanted - 1]!;
      ledger.take(reader.events.slice(0, reader.events.indexOf(last) + 1));
      lastEventId = last.id;
    }
    return ledger;
  }

  async close(): Promise<void> {
    for (const reader of this.readers) reader.leave();
    await Promise.all(this.places.map(({ node }) => node.close()));
  }
}

const who = (uid: string): string => new URLSearchParams({ uid }).toString();
