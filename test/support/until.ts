const LOOK_EVERY_MS = 10;

/** Milliseconds after which a test gives up on a condition, where it does not say otherwise. */
export const DEADLINE_MS = 5_000;

type Falsy = false | undefined | null;

/**
 * Looks until the condition gives something, and returns it. The only way in which a test may wait: it names what
 * it waits for, so that a failure says what did not come.
 */
export async function until<T>(
  look: () => T | Falsy | Promise<T | Falsy>,
  what: string | (() => string),
  deadline = DEADLINE_MS,
): Promise<T> {
  const start = performance.now();
  for (;;) {
    const found = await look();
    if (found !== false && found !== undefined && found !== null) return found;
    if (performance.now() - start > deadline) {
      throw new Error(`waited ${deadline} ms in vain for ${typeof what === 'string' ? what : what()}`);
    }
    await pause(LOOK_EVERY_MS);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
