/** Module hooks that put a control's patches into the code of a node. */
import type { LoadHook } from 'node:module';
import type { Patch } from './patch.js';

let patches: readonly Patch[] = [];

export function initialize(data: readonly Patch[]): void {
  patches = data;
}

/** Throws where a safety is not where it was: a control that takes nothing away would prove nothing. */
export const load: LoadHook = async (url, context, next) => {
  const loaded = await next(url, context);
  const wanted = patches.filter(({ file }) => url.endsWith(`/dist/${file}`));
  if (wanted.length === 0) return loaded;
  let source = String(loaded.source);
  for (const { file, find, put } of wanted) {
    if (source.split(find).length !== 2) throw new Error(`${file} has no single "${find}" to take out`);
    source = source.replace(find, () => put);
  }
  return { ...loaded, source };
};
