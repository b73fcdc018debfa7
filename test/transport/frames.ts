import { once } from 'node:events';
import { expect, test } from 'vitest';
import type { Line } from '../../src/chat/line.js';
import { type Adapter, frame, holds, lineOf, OPCODE, OPTIONS, open, rawVisit, visit } from './support.js';

const echo = { message: (line: Line, text: string | undefined) => void line.send(text ?? 'binary') };

export function frames(adapter: Adapter): void {
  test('text comes back byte for byte, in order', async () => {
    const house = await open(adapter, echo);
    const { client, received } = await visit(house);
    const said = [
      '',
      'a',
      '\ufeffbom',
      '👋🏽 κόσμε \u0000 "quoted"',
      'z'.repeat(300),
      ...Array.from({ length: 500 }, (_, i) => `${i}`),
    ];
    for (const text of said) client.send(text);
    await holds(() => expect(received).toHaveLength(said.length));
    expect(received).toEqual(said);
  });

  test('a binary frame is told as such', async () => {
    const house = await open(adapter);
    const { client } = await visit(house);
    client.send(Buffer.from('text'), { binary: true });
    await holds(() => expect(house.seen.messages).toEqual([undefined]));
  });

  test('fragments are put together', async () => {
    const house = await open(adapter);
    const raw = await rawVisit(house);
    raw
      .write(frame(OPCODE.text, 'one ', { fin: false }))
      .write(frame(OPCODE.ping, 'between'))
      .write(frame(0, 'two'));
    await holds(() => expect(house.seen.messages).toEqual(['one two']));
  });

  test('a frame of exactly the limit is accepted and one byte more ends the connection', async () => {
    const house = await open(adapter);
    const { client, closed } = await visit(house);
    client.send('x'.repeat(OPTIONS.maxFrame));
    await holds(() => expect(house.seen.messages[0]).toHaveLength(OPTIONS.maxFrame));
    client.send('x'.repeat(OPTIONS.maxFrame + 1));
    expect([1006, 1009]).toContain(await closed);
    await holds(() => expect(house.seen.closes).toEqual([{ code: 1006, byClient: false }]));
    expect(house.seen.messages).toHaveLength(1);
  });

  test('fragments over the limit end the connection', async () => {
    const house = await open(adapter);
    const { client, closed } = await visit(house);
    for (let i = 0; i < 3; i++) client.send('x'.repeat(2000), { fin: false });
    expect([1006, 1009]).toContain(await closed);
    expect(house.seen.messages).toEqual([]);
  });

  test('a ping brings its payload back, both ways', async () => {
    const house = await open(adapter);
    const { client } = await visit(house);
    const line = await lineOf(house);
    for (const payload of ['', '17', 'p'.repeat(125)]) line.ping(payload);
    await holds(() => expect(house.seen.pongs).toEqual(['', '17', 'p'.repeat(125)]));
    client.ping('mine');
    expect(String((await once(client, 'pong'))[0])).toBe('mine');
  });

  test.each([
    [1000, 1000],
    [1001, 1001],
    [4000, 4000],
    [4999, 4999],
    [undefined, 1005],
  ])('a client that closes with %s is told of as closing with %i, in order', async (code, told) => {
    const house = await open(adapter);
    const { client, closed } = await visit(house);
    client.close(code, code === undefined ? undefined : 'bye');
    await closed;
    await holds(() => expect(house.seen.closes).toEqual([{ code: told, byClient: true }]));
  });

  test('what a client sent before its close frame is heard before the close', async () => {
    const heard: unknown[] = [];
    const house = await open(adapter, {
      message: (_line, text) => heard.push(text),
      close: (_line, code) => heard.push(code),
    });
    const { client } = await visit(house);
    client.send('last words');
    client.close(1000);
    await holds(() => expect(heard).toEqual(['last words', 1000]));
  });

  test('a client that vanishes is told of as 1006, not by the client', async () => {
    const house = await open(adapter);
    const { client } = await visit(house);
    await lineOf(house);
    client.terminate();
    await holds(() => expect(house.seen.closes).toEqual([{ code: 1006, byClient: false }]));
  });

  test('a line that is closed here tells the client the code and reason after all that was written', async () => {
    const house = await open(adapter);
    const { client, received } = await visit(house);
    const line = await lineOf(house);
    line.send('one');
    line.send('two');
    line.close(4403, 'banned');
    line.close(1000, 'again');
    expect(house.seen.closes).toEqual([{ code: 4403, byClient: false }]);
    const [code, reason] = await once(client, 'close');
    expect([code, String(reason), received]).toEqual([4403, 'banned', ['one', 'two']]);
    expect(house.seen.closes).toHaveLength(1);
  });

  test('a line may be closed from inside open, message and cork, and the connection ends', async () => {
    const house = await open(adapter, {
      open: (line) => line.send('welcome'),
      message: (line, text) => {
        if (text === 'now') line.close(4001, 'now');
        else setImmediate(() => line.cork(() => line.close(4002, 'corked')));
      },
    });
    const first = await visit(house);
    first.client.send('now');
    first.client.send('ignored');
    expect(await first.closed).toBe(4001);
    const second = await visit(house);
    second.client.send('cork');
    expect(await second.closed).toBe(4002);
    const strict = await open(adapter, { open: (line) => line.close(4003, 'no') });
    expect(await (await visit(strict)).closed).toBe(4003);
    expect(house.seen.errors).toEqual([]);
  });

  test('nothing that is done to a closed line does harm', async () => {
    const house = await open(adapter);
    const { closed } = await visit(house);
    const line = await lineOf(house);
    const use = (): unknown[] => {
      let corked = false;
      line.cork(() => {
        corked = true;
      });
      line.ping('x');
      line.subscribe('t');
      line.unsubscribe('t');
      house.transport.publish('t', 'frame', line);
      line.close(1000, '');
      return [line.send('x'), line.buffered(), corked];
    };
    line.close(4000, 'done');
    expect(use()).toEqual(['dropped', 0, true]);
    await closed;
    expect(use()).toEqual(['dropped', 0, true]);
    expect(house.seen.closes).toHaveLength(1);
  });

  test('corked writes all arrive, in order, and count as sent', async () => {
    const house = await open(adapter);
    const { received } = await visit(house);
    const line = await lineOf(house);
    const written: string[] = [];
    line.cork(() => {
      written.push(line.send('a'), line.send('b'));
      line.cork(() => written.push(line.send('c')));
    });
    line.send('d');
    await holds(() => expect(received).toEqual(['a', 'b', 'c', 'd']));
    expect(written).toEqual(['sent', 'sent', 'sent']);
  });

  test('a handler that throws is reported and the others go on', async () => {
    const bug = new Error('bug');
    const house = await open(adapter, {
      message: (line, text) => {
        if (text === 'bad') throw bug;
        line.send('good');
      },
    });
    const { client, received } = await visit(house);
    client.send('bad');
    client.send('fine');
    await holds(() => expect(received).toEqual(['good']));
    expect(house.seen.errors).toEqual([bug]);
  });
}
