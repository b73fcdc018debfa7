/** What a process costs, as the operating system counts it (Linux). */
import { readFileSync } from 'node:fs';

/** Ticks a second in /proc: a constant of Linux's interface, whatever the kernel was built with. */
const TICKS = 100;
const USER_FIELD = 13;
const SYSTEM_FIELD = 14;

/** CPU seconds, user and system, of a process and all its threads since its start. */
export const cpuSecondsOf = (pid: number): number => cpuSecondsIn(readFileSync(`/proc/${pid}/stat`, 'latin1'));

/** The name of a program may hold blanks and parentheses: fields are counted from behind its last one. */
export function cpuSecondsIn(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // The process id and the name are gone.
  return (Number(fields[USER_FIELD - 2]) + Number(fields[SYSTEM_FIELD - 2])) / TICKS;
}

/** Resident memory of a process in bytes. */
export function residentBytesOf(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  if (kilobytes === undefined) throw new Error(`process ${pid} has no memory: it is gone`);
  return Number(kilobytes) * 1_024;
}
