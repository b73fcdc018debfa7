import { createWs } from '../../src/server/ws.js';
import { transportSuite } from './suite.js';

transportSuite({ name: 'ws', create: createWs });
