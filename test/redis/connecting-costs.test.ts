/** What connecting asks of Redis, counted: a regression shows without a clock. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Backend } from '../../src/chat/ports.js';
import { DEFAULT_DEVICE, type Uid } from '../../src/protocol/index.js';
import { Place, user } from '../contract/town.js';
import { Recorder } from '../support/recorder.js';
import { RedisServer } from '../support/redis.js';
import { RedisNodes } from '../support/redis-node.js';

/** So many that what a heartbeat and the counting itself ask meanwhile makes no difference. */
const PEOPLE = 500;

let server: RedisServer;
let nodes: RedisNodes;
let node: Backend;
beforeAll(async () => {
  server = await RedisServer.start({ appendonly: 'no' });
  nodes = new RedisNodes(server);
  node = await nodes.node();
});
afterAll(async () => {
  await nodes.close();
  await server.stop();
});

type Work = {
  readonly commands: number;
  readonly scripts: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
};

async function workSoFar(): Promise<Work> {
  const [commands, stats] = await server.ask((client) =>
    Promise.all([client.info('commandstats'), client.info('stats')]),
  );
  const calls = [...commands.matchAll(/^cmdstat_(\w+):calls=(\d+)/gm)].filter(([, name]) => name !== 'info');
  const number = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(stats)?.[1]);
  return {
    commands: calls.reduce((sum, [, , count]) => sum + Number(count), 0),
    scripts: Number(calls.find(([, name]) => name === 'evalsha')?.[2] ?? 0),
    bytesIn: number('total_net_input_bytes'),
    bytesOut: number('total_net_output_bytes'),
  };
}

/** What something costs, each of so many. */
async function costOf(times: number, work: () => Promise<unknown>): Promise<Work> {
  const before = await workSoFar();
  await work();
  const after = await workSoFar();
  const each = (name: keyof Work) => (after[name] - before[name]) / times;
  return { commands: each('commands'), scripts: each('scripts'), bytesIn: each('bytesIn'), bytesOut: each('bytesOut') };
}

const everybody = (name: string): Uid[] => Array.from({ length: PEOPLE }, (_, i) => user(`${name}${i}`));
const arrive = (uid: Uid, conn: string) => node.devices.enter({ uid, device: DEFAULT_DEVICE }, conn);
const together = (people: readonly Uid[], work: (uid: Uid) => Promise<unknown>) => Promise.all(people.map(work));
async function oneByOne(people: readonly Uid[], work: (uid: Uid) => Promise<unknown>): Promise<void> {
  for (const uid of people) await work(uid);
}

test('who logs in among many, for the first time or again, takes a handful of commands and a few bytes', async () => {
  const crowd = everybody('crowd');
  const first = await costOf(PEOPLE, () => together(crowd, (uid) => arrive(uid, `${uid}-1`)));
  const again = await costOf(PEOPLE, () => together(crowd, (uid) => arrive(uid, `${uid}-2`)));
  expect(first.commands).toBeLessThan(9);
  expect(again.commands).toBeLessThan(5);
  for (const { scripts, bytesIn, bytesOut } of [first, again]) {
    expect(scripts).toBeLessThan(0.05);
    expect(bytesIn).toBeLessThan(45);
    expect(bytesOut).toBeLessThan(40);
  }
});

test('who logs in alone shares nothing, and takes one script all the same', async () => {
  const alone = everybody('alone');
  const first = await costOf(PEOPLE, () => oneByOne(alone, (uid) => arrive(uid, `${uid}-1`)));
  expect(first.commands).toBeLessThan(19);
  expect(first.scripts).toBeLessThan(1.1);
});

test('who leaves among many takes five commands', async () => {
  const crowd = everybody('leaver');
  await together(crowd, (uid) => arrive(uid, uid));
  const leaving = await costOf(PEOPLE, () => together(crowd, (uid) => node.devices.leave(uid, uid)));
  expect(leaving.commands).toBeLessThan(6);
  expect(leaving.scripts).toBeLessThan(0.05);
  const online = await node.presence.online(crowd);
  expect(online.filter((each) => each.online)).toEqual([]);
});

test('what waits for many is read by few scripts', async () => {
  const place = new Place(node, new Recorder());
  const crowd = everybody('reader');
  for (const uid of crowd) await place.says(user('writer'), { receiver: uid }, 'welcome back');
  const arrivals = await Promise.all(crowd.map((uid) => arrive(uid, uid)));
  const convs = arrivals.flatMap(({ pending }) => pending.map(({ conv, cursor }) => [conv, cursor] as const));
  expect(convs.length).toBe(PEOPLE);
  const reading = await costOf(PEOPLE, () =>
    Promise.all(convs.map(([conv, at]) => node.log.read(conv, at, 200, 4_096))),
  );
  expect(reading.commands).toBeLessThan(4);
  expect(reading.scripts).toBeLessThan(0.08);
});

test('that many have what waited for them is noted by few scripts, of nine commands each', async () => {
  const place = new Place(node, new Recorder());
  const crowd = everybody('taker');
  for (const uid of crowd) await place.says(user('giver'), { receiver: uid }, 'welcome back');
  const arrivals = await Promise.all(crowd.map((uid) => arrive(uid, uid)));
  const marks = arrivals.flatMap(({ pending }, i) =>
    pending.map(({ conv, head }) => ({ uid: crowd[i]!, device: DEFAULT_DEVICE, conv, delivered: head })),
  );
  const noting = await costOf(PEOPLE, () => node.devices.mark(marks));
  expect(noting.commands).toBeLessThan(9.5);
  expect(noting.scripts).toBeLessThan(0.05);
});

test('a broken key keeps out whom it belongs to, and nobody else', async () => {
  const [bad, ...others] = everybody('unlucky');
  await server.ask((client) => client.set(`${nodes.prefix}{p0}:devs:${bad}`, 'not a sorted set'));
  const outcomes = await Promise.allSettled([bad!, ...others].map((uid) => arrive(uid, uid)));
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', ...others.map(() => 'fulfilled')]);
  const online = await node.presence.online([bad!, ...others]);
  expect(online.map((each) => each.online)).toEqual([false, ...others.map(() => true)]);
  const left = await Promise.allSettled(others.map((uid) => node.devices.leave(uid, uid)));
  expect(left.every(({ status }) => status === 'fulfilled')).toBe(true);
});
