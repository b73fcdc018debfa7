import type { Log } from './log.js';

const WINDOW_MS = 1_000;

type Open = { suppressed: number; fields: object; message: string };

/**
 * Warnings about what clients can repeat at will: at most one line a kind and second. A line that stands for others
 * says how many in `suppressed`; none is left uncounted. Kinds are the code's own words, never input.
 */
export type Sampler = {
  warn(kind: string, fields: object, message: string): void;
  /** Prints what is still held back. */
  flush(): void;
};

export function createSampler(log: Pick<Log, 'warn'>): Sampler {
  const windows = new Map<string, Open>();

  const report = (kind: string, window: Open) => {
    log.warn({ kind, ...window.fields, suppressed: window.suppressed }, window.message);
    window.suppressed = 0;
  };

  const open = (kind: string, window: Open) => {
    windows.set(kind, window);
    const timer = setTimeout(() => {
      windows.delete(kind);
      if (window.suppressed === 0) return;
      report(kind, window);
      open(kind, window);
    }, WINDOW_MS);
    timer.unref();
  };

  return {
    warn(kind, fields, message) {
      const window = windows.get(kind);
      if (window) {
        Object.assign(window, { suppressed: window.suppressed + 1, fields, message });
        return;
      }
      log.warn({ kind, ...fields }, message);
      open(kind, { suppressed: 0, fields, message });
    },
    flush() {
      for (const [kind, window] of windows) if (window.suppressed > 0) report(kind, window);
    },
  };
}
