// Compiles src to dist, does what tsc leaves behind (Lua, the command line's mode), and builds the page.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const root = fileURLToPath(new URL('..', import.meta.url));
rmSync(`${root}dist`, { recursive: true, force: true });
const tsc = spawnSync(
  process.execPath,
  [`${root}node_modules/typescript/bin/tsc`, '-p', `${root}tsconfig.build.json`],
  { stdio: 'inherit' },
);
if (tsc.status !== 0) process.exit(tsc.status ?? 1);
// `npx skein` runs it as a program.
chmodSync(`${root}dist/cli/main.js`, 0o755);
cpSync(`${root}src/redis/lua`, `${root}dist/redis/lua`, { recursive: true });
await build({ configFile: `${root}vite.config.ts`, logLevel: 'warn' });
