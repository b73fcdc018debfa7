import { expect, test } from 'vitest';
import { type Adapter, holds, lineOf, open, visit } from './support.js';

export function topics(adapter: Adapter): void {
  test('a published frame reaches every subscriber but the one excepted', async () => {
    const house = await open(adapter);
    const { transport } = house;
    const [a, b, c] = [await visit(house), await visit(house), await visit(house)];
    const [lineA, lineB] = [await lineOf(house, 1), await lineOf(house, 2)];
    lineA.subscribe('t');
    lineB.subscribe('t');
    (await lineOf(house, 3)).subscribe('other');
    transport.publish('t', '1');
    transport.publish('t', '2', lineA);
    transport.publish('t', '3', lineB);
    transport.publish('nobody', '4');
    transport.publish('other', '5', lineA);
    await holds(() => expect([a.received, b.received, c.received]).toEqual([['1', '3'], ['1', '2'], ['5']]));
  });

  test('except may be a line that never subscribed, or has closed', async () => {
    const house = await open(adapter);
    const [first, , third] = [await visit(house), await visit(house), await visit(house)];
    (await lineOf(house, 1)).subscribe('t');
    house.transport.publish('t', '1', await lineOf(house, 2));
    (await lineOf(house, 3)).subscribe('t');
    third.client.terminate();
    await holds(() => expect(house.seen.closes).toHaveLength(1));
    house.transport.publish('t', '2', await lineOf(house, 3));
    await holds(() => expect(first.received).toEqual(['1', '2']));
  });

  test('who unsubscribes hears what was published before and nothing after; twice subscribed is once', async () => {
    const house = await open(adapter);
    const { received } = await visit(house);
    const line = await lineOf(house);
    line.subscribe('t');
    line.subscribe('t');
    house.transport.publish('t', 'before');
    line.unsubscribe('t');
    line.unsubscribe('never');
    house.transport.publish('t', 'after');
    line.send('end');
    await holds(() => expect(received).toEqual(['before', 'end']));
  });

  test('published and sent frames of one turn keep their order', async () => {
    const house = await open(adapter, {}, { maxBuffered: 1_048_576 });
    const { received } = await visit(house);
    const line = await lineOf(house);
    line.subscribe('t');
    const said = Array.from({ length: 300 }, (_, i) => `${i}-${'x'.repeat((i * 97) % 2000)}`);
    said.forEach((text, i) => {
      if (i % 3 === 0) house.transport.publish('t', text);
      else line.send(text);
    });
    await holds(() => expect(received).toHaveLength(said.length));
    expect(received).toEqual(said);
  });

  test('what was published arrives before the close frame', async () => {
    const house = await open(adapter);
    const { received, closed } = await visit(house);
    const line = await lineOf(house);
    line.subscribe('t');
    house.transport.publish('t', 'last');
    line.close(4000, '');
    expect(await closed).toBe(4000);
    expect(received).toEqual(['last']);
  });
}
