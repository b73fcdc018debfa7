// Compiles src to dist, copies what tsc leaves behind (Lua), and builds the page.
import { spawnSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
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
cpSync(`${root}src/redis/lua`, `${root}dist/redis/lua`, { recursive: true });
await build({ configFile: `${root}vite.config.ts`, logLevel: 'warn' });
