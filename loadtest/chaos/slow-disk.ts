/** A library that makes a program's disk slow: every sync takes so much longer. Needs a C compiler. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installed } from '../rig/installed.js';

const source = (ms: number): string => `
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
static void wait(void) { struct timespec t = { ${Math.floor(ms / 1_000)}, ${(ms % 1_000) * 1_000_000} }; nanosleep(&t, 0); }
int fsync(int fd) { wait(); return syscall(SYS_fsync, fd); }
int fdatasync(int fd) { wait(); return syscall(SYS_fdatasync, fd); }
`;

/** The file to load before all other libraries; undefined where there is no compiler, or it can't do this. */
export function slowDisk(ms: number): string | undefined {
  const compiler = ['cc', 'gcc', 'clang'].map(installed).find((path) => path !== undefined);
  if (compiler === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'skein-slow-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const [from, to] = [join(folder, 'slow.c'), join(folder, 'slow.so')];
  writeFileSync(from, source(ms));
  return spawnSync(compiler, ['-shared', '-fPIC', '-O1', '-o', to, from]).status === 0 ? to : undefined;
}
