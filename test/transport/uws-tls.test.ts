import { createUws } from '../../src/server/uws.js';
import { tlsSuite } from './tls.js';

tlsSuite({ name: 'uws', create: createUws });
