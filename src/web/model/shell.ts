/** The page's own files, kept by a service worker: with them it opens without a line. */
import { signal } from '@preact/signals';
import { words } from '../words/index.js';
import { say } from './note.js';

/** Milliseconds between two looks for a new version, in a page that stays open. */
const LOOK_MS = 3_600_000;

/** There is a newer version than the one that this page runs: the next reload brings it. */
export const isOutdated = signal(false);

/** Browsers have service workers on secure pages only, and some refuse them in private windows. */
export function keepShell(): void {
  if (!('serviceWorker' in navigator)) return;
  const { serviceWorker } = navigator;
  const wasKept = serviceWorker.controller !== null;
  serviceWorker.addEventListener('controllerchange', () => {
    isOutdated.value = wasKept;
  });
  // After all that the page needs itself.
  addEventListener('load', () => {
    serviceWorker.register('./sw.js', { updateViaCache: 'none' }).then(lookAgain, () => say(words.peek().keepsNothing));
  });
}

function lookAgain(registration: ServiceWorkerRegistration): void {
  let looked = Date.now();
  document.addEventListener('visibilitychange', () => {
    if (document.hidden || Date.now() - looked < LOOK_MS) return;
    looked = Date.now();
    registration.update().catch(() => {
      looked = 0; // no line: again when somebody looks again
    });
  });
}
