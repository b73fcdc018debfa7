import type { Page } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import WebSocket from 'ws';
import { Client } from '../../src/client/index.js';
import { until } from '../support/until.js';
import { peopleOf } from './people.js';

const people = peopleOf({ nodes: 1, redis: false, env: { SKEIN_RETENTION_MESSAGES: '20000' } });

/** What the page may cost before it can be used, in bytes as they come over the line. */
const FIRST_LOAD = 90_000;
/** Milliseconds that nothing the page does may take at a time. */
const LONG_TASK = 200;

/** Notes, from the first moment, what Chromium tells of what moved without being touched. */
const WATCH = `
  window.shift = 0;
  new PerformanceObserver((list) => list.getEntries().forEach(({ value, hadRecentInput }) => {
    if (!hadRecentInput) shift += value;
  })).observe({ type: 'layout-shift', buffered: true });
`;

test('the first load is small, and nothing moves while it comes', async () => {
  const [me] = people.names('alice');
  const page = await people.newPage();
  await page.addInitScript(WATCH);
  await page.goto(people.town.node(1).url);
  await page.fill('#who', me);
  const bytes =
    await page.evaluate(`[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
    .filter(({ initiatorType }) => initiatorType !== 'fetch').reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)`);
  expect(bytes).toBeGreaterThan(10_000);
  expect(bytes).toBeLessThan(FIRST_LOAD);
  await page.press('#who', 'Enter');
  await page.waitForSelector('.state[data-state="1"]');
  expect(await page.evaluate('shift')).toBeLessThan(0.02);
});

/**
 * What the page's main thread spends while something is done, in milliseconds of the processor's time: time on the wall
 * would tell of the machine's other work, too. No single task of it took longer than that.
 */
async function cost(page: Page, act: () => Promise<unknown>): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const spent = async (): Promise<number> => {
    const { metrics } = await session.send('Performance.getMetrics');
    return 1_000 * (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN);
  };
  const before = await spent();
  await act();
  const after = await spent();
  await session.detach();
  return after - before;
}

test('with ten thousand messages in a conversation nothing takes long: opening, scrolling, hearing, writing', async () => {
  const [me, bob] = people.names('alice', 'bob');
  const alice = await people.at(1, me);
  await alice.writesTo(bob);
  await alice.says('come in');
  const writer = new Client({ url: people.town.node(1).url, uid: bob, WebSocket });
  onTestFinished(() => writer.close());
  writer.connect();
  await Promise.all(Array.from({ length: 10_000 }, (_, i) => writer.send({ receiver: me, data: `message ${i}` })));
  const ends = (text: string) => until(async () => (await alice.texts()).at(-1) === text, text, 30_000);
  await ends('message 9999');
  await alice.opens('all');
  const { page } = alice;
  const up = 'document.querySelector(".scroll").scrollTop = 0; new Promise((done) => setTimeout(done, 100))';
  const costs = {
    opening: await cost(page, () => alice.opens(`dm:${me}:${bob}`).then(() => ends('message 9999'))),
    hearing: await cost(page, () => people.posts(bob, { receiver: me, data: 'and one' }).then(() => ends('and one'))),
    writing: await cost(page, () => alice.says('and two').then(() => ends('and two'))),
    scrolling: await cost(page, () => page.evaluate(up)),
    'scrolling on': await cost(page, () => page.evaluate(up)),
  };
  for (const [act, ms] of Object.entries(costs)) {
    expect(ms, act).toBeGreaterThan(0);
    expect(ms, act).toBeLessThan(LONG_TASK);
  }
}, 300_000);
