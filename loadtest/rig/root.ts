/** The project's directory; sources and compiled files lie equally deep in it. */
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));
