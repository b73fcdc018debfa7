import { defineConfig } from 'vite';

export default defineConfig({
  root: 'src/web',
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../../dist/web',
    emptyOutDir: true,
    // A strict policy allows no inline content, so nothing may be inlined; and current browsers preload by themselves.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
