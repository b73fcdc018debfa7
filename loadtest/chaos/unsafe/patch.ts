/** A safety taken out of a node: where its code stands in dist/, and what stands there instead. */
export type Patch = { readonly file: string; readonly find: string; readonly put: string };

/** The environment variable that carries patches to a node. */
export const PATCHES = 'CHAOS_PATCHES';
