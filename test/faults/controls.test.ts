/**
 * What the tests of this folder rest on, each with its control: the same scene goes well with the product, and badly
 * with the safety taken out, as in loadtest/chaos/controls.ts. `no-ring` stands in failover.test.ts; a disk is made slow
 * in chaos only.
 */
import { describe, expect, test } from 'vitest';
import { CONTROLS, type Control, type ControlName } from '../../loadtest/chaos/controls.js';
import { TcpProxy } from '../../loadtest/chaos/tcp-proxy.js';
import { patched } from '../support/patched.js';
import type { Person } from '../support/person.js';
import { RedisServer } from '../support/redis.js';
import { type Town, town } from '../support/town.js';
import { until } from '../support/until.js';

type Stage = { readonly t: Town; readonly alice: Person; readonly bob: Person; readonly proxy: TcpProxy };
/** What happens; resolves with what bob has in the end, and with what he should have. */
type Scene = (stage: Stage) => Promise<readonly [has: unknown, due: unknown]>;

const GONE_MS = 8_000;
/** More than the two seconds between two pings. */
const PINGED_MS = 3_500;

/** Alice on node 1, whose Redis is behind a proxy, and bob on node 2. */
async function stage(atEnd: (work: () => Promise<void>) => void, without?: Control): Promise<Stage> {
  const plan = without?.without() ?? {};
  if (typeof plan === 'string') throw new Error(plan);
  const { appendonly = 'yes' } = plan.store ?? {};
  const build = plan.patches && patched(plan.patches);
  const redis = await RedisServer.start({ appendonly });
  const proxy = await TcpProxy.to(redis.port);
  const t = await town({
    nodes: 2,
    redis,
    through: async (_, node) => (node === 1 ? proxy : redis),
    env: plan.env ?? {},
    build: build?.main,
  });
  atEnd(async () => {
    await t.closes();
    await proxy.closes();
    await redis.stop();
    build?.removes();
  });
  return { t, proxy, alice: await t.user('alice').comesTo(1), bob: await t.user('bob').comesTo(2) };
}

const texts = (frames: readonly { readonly data?: unknown }[]): unknown[] => frames.map(({ data }) => data);
const passes = (ms: number, isEarlier: () => boolean | Promise<boolean> = () => false): Promise<unknown> => {
  const start = performance.now();
  return until(async () => performance.now() - start > ms || (await isEarlier()), 'some time to pass', ms + 1_000);
};
const sends = (alice: Person, to: Person, data: string, more: object = {}): Promise<boolean> =>
  until(
    async () => (await alice.tries(to, data, { id: data, ...more })).type === 'sent',
    `${data} to be stored`,
    15_000,
  );

const SCENES: Partial<Record<ControlName, Scene>> = {
  async 'no-aof'({ t, alice, bob }) {
    await bob.leaves();
    await alice.says(bob, 'one', { id: 'one' });
    await t.redis.kill();
    await t.redis.restart();
    await sends(alice, bob, 'two');
    await bob.returnsTo(2);
    return [bob.heard(), ['one', 'two']];
  },
  async 'no-hold'({ t, alice, bob, proxy }) {
    const carol = await t.user('carol').comesTo(2);
    proxy.blackholes();
    await alice.tries(bob, 'one', { id: 'one', try: 1 });
    proxy.heals();
    await sends(alice, carol, 'now');
    // It was on its way before alice heard that the first one failed.
    await alice.tries(bob, 'two', { id: 'two', try: 1 });
    await sends(alice, bob, 'one', { try: 2 });
    await sends(alice, bob, 'two', { try: 2 });
    await bob.hears('one');
    await bob.hears('two');
    return [bob.heard(), ['one', 'two']];
  },
  async 'no-canary'({ t, alice, bob, proxy }) {
    // Of a direct message the next payload, a receipt, would tell.
    const den = t.room('den');
    for (const each of [alice, bob]) await each.joins(den);
    await bob.says(den, 'before');
    await alice.hears('before');
    proxy.dropsPushesOf('unheard-of');
    await bob.says(den, 'unheard-of');
    await until(() => proxy.drops > 0, 'the hint to be dropped');
    await passes(GONE_MS, () => alice.heard().length === 2);
    return [alice.heard(), ['before', 'unheard-of']];
  },
  async 'delete-on-read'({ t, alice }) {
    const poller = t.poller('poller');
    await poller.polls(1);
    await alice.says({ uid: 'poller' } as Person, 'one');
    await poller.polls(1);
    // That answer never arrived.
    const { messages } = await poller.polls(2);
    return [texts(messages), ['one']];
  },
  async 'no-dedup'({ alice, bob }) {
    await alice.says(bob, 'once', { id: 'once' });
    await passes(PINGED_MS);
    await alice.says(bob, 'once', { id: 'once' });
    await alice.says(bob, 'after');
    await bob.hears('after');
    return [bob.heard(), ['once', 'after']];
  },
  async 'auto-by-send'({ t, alice, bob }) {
    bob.line.pause();
    const { seq } = await alice.says(bob, 'one');
    const cursor = () => t.redis.ask((client) => client.hget(`sk{p0}:cur:${bob.uid}:default`, bob.convWith(alice)));
    await passes(PINGED_MS, async () => Number(await cursor()) >= Number(seq));
    await bob.vanishes();
    await bob.returnsTo(1);
    return [bob.heard(), ['one']];
  },
};

describe.each(Object.entries(SCENES))('%s', (name, scene) => {
  test.concurrent('goes well with it', async ({ onTestFinished }) => {
    const [has, due] = await scene(await stage(onTestFinished));
    expect(has).toEqual(due);
  });

  test.concurrent('and badly without', async ({ onTestFinished }) => {
    const [has, due] = await scene(await stage(onTestFinished, CONTROLS[name as ControlName]));
    expect(has).not.toEqual(due);
  });
});
