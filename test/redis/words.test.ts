import { afterAll, beforeAll, expect, test } from 'vitest';
import { A, B, C } from '../contract/town.js';
import { RedisServer } from '../support/redis.js';
import { until } from '../support/until.js';
import { socialTown } from './social-town.js';

let server: RedisServer;
beforeAll(async () => {
  server = await RedisServer.start({ appendonly: 'no' });
});
afterAll(() => server.stop());

test('a word reaches every node, the one that said it included, as it was said', async () => {
  const { places } = await socialTown(server, 3);
  const words = ['{"kind":"bans"}', 'two\nlines: {p0}', '', `long ${'é'.repeat(4_000)}`];
  for (const word of words) await places[1]!.node.words.toNodes(word);
  for (const { heard } of places) await heard.until(({ words }) => words.length === 4, 'four words');
  for (const { heard } of places) expect(heard.words).toEqual(words);
});

test('a node whose subscriptions were cut off hears the words that come after', async () => {
  const { places, keys } = await socialTown(server, 2);
  const [here, there] = [places[0]!, places[1]!];
  await server.ask((client) => client.call('CLIENT', 'KILL', 'TYPE', 'pubsub'));
  await there.heard.until(({ lost }) => lost.length > 0, 'the new subscription');
  await here.heard.until(({ lost }) => lost.length > 0, 'the new subscription here');
  expect(await server.ask((client) => client.pubsub('NUMSUB', keys.words()))).toEqual([keys.words(), 2]);
  await here.node.words.toNodes('again');
  await there.heard.until(({ words }) => words.includes('again'), 'the word');
});

test('who was on a dead node only is gone, whoever buries it; who is elsewhere too is not', async () => {
  const { places, keys } = await socialTown(server, 2);
  await places[0]!.arrives(A);
  await server.ask(async (client) => {
    await client.zadd(keys.nodes(), Date.now() - 3_600_000, 'dead');
    for (const uid of [A, B, C]) {
      await client.sadd(keys.uids('dead'), uid);
      await client.hset(keys.pres(uid), `dead-${uid}`, 'dead phone');
      await client.append(keys.at(uid), uid === A ? ' dead' : 'dead');
    }
  });
  const gone = () => places.flatMap(({ heard }) => heard.gone).sort();
  await until(() => gone().length >= 2, 'who is gone', 20_000);
  expect(gone()).toEqual([B, C]);
});
