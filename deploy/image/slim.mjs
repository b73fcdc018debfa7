// Leaves of uWebSockets.js what this machine's Node loads, and loads it: `node slim.mjs <folder of the package>`.
import { readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const folder = resolve(process.argv[2] ?? '');
const binary = `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`;
const KEPT = new Set(['package.json', 'LICENSE', 'uws.js', 'ESM_wrapper.mjs', binary]);

const files = readdirSync(folder);
if (!files.includes(binary)) throw new Error(`${folder} has no ${binary}: this Node is not one that it is built for`);
for (const file of files) if (!KEPT.has(file)) rmSync(join(folder, file), { recursive: true });

const { App } = createRequire(import.meta.url)(folder);
if (typeof App !== 'function') throw new Error(`${binary} loads, but has no App`);
process.stdout.write(`uWebSockets.js: kept ${binary}\n`);
