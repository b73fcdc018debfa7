/** One line that tells how far a run is, renewed every half second; on a pipe, a line every five seconds. */
import type { Counts } from '../orders.js';

const TERMINAL_MS = 500;
const PIPE_MS = 5_000;

export class Progress {
  private title = '';
  private readonly isTerminal = process.stderr.isTTY ?? false;

  /** What is measured from now on. */
  begin(title: string): void {
    this.title = title;
  }

  async during<T>(what: string, counts: () => Promise<Counts>, work: Promise<T>): Promise<T> {
    const began = performance.now();
    let last = { at: began, counts: await counts() };
    const show = async (): Promise<void> => {
      const now = { at: performance.now(), counts: await counts() };
      this.write(what, (now.at - began) / 1_000, last.counts, now.counts, (now.at - last.at) / 1_000);
      last = now;
    };
    const timer = setInterval(() => void show().catch(noted), this.isTerminal ? TERMINAL_MS : PIPE_MS);
    try {
      return await work;
    } finally {
      clearInterval(timer);
      if (this.isTerminal) process.stderr.write('\r\x1b[K');
    }
  }

  private write(what: string, elapsed: number, before: Counts, now: Counts, seconds: number): void {
    const rate = (name: keyof Counts): string =>
      Math.round((now[name] - before[name]) / seconds).toLocaleString('en-US');
    const trouble = now.refused + now.broken > 0 ? ` · refused ${now.refused}, broken ${now.broken}` : '';
    const line =
      `${this.title} · ${what} ${elapsed.toFixed(1)} s · ` +
      `sent ${rate('sent')}/s · stored ${rate('acked')}/s · delivered ${rate('delivered')}/s${trouble}`;
    process.stderr.write(this.isTerminal ? `\r\x1b[K${line}` : `${line}\n`);
  }
}

const noted = (error: unknown): void => void process.stderr.write(`${error}\n`);
