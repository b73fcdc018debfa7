import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BALANCERS, Balancer } from '../deploy/balancer.js';
import { http } from '../support/http.js';
import { peopleOf } from './people.js';

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

  test('two people on two nodes chat, and go on when both nodes are killed', async () => {
    const [a, b] = people.names('alice', 'bob');
    const [alice, bob] = await Promise.all([people.at(`${balancer.url}/`, a), people.at(`${balancer.url}/`, b)]);
    const busy = await Promise.all([1, 2, 3].map(connections));
    expect(busy.filter((count) => count > 0).length).toBe(2);
    await alice.writesTo(b);
    await bob.opens(`dm:${a}:${b}`);
    await alice.says('hello');
    await bob.sees('hello');
    await bob.says('hello yourself');
    await alice.sees('hello', 'hello yourself');
    await alice.marks('read');
    const numbers = [1, 2, 3].filter((number) => busy[number - 1]! > 0);
    for (const number of numbers) await town.node(number).kill('SIGKILL');
    await alice.says('still there?');
    await bob.sees('hello', 'hello yourself', 'still there?');
    await bob.says('still here');
    await alice.sees('hello', 'hello yourself', 'still there?', 'still here');
    await alice.marks('read', 'read');
  });
});
