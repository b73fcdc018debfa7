import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build, defineConfig, type Plugin } from 'vite';

const inWeb = (path: string): string => fileURLToPath(new URL(`src/web/${path}`, import.meta.url));
const outDir = fileURLToPath(new URL('dist/web/', import.meta.url));
const COMPRESSIBLE = new Set(['.html', '.js', '.css', '.svg']);

/** Addresses of the pages, as the server has them, and of every other file by its own path. */
const ADDRESSES: Readonly<Record<string, string>> = { 'index.html': './', 'lab.html': './lab' };

const filesOfBuild = (): string[] =>
  readdirSync(outDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(outDir, join(entry.parentPath, entry.name)).split(sep).join('/'));

/** The service worker is built last: it knows every other file, and is a new one whenever one of them is. */
async function buildWorker(): Promise<void> {
  const files = filesOfBuild()
    .sort()
    .map((file) => {
      const hash = createHash('sha256')
        .update(readFileSync(join(outDir, file)))
        .digest('base64');
      return [ADDRESSES[file] ?? file, `sha256-${hash}`] as const;
    });
  const version = createHash('sha256').update(JSON.stringify(files)).digest('hex').slice(0, 16);
  await build({
    configFile: false,
    logLevel: 'warn',
    define: { __SHELL__: JSON.stringify({ version, files }) },
    build: {
      outDir,
      emptyOutDir: false,
      copyPublicDir: false,
      rolldownOptions: { input: inWeb('sw.ts'), output: { entryFileNames: 'sw.js', format: 'iife' } },
    },
  });
}

/** Compressed once, here, so that no node spends its time on it. */
function compress(): void {
  for (const file of filesOfBuild()) {
    if (!COMPRESSIBLE.has(extname(file))) continue;
    const body = readFileSync(join(outDir, file));
    writeFileSync(join(outDir, `${file}.br`), brotliCompressSync(body));
    writeFileSync(join(outDir, `${file}.gz`), gzipSync(body, { level: 9 }));
  }
}

const finished: Plugin = {
  name: 'finished',
  async closeBundle() {
    await buildWorker();
    compress();
  },
};

export default defineConfig({
  root: 'src/web',
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  plugins: [finished],
  build: {
    outDir,
    emptyOutDir: true,
    // A strict policy allows no inline content, so nothing may be inlined; and current browsers preload by themselves.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: { index: inWeb('index.html'), lab: inWeb('lab.html') } },
  },
});
