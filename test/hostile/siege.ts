/** A node under attack: mallory, who attacks, and alice and bob, who must notice nothing. */
import { expect } from 'vitest';
import { Connection } from '../support/client.js';
import { dmOf, type Frame } from '../support/frame.js';
import { type Answer, http } from '../support/http.js';
import { inAnHour, token } from '../support/jwt.js';
import { type Environment, type NodeProcess, startNode } from '../support/process.js';
import { RedisServer } from '../support/redis.js';
import { until } from '../support/until.js';
import type { RequestCase } from './cases.js';
import { heard, RawSocket } from './wire.js';

const SECRET = 'only the tests of hostile input know this secret';
export const SERVER_KEY = 'the-key-of-the-server-as-the-tests-of-hostile-input-know-it';

export const ENV: Environment = {
  SKEIN_AUTH: 'jwt',
  SKEIN_JWT_SECRET: SECRET,
  SKEIN_SERVER_KEY: SERVER_KEY,
  SKEIN_RATE: '100000',
  SKEIN_RATE_BYTES: '1000000000',
  SKEIN_PENDING_MAX: '100000',
  // Else the young generation alone grows to 48 MB, and goes back when V8 finds the time.
  NODE_OPTIONS: `--max-semi-space-size=2 --import=${new URL('./collect.mjs', import.meta.url)}`,
};

export const tokenOf = (uid: string, claims: object = {}): string =>
  token({ sub: uid, exp: inAnHour(), ...claims }, SECRET);

const HANDSHAKE = `${[
  'GET /ws HTTP/1.1',
  'Host: $host',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Authorization: Bearer $token',
].join('\r\n')}\r\n\r\n`;

const LEAKS = /x-injected|set-cookie|access-control-allow-origin: (\*|.*evil)/i;

/** The only frames that alice and bob may see: their own conversation and its receipts. */
const OWN = new Set(['message', 'sent', 'receipt', 'pong', 'welcome', 'synced']);

export class Siege {
  private lastSaid = 0;
  private lastLog = 0;
  private mallory: Connection | undefined;

  private constructor(
    readonly node: NodeProcess,
    private readonly redis: RedisServer | undefined,
    private readonly alice: Connection,
    private readonly bob: Connection,
    readonly crony: Connection,
  ) {}

  /** A node, with a Redis of its own if it shall have one. */
  static async begins(env: Environment = {}, hasRedis = false): Promise<Siege> {
    const redis = hasRedis ? await RedisServer.start({ appendonly: 'no' }) : undefined;
    const node = await startNode({ ...ENV, ...(redis && { REDIS_URL: redis.url }), ...env });
    const [alice, bob, crony] = await Promise.all([come(node, 'alice'), come(node, 'bob'), come(node, 'crony')]);
    const siege = new Siege(node, redis, alice, bob, crony);
    for (const [room, isPrivate] of [
      ['den', true],
      ['yard', false],
    ] as const) {
      const body = { room, private: isPrivate, members: ['bob'] };
      expect((await siege.calls('alice', 'POST', '/v1/rooms', body)).status).toBe(201);
    }
    for (const line of [alice, bob]) {
      for (const room of ['den', 'yard']) {
        const isSeen = ({ conv, data }: Frame) => conv === `room:${room}` && isAbout(data, 'bob');
        await line.first(isSeen, `${room} to be there`);
      }
    }
    for (const line of [alice, bob]) line.frames.length = 0;
    return siege;
  }

  async ends(): Promise<void> {
    await this.node.kill('SIGKILL');
    await this.redis?.stop();
  }

  /** Mallory's connection, a new one where the last case has cost it. */
  async line(): Promise<Connection> {
    if (!this.mallory?.isOpen) this.mallory = await come(this.node, 'mallory', '&ack=manual');
    return this.mallory;
  }

  calls<Body>(uid: string, method: string, path: string, body?: unknown): Promise<Answer<Body>> {
    return http<Body>(`${this.node.url}${path}`, { method, token: tokenOf(uid), ...(body !== undefined && { body }) });
  }

  raw(): Promise<RawSocket> {
    return RawSocket.to(this.node.port);
  }

  /** What the placeholders of the tables stand for. */
  filled(text: string): string {
    return text
      .replaceAll('$dm', dmOf('alice', 'bob'))
      .replaceAll('$den', 'den')
      .replaceAll('$yard', 'yard')
      .replaceAll('$crony', 'crony')
      .replaceAll('$host', `127.0.0.1:${this.node.port}`)
      .replaceAll('$token', tokenOf('mallory'))
      .replaceAll('$key', SERVER_KEY);
  }

  /** Alice and bob still talk, heard nothing else, and the node has nothing to complain of. */
  async holds(): Promise<void> {
    const data = `all is well ${++this.lastSaid}`;
    this.alice.send({ type: 'send', id: data, receiver: 'bob', data });
    await Promise.all([
      heard(this.alice, ({ type, id }) => type === 'sent' && id === data, 'an answer for alice'),
      heard(this.bob, (frame) => frame.data === data, `bob to hear "${data}"`),
    ]);
    for (const line of [this.alice, this.bob]) {
      expect(line.frames.filter((frame) => !isOwn(frame))).toEqual([]);
      expect(line.order.violations).toEqual([]);
      line.frames.length = 0;
      line.texts.length = 0;
    }
    this.isQuiet();
  }

  /** The node lives and has logged no fault since the last look. */
  isQuiet(): void {
    const { program } = this.node;
    expect(program.isAlive, program.printed.slice(-5).join('\n')).toBe(true);
    const fresh = program.logs.slice(this.lastLog);
    this.lastLog = program.logs.length;
    expect(fresh.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
  }

  /** Asks over HTTP, and finds one of the answers that are right, without anything of the request in its headers. */
  async answers({ name, bytes, expects }: RequestCase): Promise<void> {
    const raw = (await this.raw()).write(this.filled(bytes));
    const status = await raw.status();
    raw.end();
    expect(expects, `${name}: ${raw.text.slice(0, 400)}`).toContain(status);
    expect(raw.text.split('\r\n\r\n')[0]).not.toMatch(LEAKS);
  }

  /** A WebSocket of mallory's, or whoever else's, of which every byte can be written. */
  async handshake(uid = 'mallory'): Promise<RawSocket> {
    const raw = (await this.raw()).write(this.filled(HANDSHAKE.replace('$token', tokenOf(uid))));
    expect(await raw.status()).toBe(101);
    await raw.shows(() => raw.text.includes('"synced"'), 'the log-in of a raw socket');
    raw.text = '';
    return raw;
  }

  /** Bytes of memory that the node takes. */
  memory(): Promise<number> {
    return this.measure('process_resident_memory_bytes');
  }

  /** Milliseconds of a processor that the node has taken so far. */
  async work(): Promise<number> {
    return (await this.measure('process_cpu_seconds_total')) * 1_000;
  }

  private async measure(name: string): Promise<number> {
    const { text } = await http(`${this.node.metricsUrl}/metrics`);
    return Number(new RegExp(`^\\w*${name}(?:\\{.*\\})? (\\S+)$`, 'm').exec(text)?.[1]);
  }

  /** Waits until the node takes no more memory than so much: what it freed goes back some seconds later. */
  async fallsTo(bytes: number): Promise<void> {
    let last = 0;
    const isThere = async (): Promise<boolean> => {
      last = await this.memory();
      return last <= bytes;
    };
    await until(isThere, () => `${last} bytes of memory to become ${bytes}`, 25_000);
  }
}

/** Whether it is the entry of somebody's joining, the last one of a room that is founded. */
const isAbout = (data: unknown, uid: string): boolean =>
  typeof data === 'object' && data !== null && 'uid' in data && data.uid === uid;

function isOwn(frame: Frame): boolean {
  if (!OWN.has(frame.type)) return false;
  if (frame.conv !== undefined && frame.conv !== 'dm:alice:bob') return false;
  return [frame.sender, frame.uid].every((uid) => uid === undefined || uid === 'alice' || uid === 'bob');
}

async function come(node: NodeProcess, uid: string, query = ''): Promise<Connection> {
  const line = await Connection.open(`${node.wsUrl()}?token=${tokenOf(uid)}${query}`);
  await line.firstOf('synced');
  return line;
}
