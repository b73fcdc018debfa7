import { describe, expect, test } from 'vitest';
import type { Connection } from '../support/client.js';
import type { Outgoing } from '../support/frame.js';
import { until } from '../support/until.js';
import { house, SERVER_KEY } from './support.js';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Answers of frames that were sent in one go: a frame's type, or an error's code. */
async function answers(line: Connection, frames: readonly Outgoing[]): Promise<(string | undefined)[]> {
  const all = await Promise.all(frames.map((frame) => line.request(frame)));
  return all.map(({ type, code }) => (type === 'error' ? code : type));
}

const count = (list: readonly unknown[], what: unknown): number => list.filter((each) => each === what).length;

describe('ten tokens a second', () => {
  const h = house(() => ({ SKEIN_RATE: '10' }));

  test('are ten small requests, or two large ones', async () => {
    const small = await h.connects({ uid: 'small' });
    const large = await h.connects({ uid: 'large' });
    const pages = numbers(20).map(() => ({ type: 'history', conv: 'all', limit: 1 }));
    expect(count(await answers(small, pages), 'history')).toBeGreaterThanOrEqual(10);
    const bigPages = numbers(8).map(() => ({ type: 'history', conv: 'all', limit: 200 }));
    const begun = performance.now();
    const answered = count(await answers(large, bigPages), 'history');
    // Each costs four; meanwhile there are new ones.
    expect(answered).toBeLessThanOrEqual(Math.ceil((10 + (performance.now() - begun) / 100) / 4));
  });

  test('are one look at 500 users, and none beside it', async () => {
    const frames: Outgoing[] = [
      { type: 'watch', uids: numbers(500).map((i) => `w${i}`) },
      { type: 'join', room: 'r' },
    ];
    // A tenth of a second between the two frames, and there is one token more: then others do it again.
    const outcomes = async () => (await answers(await h.connects({ uid: 'watcher' }), frames)).join();
    await until(async () => (await outcomes()) === 'presence,rate_limited', 'nothing beside the look', 15_000);
  });

  test('are a small part of a room with a hundred members', async () => {
    const members = numbers(100).map((i) => `m${i}`);
    expect(await h.outcome('/v1/rooms', { as: 'founder', body: { room: 'big', members } })).toEqual([201]);
    const eight = (as: string) => Promise.all(numbers(8).map(() => h.outcome('/v1/blocks', { as })));
    expect((await eight('founder')).map(([status]) => status)).toContain(429);
    expect((await eight('another')).map(([status]) => status)).not.toContain(429);
  });

  test('are not spent on what is out of form', async () => {
    const asks = (limit: string) => h.outcome(`/v1/conversations?limit=${limit}`, { as: 'clumsy' });
    expect([await asks('9999999999999999'), await asks('x'), await asks('1')]).toEqual([
      [400, 'bad_request'],
      [400, 'bad_request'],
      [200],
    ]);
  });

  test('are as many over HTTP', async () => {
    const paths = numbers(8).map(() => h.outcome('/v1/conversations?limit=200', { as: 'reader' }));
    const statuses = (await Promise.all(paths)).map(([status]) => status);
    expect(count(statuses, 200)).toBeGreaterThanOrEqual(2);
    expect(count(statuses, 429)).toBeGreaterThanOrEqual(2);
  });

  test('are all that nobody in particular has of one address, who wants tokens', async () => {
    const asks = (request: object = {}) => h.outcome('/v1/tokens', { body: { uid: 'ann' }, ...request });
    const statuses = (await Promise.all(numbers(40).map(() => asks()))).map(([status]) => status);
    expect(count(statuses, 201)).toBeGreaterThanOrEqual(10);
    expect(count(statuses, 429)).toBeGreaterThanOrEqual(5);
    expect(await asks({ token: SERVER_KEY })).toEqual([201]);
  });
});

describe('who has many conversations, where ten tokens a second are to be had', () => {
  const h = house(() => ({ SKEIN_RATE: '10' }));

  test('is looked up so often that others need not wait: then told to come again, by poll or by WebSocket', async () => {
    const greets = (i: number) =>
      h.outcome('/v1/server/messages', {
        token: SERVER_KEY,
        body: { sender: `fan${i}`, receiver: 'star', data: 'hi' },
      });
    for (let from = 0; from < 1_200; from += 100) await Promise.all(numbers(100).map((i) => greets(from + i)));
    const polls = (as: string) => h.outcome('/v1/messages?wait=0', { as });
    expect(await polls('star')).toEqual([200]);
    expect(await polls('star')).toEqual([429, 'rate_limited']);
    const line = await h.opensLine({ uid: 'star' });
    expect((await line.closed).code).toBe(1013);
    expect(await polls('fan1')).toEqual([200]);
    expect(await polls('fan1')).toEqual([200]);
  });
});

describe('who is in many rooms, where ten tokens a second are to be had', () => {
  const h = house(() => ({ SKEIN_RATE: '10' }));

  test('asks for the list of them once in a while: all of them are looked at each time', async () => {
    const rooms = numbers(1_000).map((i) => ({ room: `r${i}`, owner: 'fan' }));
    for (const body of rooms) expect(await h.outcome('/v1/rooms', { token: SERVER_KEY, body })).toEqual([201]);
    const line = await h.connects({ uid: 'fan', device: 'a' });
    const asks = {
      byFrame: async () => (await answers(line, [{ type: 'conversations', limit: 1 }]))[0] === 'conversations',
      byHttp: async () => (await h.outcome('/v1/conversations?limit=1', { as: 'fan' }))[0] === 200,
    };
    for (const ask of Object.values(asks)) {
      const began = performance.now();
      const got: boolean[] = [];
      for (const _ of numbers(12)) got.push(await ask());
      expect(got[0]).toBe(true);
      expect(count(got, true)).toBeLessThanOrEqual(2 + (performance.now() - began) / 1_000);
    }
    expect(await h.outcome('/v1/conversations?limit=1', { as: 'other' })).toEqual([200]);
  });
});

describe('a few thousand bytes a second', () => {
  const h = house(() => ({ SKEIN_RATE_BYTES: '10000' }));
  const data = 'x'.repeat(9_000);

  test('are one frame of nearly so many; the next is told how long to wait, and then goes', async () => {
    const line = await h.connects({ uid: 'ann' });
    const send = { type: 'send', receiver: 'bob', data };
    expect((await line.request({ ...send, data: 'x'.repeat(65_000) })).type).toBe('sent');
    const refused = await line.request(send);
    expect(refused).toMatchObject({ type: 'error', code: 'rate_limited', retry: expect.any(Number) });
    await new Promise((resolve) => setTimeout(resolve, refused.retry));
    expect((await line.request(send)).type).toBe('sent');
  });

  test('who goes on is closed with 4429, and nobody else waits', async () => {
    const [flooder, other] = [await h.connects({ uid: 'flooder' }), await h.connects({ uid: 'other' })];
    for (let i = 0; i < 120; i++) flooder.send(JSON.stringify({ type: 'send', receiver: 'bob', data }));
    expect((await other.request({ type: 'send', receiver: 'bob', data })).type).toBe('sent');
    expect((await flooder.closed).code).toBe(4429);
  });

  test('are as many in bodies over HTTP', async () => {
    const body = { receiver: 'bob', data };
    const large = { receiver: 'bob', data: 'x'.repeat(64_000) };
    expect(await h.outcome('/v1/messages', { as: 'cat', body: large })).toEqual([200]);
    expect(await h.outcome('/v1/messages', { as: 'cat', body })).toEqual([429, 'rate_limited']);
    // Who would come again with this would come in vain.
    const tooLarge = { receiver: 'bob', data: 'x'.repeat(66_000) };
    expect(await h.outcome('/v1/messages', { as: 'cat', body: tooLarge })).toEqual([413, 'too_large']);
    expect(await h.outcome('/v1/messages', { as: 'dan', body })).toEqual([200]);
  });
});

describe('two connections of a user', () => {
  const h = house(() => ({ SKEIN_USER_SOCKETS: '2' }));

  test('are two devices that poll; a third one is told to come again', async () => {
    const polls = (device: string) => h.outcome(`/v1/messages?wait=0&device=${device}`, { as: 'ann' });
    expect([await polls('a'), await polls('b'), await polls('a')]).toEqual([[200], [200], [200]]);
    expect(await polls('c')).toEqual([429, 'rate_limited']);
  });
});

describe('before a connection is let in', () => {
  const h = house(() => ({
    SKEIN_AUTH: 'jwt',
    SKEIN_JWT_SECRET: 'a secret that is long enough for anybody, and more',
  }));

  test('a few large frames behind a hello are as many as wait', async () => {
    const line = await h.opensLine({});
    line.send({ type: 'hello', token: 'ey.ey.ey' });
    for (let i = 0; i < 10; i++) line.send('x'.repeat(60_000));
    expect([4401, 4429]).toContain((await line.closed).code);
  });
});
