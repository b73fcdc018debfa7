import type { Dialect } from './dialect.js';
import { plain } from './plain.js';
import { skein } from './skein.js';
import { socketio } from './socketio.js';

export const DIALECTS = { skein, socketio, plain } as const satisfies Readonly<Record<string, Dialect>>;
export type DialectName = keyof typeof DIALECTS;
