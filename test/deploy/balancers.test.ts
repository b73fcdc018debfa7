import { type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Connection } from '../support/client.js';
import type { Frame } from '../support/frame.js';
import { http } from '../support/http.js';
import { Town } from '../support/town.js';
import { until } from '../support/until.js';
import { BALANCERS, Balancer, KINDS } from './balancer.js';

/** The longest that a poll may wait. */
const POLL_SECONDS = 60;

describe.each(BALANCERS)('behind $name', (kind) => {
  const town = new Town({
    nodes: 3,
    redis: true,
    env: {
      SKEIN_DRAIN_SECONDS: '4',
      SKEIN_RATE: '100000',
      SKEIN_STRANGER_MESSAGES: '100000',
      SKEIN_TRUSTED_PROXIES: '127.0.0.1',
      SKEIN_ADDRESS_LOGINS: '10',
    },
  });
  let balancer: Balancer;
  let born = 0;

  beforeAll(async () => {
    await town.opens();
    balancer = await Balancer.start(kind, town.nodes);
  });

  afterAll(async () => {
    await balancer?.stop();
    await town.closes();
  });

  const someone = () => `u${++born}`;
  const arrives = async (uid: string): Promise<Connection> => {
    const line = await Connection.open(balancer.wsUrl({ uid }));
    await line.firstOf('synced');
    return line;
  };
  const nodeOf = (line: Connection) => line.frames.find(({ type }) => type === 'welcome')?.node;
  const post = (sender: string, receiver: string, id: string) =>
    http(`${balancer.url}/v1/messages?uid=${sender}`, { body: { receiver, id, data: id } });
  const hears = (line: Connection, data: string) =>
    line.first((frame) => frame.type === 'message' && frame.data === data, `the message "${data}"`);

  test('sockets are spread over the nodes, and a message crosses from one to another', async () => {
    const people = Array.from({ length: 30 }, someone);
    const lines = await Promise.all(people.map(arrives));
    expect(new Set(lines.map(nodeOf)).size).toBe(3);
    const far = lines.findIndex((line) => nodeOf(line) !== nodeOf(lines[0]!));
    expect(await lines[0]?.request({ receiver: people[far]!, data: 'across' })).toMatchObject({ type: 'sent' });
    await hears(lines[far]!, 'across');
    await Promise.all(lines.map((line) => line.close()));
  });

  test('the page comes through, and a page of this address may connect', async () => {
    const page = await http(`${balancer.url}/`);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    const line = await Connection.open(balancer.wsUrl({ uid: someone() }), { headers: { origin: balancer.url } });
    await line.firstOf('welcome');
    await line.close();
  });

  test('who guesses is known by their own address, whatever they say of it', async () => {
    const guess = (localAddress: string, claimed: string): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const headers = { authorization: 'Bearer guess', 'x-forwarded-for': claimed, connection: 'close' };
        request(`${balancer.url}/v1/blocks`, { localAddress, headers }, (answer) => {
          answer.resume().on('end', () => resolve(answer.statusCode));
        })
          .on('error', reject)
          .end();
      });
    const isStopped = async () => (await guess('127.0.0.7', `198.51.100.${++born % 250}`)) === 429;
    await until(isStopped, 'who guesses to be told to wait');
    expect(await guess('127.0.0.8', '127.0.0.7')).toBe(401);
  });

  test('a long poll waits as long as it was asked to, and ends at once when a message comes', async () => {
    const [alice, bob] = [someone(), someone()];
    const poll = (wait: number) => http<{ messages: Frame[] }>(`${balancer.url}/v1/messages?uid=${bob}&wait=${wait}`);
    const began = performance.now();
    const empty = await poll(6);
    expect(empty.body.messages).toEqual([]);
    expect(performance.now() - began).toBeGreaterThan(5_900);

    const waiting = poll(POLL_SECONDS);
    await until(async () => (await post(alice, bob, 'wake up')).status === 200, 'a message to be stored');
    const { body } = await waiting;
    expect(body.messages.map(({ data }) => data)).toEqual(['wake up']);
    expect(performance.now() - began).toBeLessThan(12_000);
  });

  test('an event reaches the reader of a stream while the stream goes on', async () => {
    const [alice, bob] = [someone(), someone()];
    const stream = await openStream(`${balancer.url}/v1/stream?uid=${bob}`);
    for (const id of ['first', 'second']) {
      await post(alice, bob, id);
      await until(() => stream.text().includes(`"${id}"`), `the event "${id}"`, 2_000);
      expect(stream.isOver()).toBe(false);
    }
    stream.close();
  });

  test('a node that leaves takes nobody’s request with it', async () => {
    const [alice, bob] = [someone(), someone()];
    const lines = await Promise.all(Array.from({ length: 20 }, () => arrives(someone())));
    const leaving = town.node(1);
    const { node } = (await http<{ node: string }>(`${leaving.url}/readyz`)).body;
    const theirs = lines.filter((line) => nodeOf(line) === node);
    expect(theirs.length).toBeGreaterThan(0);

    const outcomes: string[] = [];
    let isOver = false;
    const worker = async (name: number) => {
      for (let n = 0; !isOver; n++) {
        const told = await post(alice, bob, `${name}-${n}`).catch((error: unknown) => ({ status: String(error) }));
        outcomes.push(String(told.status));
      }
    };
    const workers = [1, 2, 3].map(worker);
    const exit = leaving.kill('SIGTERM');
    for (const line of theirs) {
      await line.firstOf('reconnect');
      expect((await line.closed).code).toBe(1012);
      await (await arrives(someone())).close();
    }
    expect(await exit).toEqual({ code: 0, signal: null });
    const soFar = outcomes.length;
    await until(() => outcomes.length > soFar + 20, 'requests after the node is gone');
    isOver = true;
    await Promise.all(workers);
    expect(outcomes.filter((status) => status !== '200')).toEqual([]);
    await Promise.all(lines.filter((line) => line.isOpen).map((line) => line.close()));
  });

  test('whoever was on a node that was killed is back within a second', async () => {
    const [alice, bob] = [someone(), someone()];
    const lines = [await arrives(alice), await arrives(bob)];
    const states = town.living.map((node) => http<{ node: string }>(`${node.url}/readyz`));
    const names = (await Promise.all(states)).map(({ body }) => body.node);
    const killed = town.living[names.indexOf(String(nodeOf(lines[0]!)))]!;
    await killed.kill('SIGKILL');
    const began = performance.now();
    await lines[0]!.closed;
    lines[0] = await arrives(alice);
    expect(performance.now() - began).toBeLessThan(1_000);
    if (!lines[1]!.isOpen) lines[1] = await arrives(bob);
    expect(await lines[0]!.request({ receiver: bob, data: 'still here' })).toMatchObject({ type: 'sent' });
    await hears(lines[1]!, 'still here');
    await Promise.all(lines.map((line) => line.close()));
  });

  test('while Redis is away, sockets live on and nodes answer for themselves; afterwards all is as before', async () => {
    const [alice, bob] = [someone(), someone()];
    const line = await arrives(bob);
    await town.redis.kill();
    await until(
      async () => {
        const answers = await Promise.all(town.living.map(({ url }) => http(`${url}/readyz`)));
        return answers.every(({ status }) => status === 503);
      },
      'no node to be ready',
      15_000,
    );
    await until(() => balancer.seesNoneReady(), 'the load balancer to see it');

    const refused = await post(alice, bob, 'too early');
    expect([refused.status, refused.body.error?.code]).toEqual([503, 'unavailable']);
    expect((await http(`${balancer.url}/healthz`)).status).toBe(200);
    await line.settles();

    await town.redis.restart();
    await until(async () => (await post(alice, bob, 'now')).status === 200, 'sends to be taken again', 15_000);
    await hears(line, 'now');
    await line.close();
  });

  test('no query string is in what it wrote', () => {
    expect(balancer.printed).toMatch(/\/v1\/messages\b/);
    expect(balancer.printed).toMatch(/\/ws\b/);
    expect(balancer.printed).not.toMatch(/uid=|wait=|\?/);
  });
});

test.each(KINDS)('no timeout of $name is shorter than the longest poll', (kind) => {
  const timeouts = [
    ...kind.shipped.matchAll(/(?:timeout (?:client|server|tunnel)|proxy_(?:read|send)_timeout) (\d+)s/g),
  ];
  expect(timeouts.length).toBeGreaterThan(1);
  expect(timeouts.filter(([, seconds]) => Number(seconds) < POLL_SECONDS + 5)).toEqual([]);
});

/** A stream as it comes, byte for byte. */
async function openStream(url: string) {
  let text = '';
  let isOver = false;
  const asked = request(url).end();
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    asked.once('response', resolve);
    asked.once('error', reject);
  });
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => {
    text += chunk;
  });
  response.on('close', () => {
    isOver = true;
  });
  // Closing it from this side is an error of the response, and no finding.
  response.on('error', () => response.destroy());
  return { text: () => text, isOver: () => isOver, close: () => void asked.destroy() };
}
