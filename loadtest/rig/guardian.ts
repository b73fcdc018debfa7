/** Ends the programs of a process that is itself ended without a chance to clear up, such as by kill -9. */
import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';

/** Reads `+pid` and `-pid`, a line each; at the end of its input it kills what is left. */
const SCRIPT = `
  const pids = new Set();
  const lines = require('node:readline').createInterface({ input: process.stdin });
  lines.on('line', (line) => (line[0] === '+' ? pids.add(line.slice(1)) : pids.delete(line.slice(1))));
  lines.on('close', () => {
    for (const pid of pids) {
      try { process.kill(Number(pid), 'SIGKILL'); } catch (error) { if (error.code !== 'ESRCH') throw error; }
    }
  });
`;

let input: Writable | undefined;

function begin(): Writable {
  // In a session of its own: what interrupts this process from the terminal must not end its guardian first.
  const child = spawn(process.execPath, ['-e', SCRIPT], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  child.unref();
  (child.stdin as Writable & { unref?: () => void }).unref?.();
  // Without a guardian everything still ends with this process in the ordinary ways.
  child.stdin.on('error', (error) => process.stderr.write(`no guardian: ${error.message}\n`));
  return child.stdin;
}

export function guard(pid: number): void {
  input ??= begin();
  input.write(`+${pid}\n`);
}

export const release = (pid: number): void => void input?.write(`-${pid}\n`);
