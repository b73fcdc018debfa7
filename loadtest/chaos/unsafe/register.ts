/** Imported into a node before anything else: its modules are then loaded with the patches of a control. */
import { register } from 'node:module';
import { PATCHES } from './patch.js';

register('./hooks.js', import.meta.url, { data: JSON.parse(process.env[PATCHES] ?? '[]') });
