/**
 * Keeps the files of the page in the browser, so that it opens without a line. It knows the files of one build and
 * nothing else: what is said to the service (`v1/…`, `ws`) never passes through here, and is never kept.
 */

/** Written by the build: its version, and each file with the hash of its content. */
declare const __SHELL__: {
  readonly version: string;
  readonly files: readonly (readonly [path: string, hash: string])[];
};

const SHELL = __SHELL__;

type Lasting = Event & { waitUntil(work: Promise<unknown>): void };
type Asking = Lasting & { readonly request: Request; respondWith(answer: Promise<Response>): void };
type Clicking = Lasting & { readonly notification: Notification };
type Window = { readonly url: string; focus(): Promise<unknown>; postMessage(message: unknown): void };

/** The part of a service worker's surroundings that is used; the types of the page's own code have none of it. */
type Surroundings = {
  readonly registration: { readonly scope: string };
  readonly clients: {
    claim(): Promise<void>;
    matchAll(of: { readonly type: 'window' }): Promise<readonly Window[]>;
    openWindow(url: string): Promise<unknown>;
  };
  skipWaiting(): Promise<void>;
  addEventListener(type: 'install' | 'activate', listener: (event: Lasting) => void): void;
  addEventListener(type: 'fetch', listener: (event: Asking) => void): void;
  addEventListener(type: 'notificationclick', listener: (event: Clicking) => void): void;
};

const worker = self as unknown as Surroundings;
const { scope } = worker.registration;
const KIND = `skein ${scope} `;
const NAME = `${KIND}${SHELL.version}`;
const PATHS: ReadonlySet<string> = new Set(SHELL.files.map(([path]) => new URL(path, scope).href));
const ASSETS = new URL('assets/', scope).href;

/** All files or none, and all of this build: while nodes of two builds are about, another one's is refused. */
async function keep(): Promise<void> {
  const cache = await caches.open(NAME);
  const wanted = SHELL.files.map(
    ([path, integrity]) => new Request(new URL(path, scope), { cache: 'no-cache', integrity }),
  );
  await cache.addAll(wanted).catch(async (error: unknown) => {
    await caches.delete(NAME);
    throw error;
  });
  await worker.skipWaiting();
}

/** The build before stays: a window that was opened with it may want more of it. What is older goes. */
async function takeOver(): Promise<void> {
  const others = (await caches.keys()).filter((name) => name.startsWith(KIND) && name !== NAME);
  await Promise.all(others.slice(0, -1).map((name) => caches.delete(name)));
  await worker.clients.claim();
}

async function find(request: Request, url: string): Promise<Response> {
  const options = { ignoreVary: true };
  const own = await caches.match(url, { ...options, cacheName: NAME });
  const earlier = own ?? (url.startsWith(ASSETS) ? await caches.match(url, options) : undefined);
  return earlier ?? fetch(request);
}

worker.addEventListener('install', (event) => event.waitUntil(keep()));
worker.addEventListener('activate', (event) => event.waitUntil(takeOver()));
worker.addEventListener('fetch', (event) => {
  const url = event.request.url.replace(/[?#].*$/s, '');
  const isOurs = PATHS.has(url) || url.startsWith(ASSETS);
  if (event.request.method === 'GET' && isOurs) event.respondWith(find(event.request, url));
});

/** A click on a notice shows its conversation, in a window that is there or in a new one. */
async function show(notice: Notification): Promise<void> {
  const { conv } = notice.data as { readonly conv: string };
  const windows = await worker.clients.matchAll({ type: 'window' });
  const open = windows.find(({ url }) => url.replace(/[?#].*$/s, '') === scope);
  if (open === undefined) return void (await worker.clients.openWindow(`${scope}#${encodeURIComponent(conv)}`));
  open.postMessage({ show: conv });
  await open.focus();
}

worker.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(show(event.notification));
});
