import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { expect, test } from 'vitest';

const CLIENT = fileURLToPath(new URL('../../src/client/index.ts', import.meta.url));

/** What a page loads that imports this. */
async function bundle(code: string): Promise<string> {
  const result = await build({
    configFile: false,
    logLevel: 'silent',
    plugins: [{ name: 'entry', resolveId: (id) => (id === 'entry' ? '\0entry' : null), load: () => null }],
    build: {
      write: false,
      rolldownOptions: {
        input: 'entry',
        output: { format: 'es', minify: true },
        preserveEntrySignatures: 'strict',
        plugins: [{ name: 'code', load: (id) => (id === '\0entry' ? code : null) }],
      },
    },
  });
  const { output } = (Array.isArray(result) ? result[0] : result) as {
    readonly output: readonly { readonly type: string; readonly code?: string; readonly imports?: readonly string[] }[];
  };
  expect(output.flatMap(({ imports }) => imports ?? [])).toEqual([]);
  return output.map(({ code }) => code ?? '').join('');
}

test('the whole client is under 15 kB gzipped, and loads nothing else', async () => {
  const code = await bundle(`export * from ${JSON.stringify(CLIENT)}`);
  const size = gzipSync(code, { level: 9 }).length;
  expect(size).toBeLessThan(15_000);
});

test('what is not used is not loaded', async () => {
  const code = await bundle(`export { Client } from ${JSON.stringify(CLIENT)}`);
  expect(code).not.toContain('createObjectStore');
  expect(code).not.toContain('BroadcastChannel');
});
