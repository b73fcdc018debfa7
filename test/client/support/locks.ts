import type { Locks } from '../../../src/client/platform.js';

/** Web Locks of one browser, as far as exclusive locks go: granted in turn, freed when the holder is done or dies. */
export function webLocks(): Locks {
  const last = new Map<string, Promise<unknown>>();
  return {
    async request(name, { signal }, hold) {
      const before = last.get(name) ?? Promise.resolve();
      const aborted = new Promise<never>((_, reject) =>
        signal?.addEventListener('abort', () => reject(new Error('aborted'))),
      );
      let hasIt = false;
      const turn = before.then(() => {
        hasIt = !signal?.aborted;
        return hasIt ? hold() : undefined;
      });
      last.set(
        name,
        turn.catch(() => undefined),
      );
      await Promise.race([turn, aborted.catch((error: unknown) => (hasIt ? turn : Promise.reject(error)))]);
      return turn;
    },
  };
}
