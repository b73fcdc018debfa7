/** What the commands of chaos have in common. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { LoadBalancer } from './site/balancer.js';

/** 0: nothing was violated; 1: something was; 2: the command was not understood, or something it needs is not there. */
export type Code = 0 | 1 | 2;

export const say = (line: string): void => void process.stdout.write(`${line}\n`);

export const anySeed = (): number => Math.ceil(Math.random() * 1_000_000_000);

/** What `read` makes of the command line. Ends with 2 where that is wrong, or where there is no load balancer. */
export function understood<T>(read: () => T): T {
  try {
    LoadBalancer.kind();
    return read();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exit(2);
  }
}

/** Runs to its end, which comes after so much time at the latest, and takes everything along that was started. */
export function conduct(work: Promise<Code>, ms: number): void {
  setTimeout(() => {
    process.stderr.write('this does not come to an end\n');
    process.exit(1);
  }, ms).unref();
  work.then(
    (code) => process.exit(code),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.stack : error}\n`);
      process.exit(1);
    },
  );
}

/** Writes a page and the figures behind it beside each other. */
export function keep(out: string, page: string, figures: unknown): void {
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(`${out}.md`, page);
  writeFileSync(`${out}.json`, `${JSON.stringify(figures, undefined, 2)}\n`);
  say(`${out}.md and .json`);
}
