import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import WebSocket from 'ws';
import { Client } from '../../src/client/index.js';
import { until } from '../support/until.js';
import { peopleOf } from './people.js';
import type { Screen } from './screen.js';

const people = peopleOf({ nodes: 1, redis: false });
const { town } = people;

type Violation = { readonly id: string; readonly impact: string; readonly nodes: readonly { readonly html: string }[] };

/** What axe finds serious, with the first element that it found it on. */
async function barriers(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const { violations } = (await page.evaluate('axe.run({ resultTypes: ["violations"] })')) as {
    violations: readonly Violation[];
  };
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
}

test('hostile data shows as harmless text that stays where it belongs', async () => {
  const [me, mallory] = people.names('alice', 'mallory');
  const texts = [
    '<img src=x onerror="document.title=1"><script>document.title=1</script>',
    'javascript:alert(1) data:text/html,<b> http:/\u202e/moc.live',
    `${'W'.repeat(60_000)}`,
    '\u202egnp.exe\u2067 \u202dturned',
    `Z${'\u0335\u0321'.repeat(500)}algo${'\n'.repeat(300)}`,
  ];
  const objects = [{ toString: 1, constructor: '<b>', text: { no: 'text' } }, [null, '<i>', { reply: 'x' }], null, 7];
  for (const data of [...texts, ...objects]) await people.posts(mallory, { receiver: me, data });
  const alice = await people.at(1, me, { viewport: { width: 390, height: 800 } });
  await alice.opens(`dm:${me}:${mallory}`);
  await until(async () => (await alice.texts()).length === 9, 'nine messages');
  const seen = await alice.texts();
  expect(seen[0]).toBe(texts[0]);
  expect(seen[3]).toBe(texts[3]);
  expect(JSON.parse(seen[5]!)).toEqual(objects[0]);
  expect(seen.slice(7)).toEqual(['null', '7']);
  expect(await alice.page.locator('.scroll :is(img, script, a, b, i)').count()).toBe(0);
  const spill = await alice.page.evaluate('document.documentElement.scrollWidth - innerWidth');
  expect(spill).toBeLessThanOrEqual(0);
  const box = '(() => { const b = document.querySelector(".scroll"); return b.scrollWidth - b.clientWidth; })()';
  expect(await alice.page.evaluate(box)).toBeLessThanOrEqual(0);
  // They did nothing to the page; what is below the window is not read yet.
  expect(await alice.page.title()).toMatch(/^(\(\d\) )?Skein$/);
});

test('what the server refuses stays, says why, and can be discarded', async () => {
  const [me] = people.names('alice');
  const alice = await people.at(1, me);
  await alice.opens('all');
  await alice.says('x'.repeat(70_000));
  await alice.marks('failed');
  expect(await alice.page.textContent('.failure')).toContain('too long');
  await alice.page.getByText('Discard').click();
  await alice.marks();
});

test('a link goes to the web and nowhere else, and says nothing of where it was', async () => {
  const [me, bob] = people.names('alice', 'bob');
  await people.posts(bob, { receiver: me, data: 'see (https://example.com/a?b=1), or ftp://example.com.' });
  const alice = await people.at(1, me);
  await alice.opens(`dm:${me}:${bob}`);
  const link = alice.page.locator('.bubble a');
  expect(await link.getAttribute('href')).toBe('https://example.com/a?b=1');
  expect(await link.getAttribute('rel')).toContain('noopener noreferrer');
  expect(await link.count()).toBe(1);
});

test('a long history loads upwards without a jump, and little of it is in the document', async () => {
  const [me, bob] = people.names('alice', 'bob');
  const alice = await people.at(1, me);
  const writer = new Client({ url: town.node(1).url, uid: bob, WebSocket });
  onTestFinished(() => writer.close());
  writer.connect();
  await Promise.all(Array.from({ length: 1_500 }, (_, i) => writer.send({ receiver: me, data: `message ${i}` })));
  // Only the newest of them are kept in the browser: the others come from the server again.
  await alice.page.reload();
  await alice.opens(`dm:${me}:${bob}`);
  await alice.page.click('.newest');
  await until(async () => (await alice.texts()).at(-1) === 'message 1499', 'the newest message');
  const scroll = alice.page.locator('.scroll');
  // What is in sight before more is loaded above it, and how far it moved by that.
  const jump = `(() => {
    const box = document.querySelector('.scroll');
    box.scrollTop = 120;
    const edge = box.getBoundingClientRect().top;
    const row = [...box.querySelectorAll('[data-seq]')].find((one) => one.getBoundingClientRect().bottom > edge);
    const before = row.getBoundingClientRect().top;
    const count = box.querySelector('[data-seq]').dataset.seq;
    return new Promise((resolve) => {
      const look = () => {
        const first = box.querySelector('[data-seq]').dataset.seq;
        if (first === count) return requestAnimationFrame(look);
        resolve(row.getBoundingClientRect().top - before);
      };
      look();
    });
  })()`;
  for (let step = 0; step < 8; step++) expect(Math.abs((await alice.page.evaluate(jump)) as number)).toBeLessThan(2);
  expect(await scroll.locator('[data-seq]').count()).toBeLessThanOrEqual(200);
  expect((await alice.texts())[0]).not.toBe('message 1440');
  await people.posts(bob, { receiver: me, data: 'and one more' });
  await alice.page.waitForSelector('.newest mark:has-text("1")');
  await alice.page.click('.newest');
  await until(async () => (await alice.texts()).at(-1) === 'and one more', 'the newest message after the jump');
});

test('the language and the look are switched at once, and kept', async () => {
  const [me] = people.names('alice');
  const alice = await people.at(1, me, { locale: 'zh-CN' });
  expect(await alice.page.getAttribute('html', 'lang')).toBe('zh-CN');
  await alice.page.click('[aria-label="设置"]');
  await alice.page.getByText('English').click();
  await alice.page.getByText('Dark').click();
  await alice.page.reload();
  await alice.page.waitForSelector('[aria-label="Settings"]');
  expect(await alice.page.getAttribute('html', 'data-theme')).toBe('dark');
});

/** Every view in turn, as `Screen` shows it; after each `look` is called with its name. */
async function tour(alice: Screen, bob: string, look: (view: string) => Promise<void>): Promise<void> {
  const { page, name: me } = alice;
  const at = async (view: string, act: () => Promise<unknown>): Promise<void> => {
    await act();
    await look(view);
    await page.keyboard.press('Escape');
  };
  await at('everybody', () => alice.opens('all'));
  await at('a chat', () => alice.opens(`dm:${me}:${bob}`));
  await at('a message’s menu', () => page.locator('.row .actions').first().click());
  await at('the emoji', () => page.locator('.composer > [aria-expanded]').click());
  await at('a person', () => page.locator('.chat > header .round').last().click());
  await at('a group', () => alice.opens(`room:Group-of-${me}`));
  await at('its members', () => page.locator('.chat > header .round').last().click());
  await page.locator('.chat > header .round').last().click();
  await at('a question', () => page.locator('.lasts .danger').last().click());
  await page.keyboard.press('Escape');
  await at('a new group', () => page.locator('.sidebar > header .round').first().click());
  await at('the settings', () => page.locator('.sidebar > header .round').last().click());
  await at('the search', () => page.fill('[type=search]', 'somebody'));
}

test('axe finds nothing serious on any view, light or dark, in English or Chinese', async () => {
  const [me, bob] = people.names('alice', 'bob');
  await people.posts(bob, { receiver: me, data: 'hello, see https://example.com' });
  await people.posts(me, { receiver: bob, data: { a: 1 } });
  await people.posts(bob, { broadcast: true, data: { text: 'to all', reply: 1 } });
  await people.town.asks(1, `/v1/rooms?uid=${me}`, { body: { room: `Group-of-${me}`, members: [bob] } });
  for (const [locale, colorScheme] of [
    ['en-US', 'light'],
    ['zh-CN', 'dark'],
  ] as const) {
    const login = await people.newPage({ locale, colorScheme });
    await login.goto(town.node(1).url);
    await login.waitForSelector('#who');
    expect(await barriers(login), `the log-in, ${locale}`).toEqual([]);
    await login.goto(`${town.node(1).url}/lab`);
    await login.waitForSelector('.ways');
    expect(await barriers(login), `the lab, ${locale}`).toEqual([]);
    const alice = await people.at(1, me, { locale, colorScheme });
    await tour(alice, bob, async (view) => {
      expect(await barriers(alice.page), `${view}, ${locale}`).toEqual([]);
    });
  }
}, 90_000);
