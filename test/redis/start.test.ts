import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseAddress } from '../../src/redis/address.js';
import { keysOf, rootOf } from '../../src/redis/keys.js';
import { Recorder } from '../support/recorder.js';
import { RedisServer, type RedisSettings } from '../support/redis.js';
import { Notes, RedisNodes } from '../support/redis-node.js';

describe('the URL', () => {
  test('of one Redis gives host, port, database and login', () => {
    expect(parseAddress('redis://localhost')).toEqual({
      options: { host: 'localhost', port: 6379, db: 0 },
      shown: 'localhost:6379',
    });
    expect(parseAddress('redis://me:p%40ss@[::1]:7000/3').options).toEqual({
      host: '::1',
      port: 7000,
      db: 3,
      username: 'me',
      password: 'p@ss',
    });
    expect(parseAddress('redis://:secret@db').options).toMatchObject({ password: 'secret' });
    expect(parseAddress('redis://:secret@db').options.username).toBeUndefined();
  });

  test('of TLS asks for the certificate of that host', () => {
    expect(parseAddress('rediss://db.example:6380').options).toMatchObject({ tls: { servername: 'db.example' } });
  });

  test('of Sentinel names the sentinels and the primary', () => {
    expect(parseAddress('redis+sentinel://:pw@one:26380,two/mymaster/2').options).toEqual({
      sentinels: [
        { host: 'one', port: 26380 },
        { host: 'two', port: 26379 },
      ],
      name: 'mymaster',
      db: 2,
      password: 'pw',
    });
  });

  test('that means nothing is refused with the reason, and never shown with its password', () => {
    expect(() => parseAddress('http://localhost')).toThrow(/begins with http:\/\//);
    expect(() => parseAddress('redis+cluster://a,b')).toThrow(/redis\+cluster/);
    expect(() => parseAddress('redis+sentinel://a,b')).toThrow(/name of the primary/);
    expect(() => parseAddress('redis://a/b')).toThrow(/not a database/);
    expect(() => parseAddress('redis://a:b:c')).toThrow(/not a host/);
    expect(() => parseAddress('localhost')).toThrow(/form/);
    expect(parseAddress('redis://:secret@db').shown).not.toContain('secret');
  });
});

describe('at its start, a node', () => {
  let server: RedisServer | undefined;
  let nodes: RedisNodes | undefined;
  beforeEach(() => {
    server = undefined;
    nodes = undefined;
  });
  afterEach(async () => {
    await nodes?.close();
    await server?.stop();
  });

  async function on(settings: RedisSettings, options: ConstructorParameters<typeof RedisNodes>[1] = {}) {
    server = await RedisServer.start(settings);
    nodes = new RedisNodes(server, options);
    return nodes;
  }

  test('is fit, without a word, where Redis writes everything down', async () => {
    const here = await on({});
    const notes = new Notes();
    const node = await here.node(new Recorder(), notes);
    expect(node.health()).toMatchObject({ ready: true, reasons: [] });
    expect(notes.said).toEqual([]);
  });

  test('refuses a Redis that may evict messages, unless it is told to take it', async () => {
    const evicting = { more: { 'maxmemory-policy': 'allkeys-lru' } };
    const here = await on(evicting);
    await expect(here.node()).rejects.toThrow(/maxmemory-policy is allkeys-lru/);
    const bold = new RedisNodes(here.server, { allowWeak: true });
    const node = await bold.node();
    expect(node.health().ready).toBe(true);
    expect(node.health().reasons.join()).toMatch(/weak: maxmemory-policy/);
    await bold.close();
  });

  test.each([
    [{ appendonly: 'no' }, /weak: appendonly is no/],
    [{ appendfsync: 'everysec' }, /weak: appendfsync is everysec/],
  ] as const)('says that %j is weak, and serves', async (settings, reason) => {
    const here = await on(settings);
    const notes = new Notes();
    const node = await here.node(new Recorder(), notes);
    expect(node.health().ready).toBe(true);
    expect(node.health().reasons.join()).toMatch(reason);
    expect(notes.said.join()).toMatch(reason);
  });

  test('does not mind a Redis that may forget a second where that is fast enough', async () => {
    nodes = new RedisNodes((await on({ appendfsync: 'everysec' })).server, { durability: 'fast' });
    expect((await nodes.node()).health().reasons).toEqual([]);
  });

  test('warns where it may not see the settings', async () => {
    const here = await on({});
    await here.server.ask((client) =>
      client.call('ACL', 'SETUSER', 'chat', 'on', '>pw', '~*', '&*', '+@all', '-config', '-acl'),
    );
    const notes = new Notes();
    const node = here.make(notes, `redis://chat:pw@127.0.0.1:${here.server.port}`);
    await node.start('limited', new Recorder());
    expect(node.health()).toMatchObject({ ready: true });
    expect(notes.said.join()).toMatch(/CONFIG is forbidden/);
    await node.close();
  });

  test('refuses data of a version that it does not know', async () => {
    const here = await on({});
    await here.server.ask((client) => client.set(keysOf(rootOf(here.prefix)).schema(), '99'));
    await expect(here.node()).rejects.toThrow(/schema 99/);
  });

  test('refuses wrong credentials at once', async () => {
    const here = await on({ more: { requirepass: '' } });
    const node = here.make(new Notes(), `redis://nobody:wrong@127.0.0.1:${here.server.port}`);
    await expect(node.start('stranger', new Recorder())).rejects.toThrow(/WRONGPASS/);
  });

  test('says where it found no Redis, and why', async () => {
    const here = await on({}, { startMs: 300 });
    await here.server.kill();
    await expect(here.node()).rejects.toThrow(
      `cannot use Redis at 127.0.0.1:${here.server.port}: connect ECONNREFUSED`,
    );
  });

  test('waits for a Redis that is just starting', async () => {
    const here = await on({});
    await here.server.kill();
    const starting = here.node();
    await here.server.restart();
    expect((await starting).health().ready).toBe(true);
  });
});

test('a full Redis that was in use before takes a node that starts: somebody must be there to drain it', async () => {
  const server = await RedisServer.start();
  const nodes = new RedisNodes(server);
  try {
    const secret = await (await nodes.node()).secret();
    await server.ask((client) => client.config('SET', 'maxmemory', '1'));
    const newcomer = await nodes.node();
    expect(await newcomer.secret()).toBe(secret);
  } finally {
    await nodes.close();
    await server.stop();
  }
});
