import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

const inWeb = (path: string): string => fileURLToPath(new URL(`src/web/${path}`, import.meta.url));
const outDir = fileURLToPath(new URL('dist/web/', import.meta.url));
const COMPRESSIBLE = new Set(['.html', '.js', '.css', '.svg']);

/** Compressed once, here, so that no node spends its time on it. */
const compressed: Plugin = {
  name: 'compressed',
  closeBundle() {
    for (const entry of readdirSync(outDir, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !COMPRESSIBLE.has(extname(entry.name))) continue;
      const path = join(entry.parentPath, entry.name);
      const body = readFileSync(path);
      writeFileSync(`${path}.br`, brotliCompressSync(body));
      writeFileSync(`${path}.gz`, gzipSync(body, { level: 9 }));
    }
  },
};

export default defineConfig({
  root: 'src/web',
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  plugins: [compressed],
  build: {
    outDir,
    emptyOutDir: true,
    // A strict policy allows no inline content, so nothing may be inlined; and current browsers preload by themselves.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: { index: inWeb('index.html'), lab: inWeb('lab.html') } },
  },
});
