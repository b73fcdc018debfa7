import { appendFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { DURABLE, Store } from '../../loadtest/chaos/site/store.js';

test('half a transaction that the death of Redis left in its file never comes to life', async () => {
  const store = await Store.start(DURABLE);
  onTestFinished(() => store.stops());
  const directory = await store.asks(async (client) => (await client.config('GET', 'dir')) as string[]);
  await store.asks((client) => client.set('before', '1'));
  await store.kills();
  const files = join(directory[1]!, 'appendonlydir');
  const last = readdirSync(files).find((name) => name.includes('.incr.'))!;
  appendFileSync(join(files, last), '*1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$4\r\nhalf\r\n$1\r\n1\r\n*3\r\n$3\r\nSE');
  await store.starts();
  await store.asks((client) => client.multi().set('one', '1').set('two', '2').exec());
  await store.kills();
  await store.starts();
  expect(await store.asks((client) => client.mget('before', 'half', 'one', 'two'))).toEqual(['1', null, '1', '2']);
});
