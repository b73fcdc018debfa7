import { afterEach, describe, expect, test } from 'vitest';
import { BALANCERS, Balancer } from '../deploy/balancer.js';
import { Connection } from '../support/client.js';
import { dmOf } from '../support/frame.js';
import { http } from '../support/http.js';
import { type Town, town } from '../support/town.js';
import { until } from '../support/until.js';
import { percentile, SdkCrowd } from './sdk-crowd.js';

/** `TEST_CLIENTS=5000` is the full size of the storm, of the slow reader's company a fifth of it. */
const CLIENTS = Number(process.env.TEST_CLIENTS ?? 200);
const isFull = CLIENTS > 200;
const COMPANY = isFull ? CLIENTS / 5 : 20;
const BACKLOG = 5;
const PATIENCE_MS = isFull ? 120_000 : 30_000;
const ENV = {
  SKEIN_RATE: '100000',
  SKEIN_STRANGERS: '100000',
  SKEIN_ADDRESS_LOGINS: '100000',
  SKEIN_ADDRESS_SOCKETS: '100000',
};

let t: Town;
afterEach(() => t.closes());

/** The sum of a metric over its labels and all nodes. */
async function sum(metric: string, label = ''): Promise<number> {
  const pages = await Promise.all(t.living.map(({ metricsUrl }) => http(`${metricsUrl}/metrics`)));
  const lines = pages.flatMap(({ text }) => text.split('\n'));
  const found = lines.filter(
    (line) => (line.startsWith(`${metric}{`) || line.startsWith(`${metric} `)) && line.includes(label),
  );
  return found.reduce((total, line) => total + Number(line.split(' ').at(-1)), 0);
}

describe.each(BALANCERS.slice(0, 1))('when $name dies', (kind) => {
  test(`${CLIENTS} clients that were dropped at once are all back, with their backlog, and nothing times out`, async () => {
    t = await town({ nodes: 3, redis: true, env: ENV });
    const balancer = await Balancer.start(kind, t.nodes);
    const crowd = await SdkCrowd.at(balancer.url, CLIENTS);
    const sender = await Connection.open(t.node(1).wsUrl({ uid: 'sender' }));
    try {
      await balancer.dies();
      await until(() => crowd.online === 0, 'everybody to have noticed');
      for (let n = 1; n <= BACKLOG; n++) {
        const entry = { from: 'sender', n, t: performance.now() };
        const answers = crowd.people.map((receiver) => sender.request({ receiver, data: entry }, PATIENCE_MS));
        for (const answer of await Promise.all(answers)) expect(answer.type).toBe('sent');
      }
      for (const uid of crowd.people) {
        crowd.ledger.expects(dmOf('sender', uid), uid);
        for (let n = 1; n <= BACKLOG; n++) crowd.ledger.acked(dmOf('sender', uid), { from: 'sender', n });
      }
      const [errors, start] = [await sum('skein_redis_errors_total'), performance.now()];
      balancer.returns(t.nodes);
      await until(
        () => crowd.online === CLIENTS,
        () => `everybody to be back; ${crowd.online} are`,
        PATIENCE_MS,
      );
      const backMs = performance.now() - start;
      await until(() => crowd.ledger.account.lost === 0, 'every backlog to be whole', PATIENCE_MS);
      expect(crowd.ledger.account).toMatchObject({ lost: 0, doubled: 0, reordered: 0, delivered: CLIENTS * BACKLOG });
      expect(await sum('skein_redis_errors_total')).toBe(errors);
      expect(crowd.losses.filter(({ reason }) => reason === 'no answer in time')).toEqual([]);
      const wholeMs = performance.now() - start;
      if (isFull) console.log(JSON.stringify({ clients: CLIENTS, backMs, wholeMs }));
    } finally {
      await crowd.leaves();
      await balancer.stop();
    }
  }, 400_000);
});

test(`one of ${COMPANY} who stops reading costs a bounded buffer, is lagging, holds up nobody, and catches up`, async () => {
  t = await town({ nodes: 1, redis: true, env: { ...ENV, SKEIN_RETENTION_MESSAGES: '20000' } });
  const lines = await Promise.all(
    Array.from({ length: COMPANY }, (_, index) =>
      Connection.open(t.node(1).wsUrl({ uid: `u${index}`, ack: 'manual' })),
    ),
  );
  const [speaker, slow, ...others] = lines as [Connection, Connection, ...Connection[]];
  for (const line of lines) await line.request({ type: 'join', room: 'hall' }, PATIENCE_MS);
  let said = 0;
  /** Says so much in the room; the milliseconds until each of the others had each of it. */
  const talk = async (count: number): Promise<number[]> => {
    const took: number[] = [];
    for (let n = 0; n < count; n++) {
      const data = `${said++} ${'x'.repeat(isFull ? 4_000 : 10_000)}`;
      const start = performance.now();
      expect(await speaker.request({ room: 'hall', data }, PATIENCE_MS)).toMatchObject({ type: 'sent' });
      await until(
        () => others.every((line) => line.frames.at(-1)?.data === data),
        'the others to hear it',
        PATIENCE_MS,
      );
      took.push(performance.now() - start);
      for (const line of [speaker, ...others]) {
        line.frames.splice(0);
        line.texts.splice(0);
      }
    }
    return took;
  };
  await talk(20);
  const before = await talk(isFull ? 150 : 60);
  slow.pause();
  // First the kernel's buffers take some megabytes.
  while ((await sum('skein_lagging_connections')) === 0) await talk(50);
  const memory = await sum('skein_process_resident_memory_bytes');
  const during = await talk(isFull ? 300 : 100);
  const grown = (await sum('skein_process_resident_memory_bytes')) - memory;
  // Of what was said meanwhile at most the bound waits in the node, and the allocator's noise is beside it.
  expect(grown).toBeLessThan(32 * 1_048_576);
  expect(percentile(during, 95)).toBeLessThan(5 * percentile(before, 95) + 50);
  expect(await sum('skein_lagging_connections')).toBe(1);
  slow.resume();
  const heard = () => slow.messages('room:hall').filter(({ op }) => op === undefined);
  await until(
    () => heard().length >= said,
    () => `the slow one to have all of ${said}; ${heard().length} came`,
    PATIENCE_MS,
  );
  expect(heard().map(({ data }) => Number(String(data).split(' ')[0]))).toEqual(
    Array.from({ length: said }, (_, n) => n),
  );
  expect(slow.isOpen).toBe(true);
  expect(slow.order.violations).toEqual([]);
  if (isFull) {
    const figures = [before, during].map((each) => [50, 95, 99].map((p) => Math.round(percentile(each, p))));
    console.log(JSON.stringify({ company: COMPANY, said, beforeMs: figures[0], duringMs: figures[1], grown }));
  }
}, 400_000);
