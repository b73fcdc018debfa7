import { createUws } from '../../src/server/uws.js';
import { transportSuite } from './suite.js';

transportSuite({ name: 'uws', create: createUws });
