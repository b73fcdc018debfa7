import { once } from 'node:events';
import { expect, test } from 'vitest';
import type { Admission, Request } from '../../src/server/transport.js';
import {
  type Adapter,
  cleanUp,
  holds,
  lineOf,
  open,
  Raw,
  request,
  upgradeRequest,
  visit,
  webSocketTo,
} from './support.js';

const refusal = { refuse: { status: 401, headers: { 'content-type': 'application/json' }, body: '{"error":1}' } };

export function upgrades(adapter: Adapter): void {
  test('a client is let in with the state that its admission gave', async () => {
    const states: string[] = [];
    const house = await open(adapter, {
      upgrade: (asked) => ({ accept: `${asked.path}?${asked.query}` }),
      open: (_line, state) => states.push(state),
    });
    await visit(house, '/any/p%20ath?a=1&b=%20');
    expect(states).toEqual(['/any/p%20ath?a=1&b=%20']);
  });

  test('an admission may take its time, for many clients at once', async () => {
    const house = await open(adapter, {
      upgrade: () => new Promise((resolve) => setTimeout(() => resolve({ accept: 'late' }), 5)),
      message: (line, text) => line.send(`${text}!`),
    });
    const visitors = await Promise.all(Array.from({ length: 20 }, () => visit(house)));
    for (const { client } of visitors) client.send('hello');
    await holds(() => expect(visitors.every(({ received }) => received[0] === 'hello!')).toBe(true));
  });

  test.each(['at once', 'later'])('a refusal %s is an HTTP answer with its status and body', async (when) => {
    const house = await open(adapter, {
      upgrade: () => (when === 'later' ? new Promise((resolve) => setImmediate(resolve, refusal)) : refusal),
    });
    const raw = (await Raw.to(house)).write(upgradeRequest());
    await raw.isHungUpOn();
    expect(raw.text).toMatch(/^HTTP\/1.1 401 /);
    expect(raw.text).toMatch(/content-type: application\/json\r\n/i);
    expect(raw.text).toMatch(/\{"error":1\}$/);
    expect(house.seen.lines).toEqual([]);
  });

  test('an admission that throws is answered 500 and reported', async () => {
    const bug = new Error('bug');
    const house = await open(adapter, { upgrade: () => Promise.reject(bug) });
    const raw = (await Raw.to(house)).write(upgradeRequest());
    await raw.reads('"code":"internal"');
    expect(raw.text).toMatch(/^HTTP\/1.1 500 /);
    expect(house.seen.errors).toEqual([bug]);
  });

  test('a client that leaves while its admission is thought over is never opened', async () => {
    const asked: Request[] = [];
    let decide: (admission: Admission<string>) => void = () => undefined;
    const house = await open(adapter, {
      upgrade: (request) => {
        asked.push(request);
        return new Promise((resolve) => {
          decide = resolve;
        });
      },
    });
    const raw = (await Raw.to(house)).write(upgradeRequest());
    await holds(() => expect(asked).toHaveLength(1));
    const { gone } = asked[0]!;
    raw.socket.destroy();
    await holds(() => expect(gone.aborted).toBe(true));
    decide({ accept: 'too late' });
    await visitAfter(house);
    expect(house.seen.errors).toEqual([]);
    async function visitAfter(_: typeof house): Promise<void> {
      const control = (await Raw.to(house)).write(request('GET /'));
      await control.reads('fine');
      expect(house.seen.lines).toEqual([]);
    }
  });

  test('a version other than 13 is answered 426, and which one to take', async () => {
    const house = await open(adapter);
    for (const version of ['8', '14', undefined]) {
      const raw = (await Raw.to(house)).write(upgradeRequest({ 'Sec-WebSocket-Version': version }));
      await raw.isHungUpOn();
      expect(raw.text).toMatch(/^HTTP\/1.1 426 /);
      expect(raw.text).toMatch(/sec-websocket-version: 13\r\n/i);
      expect(raw.text).toContain('"code":"bad_request"');
    }
  });

  test('a missing or malformed key is answered 400', async () => {
    const house = await open(adapter);
    for (const key of [undefined, 'short', 'dGhlIHNhbXBsZSBub25jZQ=!', `${'A'.repeat(40)}==`]) {
      const raw = (await Raw.to(house)).write(upgradeRequest({ 'Sec-WebSocket-Key': key }));
      await raw.isHungUpOn();
      expect(raw.text).toMatch(/^HTTP\/1.1 400 /);
    }
    expect(house.seen.lines).toEqual([]);
  });

  test('a request that asks for no WebSocket goes to HTTP, with WebSocket headers or without', async () => {
    const house = await open(adapter);
    const plain = [
      request('GET /ws'),
      upgradeRequest({ Upgrade: undefined, Connection: undefined }),
      upgradeRequest({ Upgrade: 'h2c' }),
      upgradeRequest({ Connection: 'keep-alive' }),
    ];
    for (const text of plain) await (await Raw.to(house)).write(text).reads('fine');
    expect(house.seen.lines).toEqual([]);
  });

  test('Upgrade and Connection are understood in any case and among other tokens', async () => {
    const house = await open(adapter);
    const raw = await Raw.to(house);
    raw.write(upgradeRequest({ Upgrade: 'WebSocket', Connection: 'keep-alive, upgrade' }));
    await raw.reads(' 101 ');
    await lineOf(house);
  });

  test('no compression is agreed to, and the first subprotocol is', async () => {
    const house = await open(adapter);
    const client = webSocketTo(house, '/', ['first', 'second'], { perMessageDeflate: true });
    cleanUp(() => client.terminate());
    await once(client, 'open');
    expect([client.extensions, client.protocol]).toEqual(['', 'first']);
  });

  test('a request tells its peer: address, headers, one joined where it came twice', async () => {
    const asked: Request[] = [];
    const house = await open(adapter, {
      upgrade: (request) => {
        asked.push(request);
        return { accept: '' };
      },
    });
    await (await Raw.to(house)).write(upgradeRequest({ 'X-One': ' 1 ', Cookie: 'a=b', cookie: 'c=d' })).reads(' 101 ');
    expect(asked[0]?.address).toBe('127.0.0.1');
    expect(asked[0]?.header('x-one')).toBe('1');
    expect(asked[0]?.header('cookie')).toBe('a=b, c=d');
    expect(asked[0]?.header('x-two')).toBeUndefined();
  });
}
