import { describe, expect, onTestFinished, test } from 'vitest';
import WebSocket from 'ws';
import { Client } from '../../src/client/index.js';
import { until } from '../support/until.js';
import { peopleOf } from './people.js';
import type { Screen } from './screen.js';

const people = peopleOf({ nodes: 1, redis: false });

/** Somebody who sends a run of numbered messages, and waits until they are stored. */
async function writes(sender: string, receiver: string, from: number, to: number): Promise<void> {
  const client = new Client({ url: people.town.node(1).url, uid: sender, WebSocket });
  onTestFinished(() => client.close());
  client.connect();
  const numbers = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  await Promise.all(numbers.map((n) => client.send({ receiver, data: `message ${n}` })));
  await client.close();
}

/** What is in sight of a conversation, from the top, and whether the divider is. */
const inSight = (screen: Screen): Promise<readonly string[]> =>
  screen.page.evaluate(`(() => {
    const box = document.querySelector('.scroll').getBoundingClientRect();
    return [...document.querySelectorAll('.scroll .divider, .scroll .bubble .text')].filter((one) => {
      const { top, bottom } = one.getBoundingClientRect();
      return top >= box.top && bottom <= box.bottom;
    }).map((one) => one.textContent);
  })()`);

/** Makes a window look as if another one were before it; or it is looked at again. */
async function isBehind(screen: Screen, behind: boolean): Promise<void> {
  await screen.page.evaluate(
    `document.hasFocus = () => ${!behind}; dispatchEvent(new Event('${behind ? 'blur' : 'focus'}'))`,
  );
}

/** Empties what the page kept of the conversations; until it is loaded again it keeps nothing more. */
const FORGETS = `IDBObjectStore.prototype.put = () => undefined; indexedDB.databases().then((all) => Promise.all(
  all.filter(({ name }) => name.endsWith('-page')).map(({ name }) => new Promise((resolve, reject) => {
    const request = indexedDB.open(name);
    request.onerror = reject;
    request.onsuccess = () => {
      const transaction = request.result.transaction('chats', 'readwrite');
      transaction.objectStore('chats').clear();
      transaction.oncomplete = resolve;
    };
  })),
))`;

/** Alice has read the first five of bob's messages, and 300 more came while she looked elsewhere. */
async function fallsBehind() {
  const [me, bob] = people.names('alice', 'bob');
  await writes(bob, me, 1, 5);
  const alice = await people.at(1, me);
  await alice.opens(`dm:${me}:${bob}`);
  await alice.unread(bob, '');
  await alice.opens('all');
  await writes(bob, me, 6, 305);
  await alice.unread(bob, '300');
  return { me, bob, alice };
}

describe('a conversation', () => {
  test('opens at the first unread of many, and reads only what is in sight', async () => {
    const { me, bob, alice } = await fallsBehind();
    // After a reload the newest of them are here, and the first unread is not.
    await alice.page.reload();
    await alice.isConnected();
    await alice.opens(`dm:${me}:${bob}`);
    await until(async () => (await inSight(alice))[0] === 'New messages', 'the divider on top');
    await until(async () => (await inSight(alice))[1] === 'message 6', 'the first unread below it');
    const unread = async () => Number(await alice.page.locator('.entry mark [aria-hidden]').textContent());
    await until(async () => (await unread()) < 300, 'those in sight to be read');
    expect(await unread()).toBe(300 - (await inSight(alice)).length + 1);
    await alice.page.click('.newest');
    await until(async () => (await alice.texts()).at(-1) === 'message 305', 'the newest message');
    await alice.unread(bob, '');
  });

  test('that the page forgot opens at the first unread, too, however late the server says which that is', async () => {
    const { me, bob, alice } = await fallsBehind();
    await alice.page.evaluate(FORGETS);
    const held: (() => void)[] = [];
    await alice.page.routeWebSocket(/\/ws/, (page) => {
      page.connectToServer().onMessage((frame) => {
        if (String(frame).startsWith('{"type":"conversations"')) held.push(() => page.send(frame));
        else page.send(frame);
      });
    });
    await alice.page.reload();
    await alice.isConnected();
    await alice.opens(`dm:${me}:${bob}`);
    await until(async () => (await inSight(alice)).at(-1) === 'message 305', 'the newest in sight');
    await until(() => held.length > 0, 'the list to be on its way');
    await alice.page.evaluate('new Promise((done) => requestAnimationFrame(() => setTimeout(done, 100)))');
    for (const comes of held) comes();
    await until(async () => (await inSight(alice))[1] === 'message 6', 'the first unread below the divider');
    await until(
      async () => Number(await alice.page.textContent('.entry mark [aria-hidden]')) > 250,
      'the others unread',
    );
  });

  test('that is open and not looked at keeps what comes unread, and shows where it begins', async () => {
    const [me, bob] = people.names('alice', 'bob');
    const alice = await people.at(1, me);
    await alice.writesTo(bob);
    await writes(bob, me, 1, 40);
    await until(async () => (await alice.texts()).length === 40, 'forty messages');
    await alice.unread(bob, '');
    await isBehind(alice, true);
    await writes(bob, me, 41, 100);
    await alice.unread(bob, '60');
    await isBehind(alice, false);
    await until(async () => (await inSight(alice))[0] === 'New messages', 'the divider on top');
    expect((await inSight(alice))[1]).toBe('message 41');
  });

  test('that was read in the last moment before a reload is read on the other device, too', async () => {
    const [me, bob] = people.names('alice', 'bob');
    const [laptop, phone] = await Promise.all([people.at(1, me), people.at(1, me)]);
    await writes(bob, me, 1, 3);
    for (const device of [laptop, phone]) await device.unread(bob, '3');
    await laptop.opens(`dm:${me}:${bob}`);
    await laptop.unread(bob, '');
    await laptop.page.reload();
    await phone.unread(bob, '');
    await laptop.isConnected();
    await laptop.unread(bob, '');
  });

  test('shows the original of a reply, however old, and goes to it', async () => {
    const [me, bob] = people.names('alice', 'bob');
    const alice = await people.at(1, me);
    await alice.opens('all');
    const { body } = await people.town.asks<{ seq: number }>(1, `/v1/messages?uid=${bob}`, {
      body: { receiver: me, data: 'the very first' },
    });
    await writes(bob, me, 1, 400);
    await alice.opens(`dm:${me}:${bob}`);
    await alice.page.click('.newest');
    await alice.unread(bob, '');
    await alice.page.reload();
    await people.posts(bob, { receiver: me, data: { text: 'as I said', reply: body.seq } });
    await people.posts(bob, { receiver: me, data: { text: 'as nobody said', reply: 1 } });
    await alice.finds('as nobody said');
    const quotes = alice.page.locator('.quote .gist');
    await until(
      async () => (await quotes.allTextContents()).join() === 'the very first,The original is no longer there',
      'both quotes',
    );
    await alice.page.click('button.quote');
    await alice.page.waitForSelector('.found:has-text("the very first")');
  });
});

test('a contact who is away was last seen at a time, and who is there is online', async () => {
  const [me, bob] = people.names('alice', 'bob');
  const alice = await people.at(1, me);
  const client = new Client({ url: people.town.node(1).url, uid: bob, WebSocket });
  onTestFinished(() => client.close());
  await alice.writesTo(bob);
  await alice.page.waitForSelector('.standing:has-text("offline")');
  client.connect();
  await alice.page.waitForSelector('.standing:has-text("online")');
  await client.close();
  await alice.page.waitForSelector('.standing:has-text("last seen")', { timeout: 15_000 });
  expect(await alice.page.textContent('.standing')).toMatch(/^last seen \d\d:\d\d$/);
});

describe('a desktop notification', () => {
  const shown = (screen: Screen): Promise<readonly string[]> =>
    screen.page.evaluate(`navigator.serviceWorker.ready.then((one) => one.getNotifications()).then(
      (all) => all.map(({ title, body }) => title + ': ' + body),
    )`);

  async function ready(me: string, permissions: string[]): Promise<Screen> {
    const alice = await people.at(1, me, { permissions });
    await alice.page.evaluate('navigator.serviceWorker.ready.then(() => undefined)');
    await alice.presses('Settings');
    await alice.page.getByLabel('Desktop notifications').click();
    return alice;
  }

  test('tells of what comes while nobody looks, and a click shows it', async () => {
    const [me, bob] = people.names('alice', 'bob');
    const alice = await ready(me, ['notifications']);
    expect(await alice.page.getByLabel('Desktop notifications').isChecked()).toBe(true);
    await alice.presses('Close');
    await people.posts(bob, { receiver: me, data: 'seen at once' });
    await alice.unread(bob, '1');
    await isBehind(alice, true);
    await people.posts(bob, { receiver: me, data: { text: 'look\nhere' } });
    await until(async () => (await shown(alice)).length > 0, 'a notification', 15_000);
    expect(await shown(alice)).toEqual([`${bob}: look here`]);
    expect(await alice.page.title()).toBe('(2) Skein');
    const [worker] = alice.page.context().serviceWorkers();
    await worker?.evaluate(`registration.getNotifications().then(([notification]) =>
      dispatchEvent(new NotificationEvent('notificationclick', { notification })))`);
    await alice.page.waitForURL((url) => decodeURIComponent(url.hash) === `#dm:${me}:${bob}`);
    expect(await shown(alice)).toEqual([]);
    await isBehind(alice, false);
    await until(async () => (await alice.page.title()) === 'Skein', 'nothing unread any more');
  });

  test('that the browser does not allow is not promised', async () => {
    const [me] = people.names('alice');
    const alice = await ready(me, []);
    await alice.finds('The browser does not allow notifications');
    expect(await alice.page.getByLabel('Desktop notifications').isChecked()).toBe(false);
  });
});
