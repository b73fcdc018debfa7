import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { seqOf } from '../../src/chat/item.js';
import { type Backend, Unavailable } from '../../src/chat/ports.js';
import { ALL } from '../../src/protocol/index.js';
import { keysOf, rootOf } from '../../src/redis/keys.js';
import { A, AB, B, C, EVERYBODY, letter, Place, ROOM, stored, textOf, to } from '../contract/town.js';
import { Recorder } from '../support/recorder.js';
import { RedisServer } from '../support/redis.js';
import { Notes, RedisNodes } from '../support/redis-node.js';
import { until } from '../support/until.js';

let server: RedisServer;
let nodes: RedisNodes;
beforeEach(async () => {
  server = await RedisServer.start();
  nodes = new RedisNodes(server);
});
afterEach(async () => {
  server.thaw();
  await nodes.close();
  await server.stop();
});

async function place(notes = new Notes()): Promise<Place> {
  const heard = new Recorder();
  return new Place(await nodes.node(heard, notes), heard);
}

/** Sends until it is stored, as a client does. */
async function saysInTheEnd(here: Place, text: string, id: string) {
  const attempt = () => here.tries(A, to(B), text, id).catch(unlessUnavailable);
  return stored(await until(attempt, `"${text}" to be stored`, 10_000));
}

function unlessUnavailable(error: unknown): undefined {
  if (!(error instanceof Unavailable)) throw error;
}

const isReady = (node: Backend) => until(() => node.health().ready, 'the node to be ready', 10_000);

describe('when Redis is killed and comes back', () => {
  test('half a script that it left in its file never comes to life', async () => {
    const here = await place();
    await saysInTheEnd(here, 'before', '1');
    await server.kill();
    server.leaves('*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$4\r\nhalf\r\n$1\r\n1\r\n*3\r\n$3\r\nSE');
    await server.restart();
    const isRewritten = async () =>
      /aof_last_rewrite_time_sec:\d/.test(await server.ask((client) => client.info('persistence')));
    await until(isRewritten, 'the file to be written anew', 10_000);
    await saysInTheEnd(here, 'after', '2');
    await server.kill();
    await server.restart();
    expect(await server.ask((client) => client.get('half'))).toBeNull();
    const items = await until(() => here.items(AB).catch(unlessUnavailable), 'the log', 10_000);
    expect(items.map(textOf)).toEqual(['before', 'after']);
  });

  test('everything that was stored is there, once, and in order; what comes then is a new run with higher numbers', async () => {
    const here = await place();
    const seqs: number[] = [];
    for (let round = 0; round < 3; round++) {
      const ids = Array.from({ length: 20 }, (_, i) => `${round}.${i}`);
      const sending = ids.reduce<Promise<unknown>>(
        (before, id) => before.then(async () => seqs.push((await saysInTheEnd(here, id, id)).seq)),
        Promise.resolve(),
      );
      await until(() => seqs.length > round * 20 + 3, 'some to be stored');
      await server.kill();
      await server.restart();
      await sending;
    }
    const items = await until(() => here.items(AB).catch(unlessUnavailable), 'the log');
    expect(items.map(textOf)).toEqual(
      [0, 1, 2].flatMap((round) => Array.from({ length: 20 }, (_, i) => `${round}.${i}`)),
    );
    expect(items.map(seqOf)).toEqual(seqs);
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
    const gaps = seqs.filter((seq, i) => i > 0 && seq !== (seqs[i - 1] as number) + 1);
    expect(gaps.length).toBeGreaterThanOrEqual(1);
    expect(gaps.length).toBeLessThanOrEqual(3);
  });

  test('reading goes on across runs, from any place', async () => {
    const here = await place();
    const seqs: number[] = [];
    for (let run = 0; run < 3; run++) {
      for (let i = 0; i < 5; i++) seqs.push((await saysInTheEnd(here, `${run}.${i}`, `${run}.${i}`)).seq);
      await server.kill();
      await server.restart();
      await until(() => here.items(AB).catch(unlessUnavailable), 'the log');
    }
    for (const [i, seq] of seqs.entries()) {
      const { items } = await here.node.log.read(AB, seq, 100, 1e6);
      expect(items.map(seqOf)).toEqual(seqs.slice(i + 1));
      const page = await here.node.log.page(AB, { before: seq, limit: 3, bytes: 1e6, floor: 0 });
      expect(page.items.map(seqOf)).toEqual(seqs.slice(Math.max(0, i - 3), i));
      const between = await here.node.log.read(AB, seq - 1, 1, 1);
      expect(between.items.map(seqOf)).toEqual([seq]);
    }
    await here.arrives(B);
    await here.acks(B, AB, seqs[7] as number);
    expect(await here.pendingFor(B)).toEqual(new Map([[AB, seqs[7]]]));
  });

  test('nothing hangs meanwhile: sends are refused at once, and the node says why it is not ready', async () => {
    const here = await place();
    await here.says(A, to(B), 'before');
    await server.kill();
    await until(() => !here.node.health().ready, 'the node to notice');
    const begun = performance.now();
    await expect(here.says(A, to(B), 'meanwhile')).rejects.toBeInstanceOf(Unavailable);
    await expect(here.arrives(B)).rejects.toBeInstanceOf(Unavailable);
    await expect(here.node.follow(AB)).rejects.toBeInstanceOf(Unavailable);
    expect(performance.now() - begun).toBeLessThan(2_000);
    expect(here.node.health().reasons.join()).toMatch(/not connected/);
    await server.restart();
    await isReady(here.node);
    await here.says(A, to(B), 'after');
    expect(await here.texts(AB)).toEqual(['before', 'after']);
  });

  test('the node is told to put its users back, and that hints may be missing', async () => {
    const here = await place();
    const { ts } = await here.arrives(B);
    await server.kill();
    await server.restart();
    await here.heard.until(({ returns, lost }) => returns > 0 && lost.length > 0, 'return and loss');
    expect(here.heard.lost[0]).toBeLessThanOrEqual(ts);
    expect(here.heard.lost[0]).toBeGreaterThan(ts - 60_000);
    await isReady(here.node);
    const [bob] = await here.node.presence.online([B]);
    expect(bob?.online).toBe(true);
  });
});

describe('when Redis hangs', () => {
  test('a send is refused within two seconds, those after it at once, and none of them overtakes a later one', async () => {
    const here = await place();
    await here.says(A, to(B), 'before');
    server.freeze();
    const begun = performance.now();
    await expect(here.says(A, to(B), 'hung', 'hung')).rejects.toBeInstanceOf(Unavailable);
    expect(performance.now() - begun).toBeLessThan(2_000);
    const then = performance.now();
    await expect(here.says(A, to(B), 'at once', 'at once')).rejects.toBeInstanceOf(Unavailable);
    expect(performance.now() - then).toBeLessThan(100);
    server.thaw();
    const hung = await saysInTheEnd(here, 'hung', 'hung');
    const after = await saysInTheEnd(here, 'after', 'after');
    expect(after.seq).toBe(hung.seq + 1);
    expect(await here.texts(AB)).toEqual(['before', 'hung', 'after']);
  });
});

describe('when pub/sub is cut', () => {
  test('the node subscribes again, and says from when on hints may be missing', async () => {
    const [here, there] = [await place(), await place()];
    const { ts } = await there.arrives(B);
    await server.ask((client) => client.call('CLIENT', 'KILL', 'TYPE', 'pubsub'));
    await there.heard.until(({ lost }) => lost.length > 0, 'the loss');
    expect(there.heard.lost[0]).toBeLessThanOrEqual(ts);
    await here.says(A, to(B), 'hello');
    await there.heard.until(({ direct }) => direct.length > 0, 'the hint');
    expect(there.heard.returns).toBe(0);
  });

  test('a feed is followed again', async () => {
    const here = await place();
    await here.node.follow(ALL);
    await server.ask((client) => client.call('CLIENT', 'KILL', 'TYPE', 'pubsub'));
    await here.heard.until(({ lost }) => lost.length > 0, 'the loss');
    await here.says(A, EVERYBODY, 'to all');
    await here.heard.until(({ feeds }) => feeds.length > 0, 'the entry');
  });

  test('a payload that never came is noticed by its number', async () => {
    const here = await place();
    await here.arrives(B);
    const keys = keysOf(rootOf(nodes.prefix));
    await server.ask((client) => client.incr(keys.cnt('node-1')));
    await here.heard.until(({ lost }) => lost.length > 0, 'the loss');
    expect(here.heard.lost).toHaveLength(1);
  });

  test('an entry of a feed that never came is hinted late, within five seconds', async () => {
    const notes = new Notes();
    const here = await place(notes);
    await here.says(A, EVERYBODY, 'one');
    await here.node.follow(ALL);
    const looks = () => notes.observed.get('skein_redis_command_seconds heads') ?? 0;
    await until(() => looks() >= 1, 'the feed to be looked at');
    // Another store's feed takes the place of this one's, without a word to anybody.
    const other = new RedisNodes(server);
    onTestFinished(() => other.close());
    const elsewhere = new Place(await other.node(), new Recorder());
    await elsewhere.says(C, EVERYBODY, 'two');
    const [mine, theirs] = [keysOf(rootOf(nodes.prefix)), keysOf(rootOf(other.prefix))];
    await server.ask(async (client) => {
      for (const kind of ['log', 'head'] as const) await client.copy(theirs[kind](ALL), mine[kind](ALL), 'REPLACE');
    });
    await here.heard.until(({ feeds }) => feeds.length > 0, 'the late hint');
    expect(here.heard.feeds.map(({ item, ref }) => [textOf(item), ref])).toEqual([['two', 0]]);
  });
});

describe('when the script cache is flushed', () => {
  test('nothing is lost, doubled or reordered', async () => {
    const here = await place();
    for (let i = 0; i < 20; i++) {
      if (i % 4 === 1) await server.ask((client) => client.script('FLUSH'));
      await here.says(A, to(B), `${i}`);
    }
    expect(await here.texts(AB)).toEqual(Array.from({ length: 20 }, (_, i) => `${i}`));
  });
});

describe('when a key is broken', () => {
  test('its neighbours in a batch are stored, and it can be sent again when it is whole', async () => {
    const here = await place();
    const keys = keysOf(rootOf(nodes.prefix));
    await server.ask((client) => client.set(keys.log(AB), 'not a list'));
    const outcomes = await here.node.log.append([
      letter(A, to(C), 'before', '1'),
      letter(A, to(B), 'broken', '2'),
      letter(A, to(C), 'between', '3'),
      letter(A, to(B), 'broken too', '4'),
    ]);
    expect(outcomes.map((outcome) => ('refused' in outcome ? outcome.refused : outcome.dup))).toEqual([
      false,
      'internal',
      false,
      'internal',
    ]);
    expect(await here.node.log.heads([AB])).toEqual([0]);
    await server.ask((client) => client.del(keys.log(AB)));
    expect(await here.says(A, to(B), 'broken', '2')).toMatchObject({ dup: false, first: true });
    expect(await here.texts(AB)).toEqual(['broken']);
  });
});

describe('when memory is full', () => {
  test('sends and room changes are refused, while logging in, reading and acknowledging go on', async () => {
    const here = await place();
    const { seq } = await here.says(A, to(B), 'before');
    await server.ask((client) => client.config('SET', 'maxmemory', '1mb'));
    await expect(here.says(A, to(B), 'too much', 'x')).rejects.toBeInstanceOf(Unavailable);
    await expect(here.joins(A, ROOM)).rejects.toBeInstanceOf(Unavailable);
    expect((await here.arrives(B)).pending).toEqual([{ conv: AB, cursor: 0, head: seq }]);
    expect(await here.texts(AB)).toEqual(['before']);
    expect(await here.acks(B, AB, seq)).toMatchObject({ receipt: { delivered: seq } });
    expect(await here.pendingFor(B)).toEqual(new Map());
    expect(here.node.health().ready).toBe(true);
    await server.ask((client) => client.config('SET', 'maxmemory', '0'));
    expect(await here.says(A, to(B), 'now', 'x')).toMatchObject({ dup: false, seq: seq + 1 });
  });
});
