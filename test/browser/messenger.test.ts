import { describe, expect, onTestFinished, test } from 'vitest';
import { Door } from './door.js';
import { peopleOf } from './people.js';
import type { Screen } from './screen.js';

const people = peopleOf({ nodes: 2, redis: true });
const { town } = people;

/** Two people on two nodes, each with the other's chat open. */
async function pair(first: number | string = 1): Promise<readonly [Screen, Screen, string]> {
  const [a, b] = people.names('alice', 'bob');
  const [alice, bob] = await Promise.all([people.at(first, a), people.at(2, b)]);
  const dm = `dm:${a}:${b}`;
  await alice.writesTo(b);
  await bob.opens(dm);
  return [alice, bob, dm];
}

/** One address before both nodes. */
async function door(): Promise<Door> {
  const made = await Door.before(() => town.living.map(({ port }) => port));
  onTestFinished(() => made.closes());
  return made;
}

describe('two people on two nodes', () => {
  test('chat, and see how far each message has come', async () => {
    const [alice, bob, dm] = await pair();
    await alice.says('hello');
    await bob.sees('hello');
    await alice.marks('read');
    await bob.says('hello yourself');
    await alice.sees('hello', 'hello yourself');
    await bob.opens('all');
    await alice.says('are you\nstill there?');
    await alice.marks('read', 'delivered');
    await bob.unread(alice.name, '1');
    expect(await bob.page.title()).toBe('(1) Skein');
    await bob.opens(dm);
    await alice.marks('read', 'read');
    await bob.unread(alice.name, '');
  });

  test('reply, edit, react and withdraw', async () => {
    const [alice, bob] = await pair();
    await alice.says('first');
    await bob.sees('first');
    await bob.acts('first', 'Reply');
    await bob.says('second');
    await alice.sees('first', 'second');
    expect(await alice.page.locator('.quote .gist').textContent()).toBe('first');
    await alice.acts('first', 'Edit');
    await alice.says('first, corrected');
    await bob.sees('first, corrected', 'second');
    await bob.acts('first', 'React 👍');
    await alice.page.waitForSelector('.reactions button:has-text("👍")');
    await alice.acts('first', 'Withdraw');
    await bob.sees('second');
    await bob.page.waitForSelector(`.event:has-text("${alice.name} withdrew a message")`);
  });
});

test('what is written offline goes out once and in order after a reload, with the right marks', async () => {
  const way = await door();
  const [alice, bob] = await pair(way.url);
  await alice.says('before');
  await bob.sees('before');
  await alice.marks('read');
  way.shuts();
  await alice.page.waitForSelector('.banner');
  for (const text of ['one', 'two', 'three']) await alice.says(text);
  await alice.marks('read', 'queued', 'queued', 'queued');
  way.opens();
  await alice.page.reload();
  await alice.sees('before', 'one', 'two', 'three');
  await bob.sees('before', 'one', 'two', 'three');
  await alice.marks('read', 'read', 'read', 'read');
});

test('a group of three is made, talks, and counts the same on two devices', async () => {
  const [a, b, c] = people.names('alice', 'bob', 'carol');
  const [alice, bob, phone, laptop] = await Promise.all([
    people.at(1, a),
    people.at(2, b),
    people.at(1, c, { viewport: { width: 390, height: 800 } }),
    people.at(2, c),
  ]);
  await alice.page.click('[aria-label="New group"]');
  await alice.page.fill('[name=name]', `Tea of ${a}`);
  await alice.page.fill('[name=members]', `${b}, ${c}`);
  await alice.page.click('dialog [type=submit]');
  await alice.says('who is in?');
  await bob.opens(`room:Tea-of-${a}`);
  await bob.sees('who is in?');
  await bob.says('me');
  await alice.sees('who is in?', 'me');
  for (const device of [phone, laptop]) await device.unread(`Tea of ${a}`, '2');
  await phone.opens(`room:Tea-of-${a}`);
  await phone.sees('who is in?', 'me');
  await laptop.unread(`Tea of ${a}`, '');
});

test('when its node is killed, a window goes on by itself on another', async () => {
  const way = await door();
  const [alice, bob] = await pair(way.url);
  await alice.says('before');
  await bob.sees('before');
  await town.node(1).kill('SIGKILL');
  await alice.says('after');
  await bob.sees('before', 'after');
  await alice.marks('read', 'read');
  await town.starts(1);
});

test('a proxy that lets no WebSocket through: the page works all the same', async () => {
  const [a, b] = people.names('alice', 'bob');
  const way = await Door.before(() => [town.node(1).port], { isWebSocketFree: true });
  onTestFinished(() => way.closes());
  const [alice, bob] = await Promise.all([people.at(way.url, a), people.at(2, b)]);
  expect(await alice.page.textContent('.state')).toMatch(/SSE|long poll/);
  await alice.writesTo(b);
  await alice.says('through the wall');
  await bob.opens(`dm:${a}:${b}`);
  await bob.sees('through the wall');
  await bob.says('heard');
  await alice.sees('through the wall', 'heard');
});
