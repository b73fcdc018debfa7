import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { TcpProxy } from '../../loadtest/chaos/tcp-proxy.js';
import { Unavailable } from '../../src/chat/ports.js';
import type { RedisBackendOptions } from '../../src/redis/backend.js';
import { A, AB, B, inRoom, letter, Place, ROOM, seqsOf, to } from '../contract/town.js';
import { Failover } from '../support/failover.js';
import { Recorder } from '../support/recorder.js';
import { Notes, RedisNodes } from '../support/redis-node.js';
import { until } from '../support/until.js';

let pair: Failover;
beforeEach(async () => {
  pair = await Failover.ready();
});
afterEach(() => pair.closes());

async function strictNode(options: Partial<RedisBackendOptions> = {}, url = pair.store.url): Promise<Place> {
  const nodes = new RedisNodes(pair.primary, { prefix: 'strict', url, durability: 'strict', ...options });
  onTestFinished(() => nodes.close());
  const heard = new Recorder();
  return new Place(await nodes.node(heard, new Notes()), heard);
}

/** What a repetition of the second message is answered, if the node is connected. */
async function answer(place: Place): Promise<string | undefined> {
  const outcome = await place.says(A, to(B), 'second', '2').catch((error: Error) => error);
  if (!(outcome instanceof Error)) return 'stored';
  return /Redis is away|closed/.test(outcome.message) ? undefined : outcome.message;
}

const again = <T>(work: () => Promise<T>): Promise<T | undefined> =>
  work().catch((error: unknown) => {
    if (error instanceof Unavailable) return undefined;
    throw error;
  });

test('what a replica has counts as stored; what none has is refused, and stored once when it is repeated', async () => {
  const here = await strictNode();
  await here.founds(ROOM, A, [B]);
  const first = await here.says(A, to(B), 'first', '1');
  pair.cuts();
  const began = performance.now();
  await expect(here.says(A, to(B), 'second', '2')).rejects.toThrow(Unavailable);
  await expect(here.quits(B, ROOM)).rejects.toThrow(Unavailable);
  expect(performance.now() - began).toBeLessThan(4_000);
  // A repetition stores nothing, so on a connection of its own it must not pass for what a replica has.
  pair.store.cuts();
  const answered = await until(() => answer(here), 'the node to be connected again', 10_000);
  expect(answered).toMatch(/no replica/);
  pair.heals();
  const second = await until(() => again(() => here.says(A, to(B), 'second', '2')), 'a replica', 20_000);
  expect(second).toMatchObject({ seq: first.seq + 1, dup: true });
  expect(await here.texts(AB)).toEqual(['first', 'second']);
});

test('after SCRIPT FLUSH a replica is still asked', async () => {
  const here = await strictNode();
  pair.cuts();
  await pair.primary.ask((client) => client.script('FLUSH'));
  await expect(here.says(A, to(B), 'first', '1')).rejects.toThrow(Unavailable);
});

test('a primary that is told to refuse without replicas does, and nothing is stored', async () => {
  const here = await strictNode();
  await here.says(A, to(B), 'first');
  await pair.primary.ask((client) => client.config('SET', 'min-replicas-to-write', '1'));
  await pair.primary.ask((client) => client.config('SET', 'min-replicas-max-lag', '1'));
  pair.cuts();
  const refused = async () => {
    const outcome = await here.node.log.append([letter(A, to(B), 'second')]).catch((error: unknown) => error);
    return outcome instanceof Unavailable && outcome.message.includes('NOREPLICAS');
  };
  await until(refused, 'a refusal', 20_000);
  await expect(here.tries(A, inRoom(ROOM), 'x')).rejects.toThrow(Unavailable);
});

test('a partition: what the old primary confirmed is on the new one, and what it stored alone was never confirmed', async () => {
  const here = await strictNode();
  const confirmed: string[] = [];
  const says = async (place: Place, text: string) => {
    const outcome = await again(() => place.says(A, to(B), text, text));
    if (outcome !== undefined) confirmed.push(text);
    return outcome;
  };
  for (let n = 0; n < 20; n++) await says(here, `before ${n}`);
  // The node and the old primary on one side, the replica and another node on the other.
  pair.cuts();
  const alone = [says(here, 'alone 0'), says(here, 'alone 1')];
  await pair.replica.ask((client) => client.call('REPLICAOF', 'NO', 'ONE'));
  const proxy = await TcpProxy.to(pair.replica.port);
  onTestFinished(() => proxy.closes());
  await pair.enlists(pair.replica);
  const there = await strictNode({}, proxy.url);
  await until(() => says(there, 'there 0'), 'the other side to serve', 20_000);
  await Promise.all(alone);
  expect(confirmed).not.toContain('alone 0');
  await pair.fails();
  await until(() => says(here, 'after'), 'the node to be on the other side', 20_000);
  const texts = await until(() => again(() => there.texts(AB)), 'the log', 20_000);
  expect(confirmed.filter((text) => !texts.includes(text))).toEqual([]);
  expect(new Set(texts).size).toBe(texts.length);
  const seqs = seqsOf(await there.items(AB));
  expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
});
