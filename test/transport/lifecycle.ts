import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { freePort } from '../../loadtest/rig/programs.js';
import { type Adapter, holds, lineOf, open, Raw, request, visit } from './support.js';

/** Connects so many times at once, and says so when all have a connection. */
const CROWD = `
  const { workerData: { port, crowd, isThere } } = require('node:worker_threads');
  let missing = crowd;
  for (let i = 0; i < crowd; i++) {
    require('node:net').connect(port, '127.0.0.1', () => {
      if (--missing > 0) return;
      Atomics.store(isThere, 0, 1);
      Atomics.notify(isThere, 0);
    }).on('error', () => undefined);
  }
`;

export function lifecycle(adapter: Adapter): void {
  test('a port that is taken is refused with its number, and the holder keeps serving', async () => {
    const house = await open(adapter);
    await expect(open(adapter, {}, {}, house.port)).rejects.toThrow(`127.0.0.1:${house.port}`);
    await (await Raw.to(house)).write(request('GET /')).reads('fine');
  });

  test('a port can be had again as soon as its holder closed', async () => {
    const port = await freePort();
    for (let i = 0; i < 3; i++) {
      const house = await open(adapter, {}, {}, port);
      expect(house.port).toBe(port);
      await visit(house);
      await house.transport.close();
    }
  });

  test('of many who come at one moment to a busy server nobody is let down', async () => {
    const house = await open(adapter, {}, {}, await freePort());
    const isThere = new Int32Array(new SharedArrayBuffer(4));
    const crowd = new Worker(CROWD, { eval: true, workerData: { port: house.port, crowd: 768, isThere } });
    // Nothing is accepted meanwhile: this blocks the very loop that would.
    const outcome = Atomics.wait(isThere, 0, 0, 20_000);
    await crowd.terminate();
    expect(outcome).toBe('ok');
  });

  test('a transport that stopped listening takes nobody new and keeps whom it has', async () => {
    const house = await open(adapter, { message: (line, text) => line.send(`${text}!`) });
    const { client, received } = await visit(house);
    house.transport.stopListening();
    house.transport.stopListening();
    await expect(Raw.to(house)).rejects.toThrow(/ECONNREFUSED/);
    client.send('still here');
    await holds(() => expect(received).toEqual(['still here!']));
    expect(house.seen.closes).toEqual([]);
  });

  test('close ends every kind of connection, tells of each, and resolves', async () => {
    const house = await open(adapter, {
      http: (asked) =>
        asked.path === '/stream'
          ? {
              status: 200,
              headers: { 'content-type': 'text/event-stream' },
              body: (stream) => stream.write('data: 1\n\n'),
            }
          : new Promise(() => undefined),
    });
    const visitors = await Promise.all(Array.from({ length: 5 }, () => visit(house)));
    const streaming = (await Raw.to(house)).write(request('GET /stream'));
    const polling = (await Raw.to(house)).write(request('GET /poll'));
    const idle = await Raw.to(house);
    await streaming.reads('data: 1');
    await house.transport.close();
    expect(house.seen.closes).toEqual(Array.from({ length: 5 }, () => ({ code: 1006, byClient: false })));
    await Promise.all(visitors.map(({ closed }) => closed));
    await Promise.all([streaming, polling, idle].map((raw) => raw.isHungUpOn()));
    await expect(Raw.to(house)).rejects.toThrow(/ECONNREFUSED/);
  });

  test('close ends even a line that is closed and does not drain', async () => {
    const house = await open(adapter);
    const { client, closed } = await visit(house);
    client.pause();
    const line = await lineOf(house);
    for (let i = 0; line.send('x'.repeat(16_000)) !== 'dropped' && i < 5000; i++);
    line.close(1012, 'restart');
    await house.transport.close();
    expect(house.seen.closes).toEqual([{ code: 1012, byClient: false }]);
    client.resume();
    await closed;
  });
}
