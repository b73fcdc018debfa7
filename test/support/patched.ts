/** A copy of the built product with something taken out of it. */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Patch } from '../../loadtest/chaos/unsafe/patch.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

export type Patched = { readonly main: string; readonly removes: () => void };

/** Throws where what is to be taken out is not there. */
export function patched(patches: readonly Patch[]): Patched {
  const directory = mkdtempSync(join(tmpdir(), 'skein-patched-'));
  cpSync(`${root}dist`, join(directory, 'dist'), { recursive: true });
  cpSync(`${root}package.json`, join(directory, 'package.json'));
  symlinkSync(`${root}node_modules`, join(directory, 'node_modules'));
  for (const { file, find, put } of patches) {
    const path = join(directory, 'dist', file);
    const source = readFileSync(path, 'utf8');
    if (source.split(find).length !== 2) throw new Error(`${file} has no single "${find}" to take out`);
    writeFileSync(
      path,
      source.replace(find, () => put),
    );
  }
  const removes = () => rmSync(directory, { recursive: true, force: true });
  return { main: join(directory, 'dist', 'main.js'), removes };
}
