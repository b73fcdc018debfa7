import { afterAll, beforeAll, describe, test } from 'vitest';
import { BALANCERS, Balancer } from '../deploy/balancer.js';
import { http } from '../support/http.js';
import { until } from '../support/until.js';
import { peopleOf } from './people.js';
import type { Screen } from './screen.js';

const people = peopleOf({ nodes: 3, redis: true });
const { town } = people;

describe.each(BALANCERS)('behind $name, as it is configured in deploy/', (kind) => {
  let balancer: Balancer;

  beforeAll(async () => {
    balancer = await Balancer.start(kind, town.nodes);
  });

  afterAll(async () => {
    await balancer.stop();
    // The next balancer finds all of them at their old addresses again.
    for (const number of [1, 2, 3]) if (!town.node(number).isAlive) await town.starts(number);
  });

  /** How many connections a node has. */
  async function connections(node: number): Promise<number> {
    const { text } = await http(`${town.node(node).metricsUrl}/metrics`);
    return [...text.matchAll(/^skein_connections\S* (\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
  }

  /** The nodes of the two, if they are two; else both come anew: on one by chance, or with a try on the way that failed. */
  async function whereTheyAre(both: readonly Screen[]): Promise<readonly number[] | false> {
    const counts = await Promise.all([1, 2, 3].map(connections));
    const busy = [1, 2, 3].filter((number) => counts[number - 1]! > 0);
    if (busy.length === 2) return busy;
    for (const screen of both) {
      await screen.page.reload();
      await screen.isConnected();
    }
    return false;
  }

  test('two people on two nodes chat, and go on when both nodes are killed', async () => {
    const [a, b] = people.names('alice', 'bob');
    const [alice, bob] = await Promise.all([people.at(`${balancer.url}/`, a), people.at(`${balancer.url}/`, b)]);
    const numbers = await until(() => whereTheyAre([alice, bob]), 'the two to be on two nodes', 60_000);
    await alice.writesTo(b);
    await bob.opens(`dm:${a}:${b}`);
    await alice.says('hello');
    await bob.sees('hello');
    await bob.says('hello yourself');
    await alice.sees('hello', 'hello yourself');
    await alice.marks('read');
    for (const number of numbers) await town.node(number).kill('SIGKILL');
    await alice.says('still there?');
    await bob.sees('hello', 'hello yourself', 'still there?');
    await bob.says('still here');
    await alice.sees('hello', 'hello yourself', 'still there?', 'still here');
    await alice.marks('read', 'read');
  }, 120_000);
});
