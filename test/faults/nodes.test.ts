import { afterEach, beforeEach, expect, test } from 'vitest';
import { Crowd } from '../support/crowd.js';
import { http } from '../support/http.js';
import { type Town, town } from '../support/town.js';
import { pause, until } from '../support/until.js';

let t: Town;
let crowd: Crowd;
beforeEach(async () => {
  t = await town({ nodes: 3, redis: true });
  crowd = await Crowd.in(t, { people: 12, rate: 400 });
});
afterEach(async () => {
  await crowd.leaves();
  await t.closes();
});

const flawless = { lost: 0, doubled: 0, reordered: 0, unexplained: 0, refused: 0 };

/** Waits until traffic went on for so many more acknowledged sends. */
async function goesOn(sends: number): Promise<void> {
  const goal = crowd.ledger.account.acked + sends;
  await until(() => crowd.ledger.account.acked >= goal, `${sends} more sends to be acknowledged`, 15_000);
}

/** Undefined where the node that was asked is killed meanwhile. */
async function isOnline(uid: string): Promise<boolean | undefined> {
  const asked = `${t.living[0]?.url}/v1/presence?uid=asker&of=${uid}`;
  try {
    const { body } = await http<{ readonly presence: readonly { readonly online: boolean }[] }>(asked);
    return body.presence[0]?.online ?? false;
  } catch (error) {
    if (error instanceof TypeError && error.message === 'fetch failed') return undefined;
    throw error;
  }
}

test('nodes are killed and pub/sub connections cut, round after round: nothing is lost, doubled or reordered', async () => {
  const bob = await t.user('bob').comesTo(1);
  await until(() => isOnline(bob.uid), 'bob to be online');
  crowd.talks();
  let bobIsOffline: Promise<unknown> = Promise.resolve();
  for (let round = 0; round < 12; round++) {
    await goesOn(150);
    if (round % 2 === 0) {
      const number = round === 0 ? 1 : 1 + Math.floor(Math.random() * 3);
      await t.node(number).kill('SIGKILL');
      // Whoever was on a killed node and does not come back is offline before long.
      if (round === 0)
        bobIsOffline = until(async () => (await isOnline(bob.uid)) === false, 'bob to be offline', 15_000);
      await goesOn(100);
      await t.starts(number);
    } else {
      await t.redis.ask((client) => client.call('CLIENT', 'KILL', 'TYPE', 'pubsub'));
    }
  }
  const account = await crowd.settles();
  expect(account).toMatchObject(flawless);
  expect(crowd.violations).toEqual([]);
  expect(crowd.reconnects).toBeGreaterThan(5);
  await bobIsOffline;
}, 90_000);

test('clients that lose their connection all the time lose no message', async () => {
  crowd.talks();
  for (let loss = 0; loss < 200; loss++) {
    crowd.clients[loss % crowd.clients.length]!.loses();
    // The pace of the fault, not a wait for anything.
    await pause(25);
  }
  expect(await crowd.settles()).toMatchObject(flawless);
  expect(crowd.violations).toEqual([]);
}, 60_000);
