/** How calls of one kind share a script. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Batches } from '../../src/redis/batches.js';

function office(most: number, pauseMs: number) {
  const served: (readonly string[])[] = [];
  const serve = async (items: readonly string[]) => {
    served.push(items);
    await delay(5);
    return items;
  };
  return { served, batches: new Batches<string, string>(most, serve, pauseMs) };
}

test('who comes alone is served at once, and whoever comes alone meanwhile right after', async () => {
  const { served, batches } = office(8, 60_000);
  const first = batches.add('anna');
  await delay(2);
  const second = batches.add('ben');
  expect(await Promise.all([first, second])).toEqual(['anna', 'ben']);
  expect(served).toEqual([['anna'], ['ben']]);
});

test('several who came meanwhile wait for those who come a moment later', async () => {
  const { served, batches } = office(8, 200);
  const first = batches.add('anna');
  await delay(2);
  const some = [batches.add('ben'), batches.add('cleo')];
  await first;
  await delay(2);
  await Promise.all([...some, batches.add('dora')]);
  expect(served).toEqual([['anna'], ['ben', 'cleo', 'dora']]);
});

test('who are enough wait for nobody', async () => {
  const { served, batches } = office(2, 60_000);
  const first = batches.add('anna');
  await delay(2);
  await Promise.all([first, batches.add('ben'), batches.add('cleo')]);
  expect(served).toEqual([['anna'], ['ben', 'cleo']]);
});
