import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Letter } from '../../src/chat/ports.js';
import { dmOf, type Uid } from '../../src/protocol/index.js';
import { keysOf, rootOf } from '../../src/redis/keys.js';
import { letter, Place, to, user } from '../contract/town.js';
import { Recorder } from '../support/recorder.js';
import { RedisServer } from '../support/redis.js';
import { RedisNodes } from '../support/redis-node.js';
import { until } from '../support/until.js';

/** What a message costs, counted instead of timed: a regression shows on any machine. */

/** One script call: what it was given, and the commands that it ran in turn. */
type Work = { readonly given: readonly string[]; readonly commands: string[][] };

const PAIRS = 32;
const DATA = 'x'.repeat(100);
/** Lua gives a box its score once a second and conversation: when that is due is a matter of time. */
const TIMED = 'zadd';

let server: RedisServer;
let nodes: RedisNodes;
let here: Place;
let monitor: Redis;
let calls: Work[];
beforeAll(async () => {
  server = await RedisServer.start({ appendonly: 'no' });
});
beforeEach(async () => {
  nodes = new RedisNodes(server);
  here = new Place(await nodes.node(), new Recorder());
  const there = new Place(await nodes.node(), new Recorder());
  for (let i = 0; i < PAIRS; i++) {
    await here.arrives(left(i));
    await there.arrives(right(i));
  }
  await here.node.log.append(everybody());
  monitor = await new Redis(server.port, '127.0.0.1').monitor();
  calls = [];
  monitor.on('monitor', (_time: string, args: string[], source: string) => {
    if (source !== 'lua') calls.push({ given: args, commands: [] });
    else calls.at(-1)?.commands.push(args.map((arg, i) => (i === 0 ? arg.toLowerCase() : arg)));
  });
  return async () => {
    monitor.disconnect();
    await nodes.close();
  };
});
afterAll(() => server.stop());

const left = (i: number): Uid => user(`left${i}`);
const right = (i: number): Uid => user(`right${i}`);
let sent = 0;
const fromLeft = (i: number): Letter => letter(left(i), to(right(i)), DATA, `id-${sent++}`);
const everybody = (): Letter[] => Array.from({ length: PAIRS }, (_, i) => fromLeft(i));

/** The call that stored these letters, once the monitor has seen all of it. */
async function workOf(letters: readonly Letter[]): Promise<Work> {
  await here.node.log.append(letters);
  const marker = `seen-${sent}`;
  await server.ask((client) => client.echo(marker));
  await until(() => calls.some(({ given }) => given.includes(marker)), 'the monitor to have seen it');
  const tail = letters[0]?.tail ?? '';
  return calls.find(({ given }) => given.includes(tail)) as Work;
}

const namesOf = ({ commands }: Work): readonly string[] =>
  commands.map(([name = '']) => name).filter((name) => name !== TIMED);
const bytesOf = (args: readonly string[]): number => args.reduce((sum, arg) => sum + Buffer.byteLength(arg), 0);

describe('a direct message to somebody on another node', () => {
  test('is nine commands in one script when it comes alone, and no key of its own', async () => {
    const keys = await server.ask((client) => client.dbsize());
    const work = await workOf([fromLeft(0)]);
    const lookUp = ['time', 'mget', 'hmget', 'hmget'];
    expect(namesOf(work)).toEqual([...lookUp, 'rpush', 'set', 'hset', 'incr', 'publish']);
    expect(await server.ask((client) => client.dbsize())).toBe(keys);
  });

  test('is two commands in a batch of many conversations, beside seven of the batch', async () => {
    expect(namesOf(await workOf(everybody()))).toHaveLength(2 * PAIRS + 7);
  });

  test('is none in a batch of one conversation, beside nine of the batch', async () => {
    const work = await workOf(Array.from({ length: PAIRS }, () => fromLeft(0)));
    expect(namesOf(work)).toHaveLength(9);
  });

  test('goes to Redis in ten arguments, of a batch in four, with little beside what was written', async () => {
    const one = fromLeft(0);
    const { given } = await workOf([one]);
    expect(given).toHaveLength(10);
    const name = Buffer.byteLength(dmOf(left(0), right(0)));
    expect(bytesOf(given) - bytesOf([one.tail, one.id ?? ''])).toBeLessThan(80 + name);
    expect((await workOf(everybody())).given).toHaveLength(6 + 4 * PAIRS);
  });

  test('is hinted as it is stored, in one payload a batch', async () => {
    const { commands } = await workOf(everybody());
    const stored = commands.filter(([name]) => name === 'rpush').map(([, , item = '']) => item);
    const hinted = commands.filter(([name]) => name === 'publish').map(([, , payload = '']) => payload);
    expect(hinted).toHaveLength(1);
    // MONITOR shows a line's end as two characters.
    expect(hinted[0]?.split('\\n').slice(1)).toEqual(stored);
  });

  test('takes less than 250 bytes of Redis beside its text, in its log and among the ids', async () => {
    const keys = keysOf(rootOf(nodes.prefix));
    const memory = async () => {
      const logs = Array.from({ length: PAIRS }, (_, i) => keys.log(dmOf(left(i), right(i))));
      const names = [...logs, ...(await server.ask((client) => client.keys(keys.ids('*'))))];
      const sizes = await server.ask((client) =>
        Promise.all(names.map((name) => client.memory('USAGE', name, 'SAMPLES', 0))),
      );
      return sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
    };
    const rounds = 60;
    for (let i = 0; i < 10; i++) await here.node.log.append(everybody());
    const before = await memory();
    for (let i = 0; i < rounds; i++) await here.node.log.append(everybody());
    const each = ((await memory()) - before) / (rounds * PAIRS);
    expect(each - Buffer.byteLength(fromLeft(0).tail)).toBeLessThan(250);
  });

  test('that is repeated is looked up and hinted, and written nowhere', async () => {
    const one = fromLeft(0);
    await here.node.log.append([one]);
    const keys = keysOf(rootOf(nodes.prefix));
    const ids = await server.ask((client) => client.keys(keys.ids('*')));
    calls = [];
    const { commands } = await workOf([one]);
    const written = commands.filter(([, key = '']) => key === keys.log(one.conv) || ids.includes(key));
    expect(written.map(([name]) => name).sort()).toEqual(['hmget', 'lindex', 'llen']);
  });
});
