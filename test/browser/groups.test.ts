import { describe, expect, test } from 'vitest';
import { peopleOf } from './people.js';
import type { Screen } from './screen.js';

const people = peopleOf({ nodes: 2, redis: true });

/** A group that the first of them owns, open on every screen. */
async function group(...names: readonly string[]): Promise<{ screens: Screen[]; title: string; conv: string }> {
  const uids = people.names(...names);
  const screens = await Promise.all(uids.map((uid, i) => people.at(i + 1, uid)));
  const title = `Tea of ${uids[0]}`;
  const conv = `room:Tea-of-${uids[0]}`;
  const [owner, ...others] = screens as [Screen, ...Screen[]];
  await owner.presses('New group');
  await owner.page.fill('[name=name]', title);
  await owner.page.fill('[name=members]', uids.slice(1).join(', '));
  await owner.presses('Create');
  for (const other of others) {
    await other.lists(title);
    await other.opens(conv);
  }
  return { screens, title, conv };
}

const open = (screen: Screen): Promise<void> => screen.presses('Members');

describe('a group', () => {
  test('gets another name, which all its members see', async () => {
    const { screens, title } = await group('alice', 'bob');
    const [alice, bob] = screens as [Screen, Screen];
    await open(bob);
    await bob.finds(alice.name);
    expect(await bob.page.getByRole('button', { name: 'Rename' }).count()).toBe(0);
    await bob.presses('Close');
    await open(alice);
    await alice.presses('Rename');
    await alice.page.fill('dialog [name=name]', `${title} & biscuits`);
    await alice.presses('Save');
    await alice.lists(`${title} & biscuits`);
    await bob.lists(`${title} & biscuits`);
    await bob.finds(`${alice.name} named the group “${title} & biscuits”`);
  });

  test('has admins, loses members, and gets another owner, who may delete it', async () => {
    const { screens, title, conv } = await group('alice', 'bob', 'carol');
    const [alice, bob, carol] = screens as [Screen, Screen, Screen];
    await open(alice);
    await alice.manages(bob.name, 'Make admin');
    await bob.finds(`${bob.name} is now admin`);

    await alice.manages(carol.name, 'Remove from the group');
    await alice.confirms('Remove from the group', false);
    await carol.lists(title);
    await alice.presses('Remove from the group');
    await alice.confirms('Remove from the group');
    await carol.lists(title, false);
    await bob.finds(`${alice.name} removed ${carol.name}`);

    await alice.manages(bob.name, 'Make owner');
    await alice.confirms('Make owner');
    await bob.finds(`${bob.name} is now owner`);
    await alice.page.getByRole('button', { name: 'Delete group' }).waitFor({ state: 'detached' });

    await open(bob);
    await bob.presses('Delete group');
    await bob.finds('This cannot be undone.');
    await bob.confirms('Delete group');
    await bob.lists(title, false);
    await alice.presses('Close');
    await alice.page.reload();
    await alice.isConnected();
    await alice.lists(title, false);
    expect(decodeURIComponent(alice.page.url())).not.toContain(conv);
  });

  test('takes whom an admin invites, and lets everybody go', async () => {
    const { screens, title, conv } = await group('alice', 'bob');
    const [alice, bob] = screens as [Screen, Screen];
    const [dave] = people.names('dave');
    const guest = await people.at(2, dave);
    await open(alice);
    await alice.page.fill('[name=whom]', 'no name!');
    await alice.presses('Invite');
    await alice.finds('A name has 1 to 64 letters');
    await alice.page.fill('[name=whom]', dave);
    await alice.presses('Invite');
    await guest.lists(title);
    await guest.opens(conv);
    await guest.says('thank you');
    await bob.sees('thank you');
    await open(guest);
    await guest.presses('Leave group');
    await guest.confirms('Leave group');
    await guest.lists(title, false);
    await bob.finds(`${dave} left`);
    await alice.presses('Close');
    await open(alice);
    await alice.presses('Leave group');
    await alice.finds('You own this group');
    await alice.confirms('Leave group');
    await alice.lists(title, false);
    await bob.finds(`${bob.name} is now owner`);
  });

  test('is joined by its name if it is public, and refused in words if it is not', async () => {
    const [owner, guest] = people.names('owner', 'guest');
    const [open_, closed] = [`open-${owner}`, `closed-${owner}`];
    for (const [room, isPrivate] of [
      [open_, false],
      [closed, true],
    ] as const) {
      const { status } = await people.town.asks(1, `/v1/rooms?uid=${owner}`, { body: { room, private: isPrivate } });
      expect(status).toBe(201);
    }
    const screen = await people.at(2, guest, { locale: 'zh-CN' });
    await screen.page.fill('[type=search]', closed);
    await screen.presses(`加入群聊 ${closed}`);
    await screen.finds('你没有权限这样做。');
    await screen.page.fill('[type=search]', open_);
    await screen.presses(`加入群聊 ${open_}`);
    await screen.lists(open_);
    await screen.says('大家好');
    await screen.marks('stored');
  });
});

test('who is blocked is not heard, and does not learn of it; unblocked, they are heard again', async () => {
  const [a, b] = people.names('alice', 'bob');
  const [alice, bob] = await Promise.all([people.at(1, a), people.at(2, b)]);
  await alice.writesTo(b);
  await bob.writesTo(a);
  await bob.says('hello');
  await alice.sees('hello');
  await alice.presses(`About ${b}`);
  await alice.presses('Block');
  await alice.confirms('Block', false);
  await alice.presses('Block');
  await alice.confirms('Block');
  await alice.finds(`You blocked ${b}.`);
  await alice.presses('Close');
  expect(await alice.page.locator('.composer').count()).toBe(0);
  await bob.says('are you there?');
  await bob.marks('read', 'stored');
  await alice.opens('all');
  await alice.page.reload();
  await alice.isConnected();
  await alice.presses('Settings');
  await alice.page.getByRole('region', { name: 'Blocked people' }).getByText(b).waitFor();
  await alice.presses('Unblock');
  await alice.page.getByRole('region', { name: 'Blocked people' }).waitFor({ state: 'detached' });
  await alice.presses('Close');
  await alice.opens(`dm:${a}:${b}`);
  await alice.sees('hello', 'are you there?');
  await bob.marks('read', 'read');
});
