import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type Connection, UpgradeRefused } from '../support/client.js';
import { inAnHour, token } from '../support/jwt.js';
import { until } from '../support/until.js';
import { House, SERVER_KEY } from './support.js';

const SECRET = 'a secret that is long enough for anybody, and then some';
const of = (sub: string): string => token({ sub, exp: inAnHour() }, SECRET);

let lastAddress = 0;
/** A client that no test had before; the tests' own address is the proxy. */
const newClient = (): { readonly 'x-forwarded-for': string } => ({ 'x-forwarded-for': `203.0.113.${++lastAddress}` });

const refusal = (work: Promise<unknown>): Promise<UpgradeRefused | undefined> =>
  work.then(
    () => undefined,
    (error: unknown) => (error instanceof UpgradeRefused ? error : Promise.reject(error)),
  );

describe.each(['uws', 'ws'])('one address on %s', (sockets) => {
  let house: House;
  const lines: Connection[] = [];

  beforeAll(async () => {
    house = await new House(() => ({
      SKEIN_SOCKETS: sockets,
      SKEIN_AUTH: 'jwt',
      SKEIN_JWT_SECRET: SECRET,
      SKEIN_TRUSTED_PROXIES: '127.0.0.1',
      SKEIN_ADDRESS_SOCKETS: '3',
      SKEIN_ADDRESS_LOGINS: '2',
    })).opens();
  });
  afterEach(async () => {
    for (const line of lines.splice(0)) await line.vanish();
  });
  afterAll(() => house?.closes());

  const opens = async (client: Record<string, string>, query: Record<string, string> = { token: of('ann') }) => {
    const line = await house.opensLine(query, client);
    lines.push(line);
    return line;
  };

  test('has three connections, the next is told to wait, and has a place when one has gone', async () => {
    const client = newClient();
    const first = await opens(client);
    for (let i = 0; i < 2; i++) await opens(client);
    const refused = await refusal(opens(client));
    expect(refused?.status).toBe(429);
    expect(JSON.parse(refused?.body ?? '')).toMatchObject({
      error: { code: 'rate_limited', retry: expect.any(Number) },
    });
    const answer = await house.asks('/v1/messages?wait=0', { token: of('bob'), headers: client });
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, expect.stringMatching(/^\d+$/)]);
    await opens(newClient());
    await first.vanish();
    await until(async () => (await refusal(opens(client))) === undefined, 'a place');
  });

  test('counts its streams and the polls that wait', async () => {
    const client = newClient();
    const ends = new AbortController();
    const asks = (path: string) => house.asks(path, { token: of('ann'), headers: client, signal: ends.signal });
    const open = [asks('/v1/stream'), asks('/v1/stream'), asks('/v1/messages?wait=60&device=d')];
    const all = Promise.allSettled(open);
    await until(async () => (await refusal(opens(client)))?.status === 429, 'all three to count');
    ends.abort();
    await all;
    await until(async () => (await refusal(opens(client))) === undefined, 'none to count');
  });

  test('logs in twenty times in a row, and then no more for a while', async () => {
    const client = newClient();
    let refused: UpgradeRefused | undefined;
    let let_in = 0;
    while (refused === undefined && let_in < 40) {
      refused = await refusal(opens(client).then((line) => line.vanish()));
      let_in++;
    }
    expect(let_in).toBeGreaterThanOrEqual(20);
    expect(let_in).toBeLessThan(40);
    expect(refused?.status).toBe(429);
    await opens(newClient());
  });

  test('may guess twice, over HTTP, by an upgrade, by a hello or at the server key; others log in meanwhile', async () => {
    const guesses = [
      async (client: Record<string, string>) =>
        (await house.asks('/v1/blocks', { token: 'guess', headers: client })).status,
      async (client: Record<string, string>) =>
        (await house.asks('/v1/server/stats', { token: `${SERVER_KEY}?`, headers: client })).status,
      async (client: Record<string, string>) => (await refusal(opens(client, { token: 'guess' })))?.status,
    ];
    for (const guess of guesses) {
      const client = newClient();
      const answers = [];
      for (let i = 0; i < 4; i++) answers.push(await guess(client));
      expect(answers).toEqual([401, 401, 429, 429]);
      expect((await house.asks('/v1/blocks', { token: of('ann'), headers: newClient() })).status).toBe(200);
    }
    const client = newClient();
    const codes = [];
    for (let i = 0; i < 4; i++) {
      const line = await opens(client, {});
      line.send({ type: 'hello', token: 'guess' });
      codes.push((await line.closed).code);
    }
    expect(codes).toEqual([4401, 4401, 4429, 4429]);
  });

  test('asks over HTTP as often as its user may, for good credentials are no log-in', async () => {
    const client = newClient();
    for (let i = 0; i < 60; i++) {
      expect((await house.asks('/v1/blocks', { token: of('ann'), headers: client })).status).toBe(200);
    }
  });

  test('is not another for saying so to the proxy', async () => {
    const { 'x-forwarded-for': own } = newClient();
    const as = (claimed: string) => house.asks('/v1/blocks', { token: '?', headers: { 'x-forwarded-for': claimed } });
    const answers = [];
    for (let i = 0; i < 4; i++) answers.push((await as(`198.51.100.${i}, ${own}`)).status);
    expect(answers).toEqual([401, 401, 429, 429]);
  });

  test('of IPv6 is its whole network', async () => {
    const answers = [];
    for (let i = 0; i < 4; i++) {
      const headers = { 'x-forwarded-for': `2001:db8:0:${sockets === 'uws' ? 1 : 2}::${i}` };
      answers.push((await house.asks('/v1/blocks', { token: '?', headers })).status);
    }
    expect(answers).toEqual([401, 401, 429, 429]);
  });
});

describe('without proxies', () => {
  const house = new House(() => ({ SKEIN_ADDRESS_SOCKETS: '1', SKEIN_ADDRESS_LOGINS: '1' }));
  beforeAll(() => house.opens());
  afterAll(() => house.closes());

  test('a private address has no limits, for it may be a proxy; and who forwards is told of once', async () => {
    for (let i = 0; i < 30; i++) await house.connects({ uid: `u${i}` });
    const asks = () => house.asks('/v1/blocks', { token: '?', headers: { 'x-forwarded-for': '203.0.113.1' } });
    for (let i = 0; i < 30; i++) expect((await asks()).status).toBe(401);
    expect(house.logged.filter((line) => line.includes('SKEIN_TRUSTED_PROXIES'))).toHaveLength(1);
  });
});
