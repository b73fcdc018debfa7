import { createWs } from '../../src/server/ws.js';
import { tlsSuite } from './tls.js';

tlsSuite({ name: 'ws', create: createWs });
