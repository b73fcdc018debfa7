import { readdirSync, readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Conv } from '../../src/protocol/index.js';
import { KEYS, keysOf, rootOf } from '../../src/redis/keys.js';
import { withKeys } from '../../src/redis/lua.js';
import { SCRIPTS } from '../../src/redis/scripts.js';
import { A, AB, B, C, EVERYBODY, inRoom, LOUNGE, letter, Place, ROOM, to } from '../contract/town.js';
import { Recorder } from '../support/recorder.js';
import { RedisServer } from '../support/redis.js';
import { RedisNodes } from '../support/redis-node.js';
import { until } from '../support/until.js';

let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start({ appendonly: 'no' });
});
afterAll(() => server.stop());

describe('keys', () => {
  test('are the same in Lua as in TypeScript', async () => {
    const root = rootOf('x');
    const keys = keysOf(root) as unknown as Record<string, (...names: string[]) => string>;
    const kinds = Object.entries(KEYS);
    const calls = kinds.map(([kind, names]) => `K_${kind}(${names.map((name) => `'the ${name}'`).join(', ')})`);
    const lua = `return { ${calls.join(', ')} }`;
    const inLua = await server.ask((client) => client.eval(withKeys(lua), 1, root));
    expect(inLua).toEqual(kinds.map(([kind, names]) => keys[kind]?.(...names.map((name) => `the ${name}`))));
  });

  test('and channels all carry the tag of the partition, whatever a node does', async () => {
    const nodes = new RedisNodes(server);
    const commands: string[][] = [];
    const monitor = await new Redis(server.port, '127.0.0.1').monitor();
    monitor.on('monitor', (_time, args: string[]) => commands.push(args));
    const heard = new Recorder();
    const here = new Place(await nodes.node(heard), heard);
    const there = new Place(await nodes.node(), new Recorder());
    await aDay(here, there);
    await nodes.close();
    await until(() => commands.some(([name]) => name?.toLowerCase() === 'hset'), 'the commands of a script');
    monitor.disconnect();
    const tagged = `${rootOf(nodes.prefix)}:`;
    const untagged = commands.filter((args) => keysOfCommand(args).some((key) => !key.startsWith(tagged)));
    expect(untagged).toEqual([]);
  });

  test('are never made in a script but by the table', () => {
    for (const [file, text] of luaFiles()) {
      expect(text.replace(/^\s*--.*$/gm, ''), file).not.toMatch(/KEYS\[/);
    }
  });
});

describe('scripts', () => {
  test('begin with what they do, KEYS, ARGV and REPLY, and each has its name in the table', () => {
    const scripts = luaFiles().filter(([file]) => !file.startsWith('lib/'));
    expect(scripts.map(([file]) => file.replace('.lua', '')).sort()).toEqual([...SCRIPTS].sort());
    for (const [file, text] of scripts) {
      expect(text, file).toMatch(
        /^#!lua[^\n]*\n-- [A-Z][^\n]+\n(-- [^\n]*\n)*-- KEYS: 1 root\n-- ARGV: [^\n]+\n(-- {7}[^\n]+\n)*-- REPLY: /,
      );
    }
  });

  test('that store messages are refused when memory is full, and no others', () => {
    const refused = luaFiles()
      .filter(([file, text]) => !file.startsWith('lib/') && !text.startsWith('#!lua flags='))
      .map(([file]) => file);
    expect(refused.sort()).toEqual(['amend.lua', 'append.lua', 'change.lua']);
  });
});

/** A bit of everything. */
async function aDay(here: Place, there: Place): Promise<void> {
  await there.arrives(B, undefined, 'bob');
  await here.arrives(A);
  await here.founds(ROOM, A, [B]);
  await there.node.follow(LOUNGE);
  await here.node.log.append([
    letter(A, to(B), 'to Bob', 'it’s {braced}: an id'),
    letter(A, to(C), 'to a stranger', '2'),
    letter(A, inRoom(ROOM), 'to the room', '3'),
    letter(A, EVERYBODY, 'to all', '4'),
  ]);
  const { seq } = await here.says(B, to(A), 'back', '5');
  await here.says(B, to(A), 'back', '5');
  await there.acks(B, AB, seq);
  await there.hasRead(B, LOUNGE, await here.joins(C, ROOM));
  await there.pendingFor(B);
  await there.node.log.page('all' as Conv, { limit: 1, bytes: 1, floor: 0 });
  const poll = await there.node.devices.savePoll({ uid: B, device: 'd' as never }, [[AB, seq]]);
  await there.node.devices.openPoll({ uid: B, device: 'd' as never }, poll);
  await here.node.presence.online([A, B, C]);
  await here.node.rooms.facts(ROOM, [A]);
  await here.node.rooms.members(ROOM, undefined, 10);
  await here.node.rooms.heir(ROOM, A);
  await here.quits(C, ROOM);
  await here.node.whispers.toUsers([B], '{}');
  await here.node.whispers.toRoom(LOUNGE, A, '{}');
  await here.node.secret();
  await there.node.devices.assert([{ uid: B, conn: 'bob' }]);
  there.node.unfollow(LOUNGE);
  await there.leaves(B, 'bob');
}

const KEYLESS = new Set([
  'script',
  'info',
  'config',
  'client',
  'time',
  'multi',
  'exec',
  'hello',
  'auth',
  'select',
  'ping',
]);

/** The keys and channels of a command as MONITOR shows it. */
function keysOfCommand([name = '', ...args]: readonly string[]): readonly string[] {
  const command = name.toLowerCase();
  if (KEYLESS.has(command)) return [];
  if (command === 'evalsha') return [`${args[2]}:`];
  if (['mget', 'del', 'subscribe', 'unsubscribe'].includes(command)) return args;
  return args.slice(0, 1);
}

function luaFiles(): [string, string][] {
  const dir = new URL('../../src/redis/lua/', import.meta.url);
  return readdirSync(dir, { recursive: true })
    .map(String)
    .filter((file) => file.endsWith('.lua'))
    .map((file) => [file, readFileSync(new URL(file, dir), 'utf8')]);
}
