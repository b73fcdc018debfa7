import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import { Pages } from '../../src/server/pages.js';
import type { Request } from '../../src/server/transport.js';
import { Door } from './door.js';
import { peopleOf } from './people.js';

const people = peopleOf({ nodes: 2, redis: true });

/** The addresses of the page's files that the browser keeps. */
const kept = (page: Page): Promise<string[]> =>
  page.evaluate(`(async () => {
    const caches_ = await Promise.all((await caches.keys()).map((name) => caches.open(name)));
    return (await Promise.all(caches_.map((one) => one.keys()))).flat().map(({ url }) => new URL(url).pathname).sort();
  })()`);

/** Until the page could open without a server. */
const keepsItself = (page: Page): Promise<unknown> =>
  page.evaluate('navigator.serviceWorker.ready.then(() => navigator.serviceWorker.controller !== null)');

test('without a line the window opens with what was said and what waits; with one, all goes out once and in order', async () => {
  const [a, b] = people.names('alice', 'bob');
  const way = await Door.before(() => people.town.living.map(({ port }) => port));
  onTestFinished(() => way.closes());
  const [alice, bob] = await Promise.all([people.at(way.url, a), people.at(2, b)]);
  await keepsItself(alice.page);
  await alice.writesTo(b);
  await bob.writesTo(a);
  await alice.says('before');
  await bob.sees('before');
  await bob.says('heard');
  await alice.sees('before', 'heard');
  await alice.marks('read');
  way.shuts();
  await alice.page.waitForSelector('.banner');
  for (const text of ['one', 'two']) await alice.says(text);
  await alice.marks('read', 'queued', 'queued');
  await alice.page.reload();
  await alice.sees('before', 'heard', 'one', 'two');
  await alice.marks('read', 'queued', 'queued');
  await alice.lists(b);
  await alice.page.waitForSelector('.state[data-state="3"], .state[data-state="0"]');
  await alice.says('three');
  await alice.sees('before', 'heard', 'one', 'two', 'three');
  await alice.page.goto('about:blank');
  await alice.page.goto(`${way.url}#${encodeURIComponent(`dm:${a}:${b}`)}`);
  await alice.sees('before', 'heard', 'one', 'two', 'three');
  await bob.says('are you gone?');
  way.opens();
  await alice.page.waitForSelector('.state[data-state="1"]', { timeout: 25_000 });
  await bob.sees('before', 'heard', 'are you gone?', 'one', 'two', 'three');
  await alice.sees('before', 'heard', 'are you gone?', 'one', 'two', 'three');
  await alice.marks('read', 'read', 'read', 'read');
}, 60_000);

test('what came the moment before a reload is there after it, without a line, too', async () => {
  const [a, b] = people.names('alice', 'bob');
  const way = await Door.before(() => people.town.living.map(({ port }) => port));
  onTestFinished(() => way.closes());
  const alice = await people.at(way.url, a);
  await keepsItself(alice.page);
  await alice.writesTo(b);
  const said: string[] = [];
  for (let round = 0; round < 5; round++) {
    said.push(`word ${round}`);
    await people.posts(b, { receiver: a, data: said.at(-1) });
    await alice.sees(...said);
    way.shuts();
    await alice.page.reload();
    await alice.sees(...said);
    way.opens();
    await alice.page.waitForSelector('.state[data-state="1"]', { timeout: 25_000 });
  }
}, 90_000);

test('the browser keeps the files of the page and nothing that was said to the service', async () => {
  const [a] = people.names('alice');
  const alice = await people.at(1, a);
  await keepsItself(alice.page);
  await alice.opens('all');
  await alice.page.reload();
  await alice.isConnected();
  const files = await kept(alice.page);
  expect(files).toContain('/');
  expect(files).toContain('/lab');
  expect(files.filter((path) => !/^\/(lab|icon\.svg|assets\/[\w.-]+)?$/.test(path))).toEqual([]);
  const worker = await alice.page.request.get(`${people.town.node(2).url}/sw.js`);
  expect(worker.headers()).toMatchObject({
    'cache-control': 'no-cache',
    'content-type': expect.stringContaining('javascript'),
  });
  const policy = (await alice.page.goto(people.town.node(1).url))?.headers()['content-security-policy'];
  expect(policy).toContain("default-src 'none'; script-src 'self'");
});

const dist = fileURLToPath(new URL('../../dist/web/', import.meta.url));

/** The build, and one that came after it: another title, and a worker that knows of it. */
function twoBuilds(): readonly [string, string] {
  const folder = mkdtempSync(join(tmpdir(), 'skein-builds-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [first, second] = [join(folder, 'first'), join(folder, 'second')];
  for (const place of [first, second])
    cpSync(dist, place, { recursive: true, filter: (path) => !/\.(br|gz)$/.test(path) });
  const html = readFileSync(join(first, 'index.html'), 'utf8');
  const later = html.replace('<title>', '<title>Later ');
  const worker = readFileSync(join(first, 'sw.js'), 'utf8');
  writeFileSync(join(second, 'index.html'), later);
  const hash = (text: string): string => createHash('sha256').update(text).digest('base64');
  writeFileSync(
    join(second, 'sw.js'),
    worker.replace(hash(html), hash(later)).replace(/version:`\w+`/, 'version:`later`'),
  );
  return [first, second];
}

/** Serves the files of a build as a node does; `build` says for each path of which one. */
async function serve(build: (path: string) => Pages): Promise<string> {
  const server = createServer((asked, answer) => {
    const path = new URL(asked.url ?? '/', 'http://localhost').pathname;
    const header = (name: string): string | undefined => String(asked.headers[name] ?? '');
    const { status, headers, body } = build(path).answer({ path, header } as unknown as Request);
    answer.writeHead(status, headers).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

test('a new build comes whole: not while some nodes still serve the old one, and at the next reload after that', async () => {
  const [first, second] = twoBuilds().map((root) => new Pages(root)) as [Pages, Pages];
  let deployed = 0;
  const url = await serve((path) => (deployed === 2 || (deployed === 1 && path === '/sw.js') ? second : first));
  const page = await people.newPage();
  await page.goto(url);
  await keepsItself(page);
  const looks = () =>
    page.evaluate(`navigator.serviceWorker.ready.then((one) => one.update()).then(
      (one) => new Promise((resolve) => {
        const worker = one.installing;
        if (!worker) return resolve('none');
        worker.onstatechange = () => ['redundant', 'activated'].includes(worker.state) && resolve(worker.state);
      }),
    )`);
  deployed = 1;
  expect(await looks()).toBe('redundant');
  await page.reload();
  expect(await page.title()).toBe('Skein');
  expect(await page.locator('#who').count()).toBe(1);
  deployed = 2;
  expect(await looks()).toBe('activated');
  await page.reload();
  expect(await page.title()).toBe('Later Skein');
  expect(await page.locator('#who').count()).toBe(1);
  expect(((await page.evaluate('caches.keys()')) as string[]).length).toBe(2);
});
