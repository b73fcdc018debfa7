import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../../loadtest/rig/programs.js';
import { CLOSE } from '../../src/protocol/index.js';
import { BALANCERS, Balancer } from '../deploy/balancer.js';
import { startNode } from '../support/process.js';
import { type Town, town } from '../support/town.js';
import { until } from '../support/until.js';
import { percentile, SdkCrowd } from './sdk-crowd.js';

/** `TEST_CLIENTS=2000` is the full size; a drain of ten seconds then, as in production. */
const CLIENTS = Number(process.env.TEST_CLIENTS ?? 300);
const isFull = CLIENTS > 300;
const DRAIN_SECONDS = isFull ? 10 : 4;
const ENV = {
  SKEIN_RATE: '100000',
  SKEIN_ADDRESS_LOGINS: '100000',
  SKEIN_ADDRESS_SOCKETS: '100000',
  SKEIN_DRAIN_SECONDS: `${DRAIN_SECONDS}`,
};

describe.each(BALANCERS.slice(0, 1))('three nodes behind $name, restarted one after the other', (kind) => {
  let t: Town;
  let balancer: Balancer;
  const starts = (port: number) => startNode({ ...ENV, REDIS_URL: t.redis.url, SKEIN_PORT: `${port}` });
  beforeAll(async () => {
    t = await town({ nodes: 0, redis: true });
    // Each has a port of its own that it takes again, for the load balancer knows no other.
    for (let node = 0; node < 3; node++) t.nodes.push(await starts(await freePort()));
    balancer = await Balancer.start(kind, t.nodes);
  });
  afterAll(async () => {
    await balancer?.stop();
    await t.closes();
  });

  test('lose nothing, double nothing, and send their clients away little by little', async () => {
    const crowd = await SdkCrowd.at(balancer.url, CLIENTS);
    try {
      crowd.talks(Math.min(CLIENTS / 2, 500));
      const crowded: number[] = [];
      for (const [index, node] of [...t.nodes].entries()) {
        const before = crowd.losses.length;
        const start = performance.now();
        const exit = await node.kill('SIGTERM');
        const steps = node.program.printed.filter((line) => line.includes('shutdown')).join('\n');
        expect(exit, steps).toEqual({ code: 0, signal: null });
        // By its own clock in time, for the code is 0; the grace that platforms should give is some seconds more.
        expect(performance.now() - start).toBeLessThan((DRAIN_SECONDS + 5) * 1_000);
        await until(() => crowd.online === CLIENTS, 'everybody to be back', isFull ? 60_000 : 20_000);
        const losses = crowd.losses.slice(before);
        expect(losses.length).toBeGreaterThan(CLIENTS / 10);
        // Whoever was just writing may find the line reset before they read why: the more, the busier this process is.
        const told = losses.filter(({ reason }) => reason === CLOSE.restart.reason);
        expect(told.length).toBeGreaterThan(losses.length * (isFull ? 0.2 : 0.5));
        // Half of the drain time is there to come back in; no tenth of it is for many.
        const nexts = told.map(({ next }) => next);
        const tenth = (DRAIN_SECONDS * 1_000) / 2 / 10;
        const busiest = Math.max(...nexts.map((from) => nexts.filter((at) => at >= from && at < from + tenth).length));
        crowded.push(busiest / told.length);
        t.nodes[index] = await starts(node.port);
      }
      // A moment in which this process stood still puts those together who were told in it; not with every node.
      expect(Math.min(...crowded)).toBeLessThan(0.4);
      const account = await crowd.settles(isFull ? 60_000 : 20_000);
      expect(account).toMatchObject({ lost: 0, doubled: 0, reordered: 0, unexplained: 0, refused: 0 });
      if (isFull) {
        const away = crowd.losses.map(({ at, back = at }) => back - at);
        console.log(
          JSON.stringify({
            ...account,
            reconnects: away.length,
            awayMs: [50, 99].map((p) => Math.round(percentile(away, p))),
            latencyMs: [50, 99, 100].map((p) => Math.round(percentile(crowd.latencies, p))),
          }),
        );
      }
    } finally {
      await crowd.leaves();
    }
  }, 300_000);
});
